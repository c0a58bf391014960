-- A case as it stands, locked until commit.
SELECT violation_id, state, moves, due_at
FROM cases
WHERE violation_id = %(id)s
FOR UPDATE
