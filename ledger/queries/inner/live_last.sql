-- Last accepted fix of every vehicle within a time, for the map; columns as ledger/fixes.py lays them out.
COPY (
    SELECT f.time_ms, f.received_ms, f.lon, f.lat, f.speed_kmh, f.heading_deg, f.altitude_m, f.recorder_speed_kmh,
           f.mileage_km, f.alarm, f.status, f.driver, f.backfill, f.items, f.logged_ms, f.log_offset, f.log_row,
           f.log_partition, f.vehicle_id, f.verdict
    FROM vehicles AS v
    CROSS JOIN LATERAL (
        SELECT *
        FROM fixes
        WHERE vehicle_id = v.id AND time_ms BETWEEN %s AND %s AND verdict = 0
        ORDER BY time_ms DESC
        LIMIT 1
    ) AS f
) TO STDOUT (FORMAT binary)
