-- How much of what a party has brought hangs on no case [bytes].
SELECT coalesce(sum(octet_length(s.content)), 0)::bigint
FROM uploads AS u
JOIN attachments AS s ON s.sha256 = u.sha256
WHERE (u.role, u.tenant) = (%(role)s, %(tenant)s)
  AND NOT EXISTS (SELECT FROM case_attachments AS a WHERE a.sha256 = s.sha256)
