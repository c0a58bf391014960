-- Vehicles of which fixes of a time were back-filled (3) or late (5), with their partition; by the index fixes_late.
SELECT vehicle_id, min(log_partition)
FROM fixes
WHERE verdict IN (3, 5) AND time_ms >= %s AND time_ms < %s
GROUP BY vehicle_id
ORDER BY vehicle_id
