-- Where the casework of a violation stands.
SELECT c.state, c.moves AS number, c.due_at, c.opened_at, coalesce(c.due_at < now(), false) AS overdue
FROM violations AS v
JOIN cases AS c ON c.violation_id = v.id
WHERE v.id = %(id)s
  AND (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
