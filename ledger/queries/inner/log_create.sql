-- Make the partitions of the embedded log, once.
WITH made AS (
    INSERT INTO log_partitions (partition)
    SELECT generate_series(0, %(partitions)s::int - 1)
    WHERE NOT EXISTS (SELECT FROM log_partitions)
    ON CONFLICT DO NOTHING
    RETURNING partition
)
INSERT INTO log_leases (partition) SELECT partition FROM made
