-- Attempts at one delivery of an owner's subscription, oldest first.
SELECT a.attempt, a.began_at, a.took_ms, a.outcome, a.status, a.detail
FROM subscriptions AS s
JOIN deliveries AS d ON d.subscription_id = s.id
JOIN delivery_attempts AS a ON a.delivery_id = d.id
WHERE d.id = %(id)s AND s.role = %(role)s AND s.tenant = %(tenant)s
ORDER BY a.attempt
