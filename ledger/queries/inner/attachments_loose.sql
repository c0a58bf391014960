-- Some files that hang on no case and that nobody has brought of late, locked.
SELECT s.sha256
FROM attachments AS s
WHERE NOT EXISTS (SELECT FROM case_attachments AS a WHERE a.sha256 = s.sha256)
  AND NOT EXISTS (SELECT FROM uploads AS u WHERE u.sha256 = s.sha256 AND u.uploaded_at >= now() - %(kept)s)
LIMIT %(most)s
FOR UPDATE OF s SKIP LOCKED
