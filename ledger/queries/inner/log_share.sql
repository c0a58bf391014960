-- Give back what is above this reader's share, take what is free up to it; the partitions it then has.
WITH ranked AS (
    SELECT member, row_number() OVER (ORDER BY member) - 1 AS rank, count(*) OVER () AS members FROM log_members
), share AS (
    SELECT total / members + (rank < total %% members)::int AS most
    FROM ranked, (SELECT count(*) AS total FROM log_partitions) AS counted
    WHERE member = %(member)s
), wanted AS (
    SELECT partition FROM (
        SELECT partition, row_number() OVER (ORDER BY member NULLS LAST, partition) AS place
        FROM log_leases
        WHERE member = %(member)s OR member IS NULL
    ) AS candidates
    WHERE place <= (SELECT most FROM share)
), moved AS (
    UPDATE log_leases
    SET member = CASE WHEN partition IN (SELECT partition FROM wanted) THEN %(member)s END
    WHERE (member = %(member)s) IS DISTINCT FROM (partition IN (SELECT partition FROM wanted))
      AND (member = %(member)s OR member IS NULL)
)
SELECT partition FROM wanted ORDER BY partition
