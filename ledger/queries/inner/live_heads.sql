-- Up to where each partition of the log has had its effect.
SELECT partition, next_offset
FROM positions
ORDER BY partition
