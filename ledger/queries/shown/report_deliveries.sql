-- To whom a report was sent, with the last attempt: delivered when, or why not. Targets are their owners' to see.
SELECT s.name, s.channel, s.role, s.tenant, d.id AS delivery_id, d.state, d.attempts, d.created_at, d.due_at, d.settled_at,
       last.began_at, last.took_ms, last.outcome, last.status
FROM reports AS r
JOIN outbox AS o ON o.report_id = r.id
JOIN deliveries AS d ON d.outbox_id = o.id
JOIN subscriptions AS s ON s.id = d.subscription_id
LEFT JOIN LATERAL (
    SELECT began_at, took_ms, outcome, status
    FROM delivery_attempts
    WHERE delivery_id = d.id
    ORDER BY attempt DESC
    LIMIT 1
) AS last ON true
WHERE (%(county)s::text IS NULL OR r.county = %(county)s)
  AND (%(company)s::text IS NULL OR r.company = %(company)s)
  AND r.id = %(id)s
ORDER BY d.created_at, d.id
