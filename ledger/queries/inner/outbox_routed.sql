-- Number events in the order given, behind all that have a number; the head row is locked by whoever asks.
WITH told AS (
    UPDATE outbox
    SET routed_at = now(), feed_number = head.number + routed.at
    FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS routed (id, at), feed_head AS head
    WHERE outbox.id = routed.id AND outbox.routed_at IS NULL
    RETURNING outbox.id
)
UPDATE feed_head SET number = number + (SELECT count(*) FROM told)
RETURNING number
