-- Fixes of a day by vehicle and verdict, one scan. One without a usable time belongs to the day of its receipt.
SELECT vehicles.plate, vehicles.plate_color, counted.verdict, counted.fixes, counted.backfilled, counted.after
FROM (
    SELECT vehicle_id, verdict, count(*) AS fixes, count(*) FILTER (WHERE backfill) AS backfilled,
           count(*) FILTER (WHERE logged_ms >= %(to_ms)s) AS after
    FROM fixes
    WHERE logged_ms >= %(from_ms)s - %(ahead_ms)s AND logged_ms <= %(as_of_ms)s
      AND CASE WHEN time_ms BETWEEN received_ms - %(behind_ms)s AND received_ms + %(ahead_ms)s
               THEN time_ms ELSE received_ms END BETWEEN %(from_ms)s AND %(to_ms)s - 1
    GROUP BY vehicle_id, verdict
) AS counted
JOIN vehicles ON vehicles.id = counted.vehicle_id
ORDER BY vehicles.plate COLLATE "C", vehicles.plate_color, counted.verdict
