-- Days that have a report: when the prefecture's newest edition was closed, and whether all is rendered and issued.
SELECT day, max(closed_at) FILTER (WHERE county = '' AND company = '') AS closed_at,
       bool_and(issued_at IS NOT NULL) AS issued
FROM reports
WHERE day >= %(since)s
GROUP BY day
ORDER BY day
