-- Append frames to one partition. The head row's lock, held until commit, gives out offsets in commit order.
WITH arrived AS (
    SELECT form, received_ms, content, at
    FROM unnest(%(forms)s::text[], %(received_ms)s::bigint[], %(contents)b::bytea[])
         WITH ORDINALITY AS arrived (form, received_ms, content, at)
), head AS (
    UPDATE log_partitions
    SET next_offset = next_offset + %(count)s, held_bytes = held_bytes + %(bytes)s
    WHERE partition = %(partition)s AND (held_bytes = 0 OR held_bytes + %(bytes)s <= %(most_bytes)s)
    RETURNING next_offset - %(count)s AS first_offset
)
INSERT INTO log_frames (partition, frame_offset, form, received_ms, content)
SELECT %(partition)s, first_offset + at - 1, form, received_ms, content
FROM arrived, head
