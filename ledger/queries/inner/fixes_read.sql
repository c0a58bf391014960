-- Fixes of a partition in log order, a page at a time; columns as ledger/fixes.py lays them out.
COPY (
    SELECT time_ms, received_ms, lon, lat, speed_kmh, heading_deg, altitude_m, recorder_speed_kmh, mileage_km, alarm,
           status, driver, backfill, items, logged_ms, log_offset, log_row, log_partition, vehicle_id, verdict
    FROM fixes
    WHERE log_partition = %s AND logged_ms >= %s AND log_offset < %s AND (log_offset, log_row) > (%s, %s)
    ORDER BY log_offset, log_row
    LIMIT %s
) TO STDOUT (FORMAT binary)
