-- Open a case with its first move, unless it is open already.
WITH opened AS (
    INSERT INTO cases (violation_id, state, moves, due_at)
    VALUES (%(id)s, %(state)s, 1, now() + %(within)s)
    ON CONFLICT (violation_id) DO NOTHING
    RETURNING violation_id, state, due_at
)
INSERT INTO case_moves (violation_id, number, move, from_state, to_state, actor, role, tenant, due_at)
SELECT violation_id, 1, %(move)s, '', state, %(actor)s, 'system', '', due_at
FROM opened
