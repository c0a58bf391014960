-- Note how attempts went; an attempt whose claim has been taken over meanwhile is not noted. Those that were.
WITH told AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(claims)s::timestamptz[], %(began)s::timestamptz[], %(took_ms)s::integer[],
        %(outcomes)s::text[], %(statuses)s::integer[], %(details)s::text[], %(states)s::text[], %(due)s::timestamptz[]
    ) AS told (id, claimed_until, began_at, took_ms, outcome, status, detail, state, due_at)
), settled AS (
    UPDATE deliveries AS d
    SET state = told.state, attempts = d.attempts + 1, due_at = coalesce(told.due_at, d.due_at), claimed_until = NULL,
        settled_at = CASE WHEN told.state <> 'due' THEN now() END
    FROM told
    WHERE d.id = told.id AND d.claimed_until = told.claimed_until AND d.state = 'due'
    RETURNING d.id, d.attempts
)
INSERT INTO delivery_attempts (delivery_id, attempt, began_at, took_ms, outcome, status, detail)
SELECT settled.id, settled.attempts, told.began_at, told.took_ms, told.outcome, told.status, told.detail
FROM settled JOIN told USING (id)
RETURNING delivery_id
