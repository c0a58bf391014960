-- Owe deliveries; what is owed already is not owed twice.
INSERT INTO deliveries (id, subscription_id, outbox_id, type, payload)
SELECT * FROM unnest(%(ids)s::uuid[], %(subscriptions)s::uuid[], %(outbox)s::uuid[], %(types)s::text[],
                     %(payloads)s::text[])
ON CONFLICT DO NOTHING
