-- Drop frames that nobody needs any more.
WITH gone AS (
    DELETE FROM log_frames
    WHERE partition = %(partition)s AND frame_offset < %(offset)s
    RETURNING octet_length(content) AS bytes
)
UPDATE log_partitions
SET first_offset = greatest(first_offset, least(%(offset)s, next_offset)),
    held_bytes = held_bytes - (SELECT coalesce(sum(bytes), 0) FROM gone)
WHERE partition = %(partition)s
