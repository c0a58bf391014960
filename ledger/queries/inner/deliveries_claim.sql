-- Take deliveries that are due, so many a subscription at once and so many an owner; what a dead courier had comes back
-- when its lease ends. Subscriptions that are proven and those that are not are served apart. A subscription whose row is
-- locked waits a turn: so couriers side by side never take more than its share.
WITH open AS MATERIALIZED (
    SELECT s.id, s.role, s.tenant, s.channel, s.target, s.secret, s.language
    FROM subscriptions AS s
    WHERE s.disabled_at IS NULL AND s.ended_at IS NULL AND s.proven <> %(failing)s
      AND EXISTS (SELECT FROM deliveries AS d
                  WHERE d.subscription_id = s.id AND d.state = 'due' AND d.due_at <= now()
                    AND (d.claimed_until IS NULL OR d.claimed_until <= now()))
    FOR NO KEY UPDATE SKIP LOCKED
), held AS MATERIALIZED (
    SELECT f.subscription_id, s.role, s.tenant, s.proven, count(*) AS flying
    FROM deliveries AS f
    JOIN subscriptions AS s ON s.id = f.subscription_id
    WHERE f.claimed_until > now()
    GROUP BY f.subscription_id, s.role, s.tenant, s.proven
), turns AS (
    SELECT d.id, d.due_at,
           row_number() OVER (PARTITION BY open.role, open.tenant ORDER BY d.due_at, d.id)
           + (SELECT coalesce(sum(held.flying), 0) FROM held
              WHERE (held.role, held.tenant) = (open.role, open.tenant) AND held.proven <> %(failing)s) AS place
    FROM open
    CROSS JOIN LATERAL (
        SELECT d.id, d.due_at FROM deliveries AS d
        WHERE d.subscription_id = open.id AND d.state = 'due' AND d.due_at <= now()
          AND (d.claimed_until IS NULL OR d.claimed_until <= now())
        ORDER BY d.due_at
        LIMIT greatest(0, %(at_once)s - (SELECT coalesce(sum(held.flying), 0) FROM held
                                         WHERE held.subscription_id = open.id))
    ) AS d
), due AS MATERIALIZED (
    SELECT turns.id
    FROM turns
    WHERE turns.place <= %(share)s
    ORDER BY turns.due_at
    LIMIT %(most)s
)
UPDATE deliveries AS d
SET claimed_until = clock_timestamp() + %(lease)s::interval
FROM due, open, outbox AS o
WHERE d.id = due.id AND open.id = d.subscription_id AND o.id = d.outbox_id
  AND d.state = 'due' AND (d.claimed_until IS NULL OR d.claimed_until <= now())  -- as it is now, not when it was read
RETURNING d.id, d.subscription_id, open.role, open.tenant, open.channel, open.target, open.secret, open.language,
          d.type, d.payload, d.attempts, d.claimed_until, o.report_id,
          (SELECT a.began_at FROM delivery_attempts AS a WHERE a.delivery_id = d.id AND a.attempt = 1) AS first_at
