-- An owner's subscriptions, and how they do.
SELECT s.id, s.role, s.tenant, s.name, s.channel, s.target, s.topics, s.kinds, s.least_severity, s.language,
       s.created_by, s.created_at, s.failing_since, s.disabled_at, s.disabled_reason, s.ended_at,
       (SELECT count(*) FROM deliveries AS d WHERE d.subscription_id = s.id AND d.state = 'due') AS due,
       (SELECT max(d.settled_at) FROM deliveries AS d WHERE d.subscription_id = s.id AND d.state = 'sent') AS last_sent_at
FROM subscriptions AS s
WHERE s.role = %(role)s AND s.tenant = %(tenant)s AND s.ended_at IS NULL
ORDER BY s.created_at, s.id
