-- Files of a report, to go with its deliveries.
SELECT p.number, f.format, f.content
FROM reports AS p
JOIN report_files AS f ON f.report_id = p.id
WHERE p.id = %(report)s
ORDER BY f.format
