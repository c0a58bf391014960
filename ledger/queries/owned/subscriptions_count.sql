-- How many subscriptions of an owner have not ended.
SELECT count(*)
FROM subscriptions AS s
WHERE s.role = %(role)s AND s.tenant = %(tenant)s AND s.ended_at IS NULL
