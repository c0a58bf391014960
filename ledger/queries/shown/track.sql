-- Fixes of a violation's vehicle while it lasted, and for a while before and after, as the gate saw them.
SELECT f.log_partition, f.log_offset, f.log_row, nullif(f.time_ms, -9223372036854775808) AS time_ms, f.received_ms,
       nullif(f.lon, 'NaN') AS lon, nullif(f.lat, 'NaN') AS lat, nullif(f.speed_kmh, 'NaN') AS speed_kmh, f.verdict
FROM violations AS v
JOIN fixes AS f ON f.vehicle_id = v.vehicle_id
               AND f.time_ms BETWEEN v.begins_ms - %(margin_ms)s::bigint AND v.ends_ms + %(margin_ms)s::bigint
WHERE v.id = %(id)s
  AND (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
ORDER BY f.time_ms, f.log_partition, f.log_offset, f.log_row
