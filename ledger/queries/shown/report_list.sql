-- Issued reports, newest day first, a page at a time: those that follow one of the reader's own.
SELECT r.id, r.number, r.day, r.county, r.company, r.edition, r.reason, r.closed_at, r.issued_at,
       r.facts -> 'party' AS party, r.facts -> 'totals' AS totals,
       r.edition = (SELECT max(edition) FROM reports AS newest
                    WHERE (newest.day, newest.county, newest.company) = (r.day, r.county, r.company)
                      AND newest.issued_at IS NOT NULL) AS newest,
       (SELECT min(q.read_at) FROM report_receipts AS q
        WHERE q.report_id = r.id
          AND q.role = CASE WHEN r.company <> '' THEN 'company' ELSE 'county' END
          AND q.tenant = CASE WHEN r.company <> '' THEN r.company ELSE r.county END) AS first_read_at
FROM reports AS r
WHERE (%(county)s::text IS NULL OR r.county = %(county)s)
  AND (%(company)s::text IS NULL OR r.company = %(company)s)
  AND r.issued_at IS NOT NULL
  AND (%(day)s::date IS NULL OR r.day = %(day)s)
  AND (%(of_county)s::text IS NULL OR r.county = %(of_county)s)
  AND (%(of_company)s::text IS NULL OR r.company = %(of_company)s)
  AND (%(after)s::uuid IS NULL
       OR (r.day, r.number COLLATE "C") < (
           SELECT b.day, b.number FROM reports AS b
           WHERE b.id = %(after)s
             AND b.county = coalesce(%(county)s::text, b.county)
             AND b.company = coalesce(%(company)s::text, b.company)))
ORDER BY r.day DESC, r.number COLLATE "C" DESC
LIMIT %(limit)s
