-- A case that a principal may move, as it stands, locked until commit.
SELECT c.violation_id, c.state, c.moves, c.due_at, v.severity
FROM violations AS v
JOIN cases AS c ON c.violation_id = v.id
WHERE v.id = %(id)s
  AND (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
FOR UPDATE OF c
