-- One issued report with its facts.
SELECT r.id, r.number, r.day, r.county, r.company, r.edition, r.reason, r.closed_at, r.issued_at, r.facts,
       (SELECT jsonb_object_agg(format, jsonb_build_object('sha256', encode(sha256, 'hex'), 'bytes', octet_length(content)))
        FROM report_files WHERE report_id = r.id) AS files
FROM reports AS r
WHERE (%(county)s::text IS NULL OR r.county = %(county)s)
  AND (%(company)s::text IS NULL OR r.company = %(company)s)
  AND r.issued_at IS NOT NULL AND r.id = %(id)s
