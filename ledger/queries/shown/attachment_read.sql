-- A file, where it hangs on a case of the principal's; under the name it first got there.
SELECT a.name, s.media_type, s.content
FROM violations AS v
JOIN case_attachments AS a ON a.violation_id = v.id
JOIN attachments AS s ON s.sha256 = a.sha256
WHERE a.sha256 = %(sha256)s
  AND (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
ORDER BY a.violation_id, a.number, a.place
LIMIT 1
