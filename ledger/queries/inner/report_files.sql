-- The files of one report.
SELECT reports.number, report_files.format, report_files.content, encode(report_files.sha256, 'hex')
FROM reports
JOIN report_files ON report_files.report_id = reports.id
WHERE reports.id = %(id)s
ORDER BY report_files.format
