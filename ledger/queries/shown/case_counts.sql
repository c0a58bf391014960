-- How many cases stand where, and how many of them are overdue.
SELECT c.state, count(*) AS cases, count(*) FILTER (WHERE c.due_at < now()) AS overdue
FROM violations AS v
JOIN cases AS c ON c.violation_id = v.id
WHERE (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
GROUP BY c.state
