-- Remove locked files, but for those that were hung before they were locked.
DELETE FROM attachments AS s
WHERE s.sha256 = ANY (%(hashes)s::bytea[])
  AND NOT EXISTS (SELECT FROM case_attachments AS a WHERE a.sha256 = s.sha256)
RETURNING encode(s.sha256, 'hex')
