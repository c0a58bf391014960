-- Who first opened a report, and when.
SELECT t.reader, t.role, t.tenant, t.read_at
FROM reports AS r
JOIN report_receipts AS t ON t.report_id = r.id
WHERE (%(county)s::text IS NULL OR r.county = %(county)s)
  AND (%(company)s::text IS NULL OR r.company = %(company)s)
  AND r.id = %(id)s
ORDER BY t.read_at, t.reader
