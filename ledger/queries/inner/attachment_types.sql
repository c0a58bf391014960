-- Which of these files are stored, and what they are.
SELECT sha256, media_type FROM attachments WHERE sha256 = ANY (%(hashes)s::bytea[])
