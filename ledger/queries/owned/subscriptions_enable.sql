-- Enable a subscription that was disabled; its time begins anew, but it is proven by a success alone.
UPDATE subscriptions AS s
SET disabled_at = NULL, disabled_reason = '', failing_since = NULL
WHERE s.id = %(id)s AND s.role = %(role)s AND s.tenant = %(tenant)s AND s.ended_at IS NULL AND s.disabled_at IS NOT NULL
RETURNING s.id
