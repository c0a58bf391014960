-- A report as it is told of to those who are owed it, with the hash of each file.
SELECT id, number, day, county, company, edition, reason, closed_at, issued_at,
       (SELECT jsonb_object_agg(format, encode(sha256, 'hex')) FROM report_files WHERE report_id = reports.id) AS sha256
FROM reports
WHERE id = %(id)s
