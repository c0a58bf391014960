-- Begin a subscription.
INSERT INTO subscriptions (role, tenant, name, channel, target, secret, topics, kinds, least_severity, language, created_by)
VALUES (%(role)s, %(tenant)s, %(name)s, %(channel)s, %(target)s, %(secret)s, %(topics)s, %(kinds)s, %(least_severity)s,
        %(language)s, %(actor)s)
RETURNING id
