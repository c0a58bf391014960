-- Subscriptions that are owed what happens from now on.
SELECT id, role, tenant, topics, kinds, least_severity
FROM subscriptions
WHERE disabled_at IS NULL AND ended_at IS NULL
ORDER BY id
