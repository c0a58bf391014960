-- One file of an issued report.
SELECT r.number, f.format, f.content, encode(f.sha256, 'hex') AS sha256
FROM reports AS r
JOIN report_files AS f ON f.report_id = r.id
WHERE (%(county)s::text IS NULL OR r.county = %(county)s)
  AND (%(company)s::text IS NULL OR r.company = %(company)s)
  AND r.issued_at IS NOT NULL AND r.id = %(id)s AND f.format = %(format)s
