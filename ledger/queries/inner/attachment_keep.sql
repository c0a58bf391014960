-- Keep a file, once.
INSERT INTO attachments (sha256, media_type, content) VALUES (%(sha256)s, %(media_type)s, %(content)s)
ON CONFLICT (sha256) DO NOTHING
