-- The number of one issued report: whether it is the principal's to see.
SELECT r.number
FROM reports AS r
WHERE (%(county)s::text IS NULL OR r.county = %(county)s)
  AND (%(company)s::text IS NULL OR r.company = %(company)s)
  AND r.issued_at IS NOT NULL AND r.id = %(id)s
