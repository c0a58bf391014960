-- One delivery of an owner's subscription, with what is sent.
SELECT d.id, d.subscription_id, d.type, d.payload, d.state, d.attempts, d.created_at, d.due_at, d.settled_at
FROM subscriptions AS s
JOIN deliveries AS d ON d.subscription_id = s.id
WHERE d.id = %(id)s AND s.role = %(role)s AND s.tenant = %(tenant)s
