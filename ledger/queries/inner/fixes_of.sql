-- Fixes of a vehicle within a time, both ends included, in log order; columns as ledger/fixes.py lays them out.
COPY (
    SELECT time_ms, received_ms, lon, lat, speed_kmh, heading_deg, altitude_m, recorder_speed_kmh, mileage_km, alarm,
           status, driver, backfill, items, logged_ms, log_offset, log_row, log_partition, vehicle_id, verdict
    FROM fixes
    WHERE vehicle_id = %s AND time_ms >= %s AND time_ms <= %s
    ORDER BY log_partition, log_offset, log_row
) TO STDOUT (FORMAT binary)
