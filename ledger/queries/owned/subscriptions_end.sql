-- End a subscription for good.
UPDATE subscriptions AS s
SET ended_at = now()
WHERE s.id = %(id)s AND s.role = %(role)s AND s.tenant = %(tenant)s AND s.ended_at IS NULL
RETURNING s.id
