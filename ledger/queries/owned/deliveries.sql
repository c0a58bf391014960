-- Deliveries of an owner's subscription, newest first, with how the last attempt went.
SELECT d.id, d.type, d.state, d.attempts, d.created_at, d.due_at, d.settled_at, a.began_at AS last_at,
       a.outcome AS last_outcome, a.status AS last_status, a.detail AS last_detail
FROM subscriptions AS s
JOIN deliveries AS d ON d.subscription_id = s.id
LEFT JOIN delivery_attempts AS a ON a.delivery_id = d.id AND a.attempt = d.attempts
WHERE s.id = %(subscription)s AND s.role = %(role)s AND s.tenant = %(tenant)s
  AND (%(state)s::text IS NULL OR d.state = %(state)s)
  AND (%(after_at)s::timestamptz IS NULL OR d.created_at < %(after_at)s
       OR (d.created_at = %(after_at)s AND d.id > %(after_id)s))
ORDER BY d.created_at DESC, d.id
LIMIT %(most)s
