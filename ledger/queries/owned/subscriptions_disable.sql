-- Disable a subscription; what it is owed waits.
UPDATE subscriptions AS s
SET disabled_at = now(), disabled_reason = %(reason)s
WHERE s.id = %(id)s AND s.role = %(role)s AND s.tenant = %(tenant)s AND s.ended_at IS NULL AND s.disabled_at IS NULL
RETURNING s.id
