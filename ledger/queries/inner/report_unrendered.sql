-- The first report of a day that still lacks files.
SELECT id, number, facts
FROM reports
WHERE day = %(day)s AND (SELECT count(*) FROM report_files WHERE report_id = reports.id) < %(formats)s
ORDER BY county, company, edition
LIMIT 1
