-- Fixes of a violation's vehicle while it lasted, and for a while before and after; of more than the limit, every so-many-th.
SELECT time_ms, received_ms, lon, lat, speed_kmh, heading_deg, verdict, cut
FROM (
    SELECT f.time_ms, f.received_ms, nullif(f.lon, 'NaN') AS lon, nullif(f.lat, 'NaN') AS lat,
           CASE WHEN f.speed_kmh < 'Infinity' THEN f.speed_kmh END AS speed_kmh,
           CASE WHEN f.heading_deg < 'Infinity' THEN f.heading_deg END AS heading_deg, f.verdict,
           count(*) OVER () > %(limit)s AS cut, count(*) OVER () AS fixes,
           row_number() OVER (ORDER BY f.time_ms, f.log_partition, f.log_offset, f.log_row) AS number
    FROM violations AS v
    JOIN fixes AS f ON f.vehicle_id = v.vehicle_id
                   AND f.time_ms BETWEEN v.begins_ms - %(margin_ms)s::bigint AND v.ends_ms + %(margin_ms)s::bigint
    WHERE v.id = %(id)s
      AND (%(county)s::text IS NULL OR v.county = %(county)s)
      AND (%(company)s::text IS NULL OR v.company = %(company)s)
) AS found
WHERE NOT cut OR number * %(limit)s / fixes > (number - 1) * %(limit)s / fixes
ORDER BY number
