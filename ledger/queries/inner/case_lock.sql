-- A case as it stands, locked until commit.
SELECT c.violation_id, c.state, c.moves, c.due_at, v.severity
FROM cases AS c
JOIN violations AS v ON v.id = c.violation_id
WHERE c.violation_id = %(id)s
FOR UPDATE OF c
