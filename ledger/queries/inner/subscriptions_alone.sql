-- Let one at a time begin a subscription of an owner, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('subscriptions of ' || %(role)s::text || ' ' || %(tenant)s::text, 0))
