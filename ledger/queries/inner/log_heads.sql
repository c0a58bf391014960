-- First kept and next offset of partitions.
SELECT partition, first_offset, next_offset
FROM log_partitions
WHERE partition = ANY(%(partitions)s)
