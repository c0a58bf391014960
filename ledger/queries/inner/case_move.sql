-- Move a case that is locked.
WITH moved AS (
    UPDATE cases SET state = %(to_state)s, moves = moves + 1, due_at = %(due_at)s
    WHERE violation_id = %(id)s
    RETURNING violation_id, state, moves, due_at
)
INSERT INTO case_moves (violation_id, number, move, from_state, to_state, actor, role, tenant, words, due_at, made_at)
SELECT violation_id, moves, %(move)s, %(from_state)s, state, %(actor)s, %(role)s, %(tenant)s, %(words)s, due_at, %(at)s
FROM moved
