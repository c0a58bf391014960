-- Gravest open violation of each vehicle that has one, for the map.
SELECT vehicle_id, max(severity)
FROM violations
WHERE status = 'open'
GROUP BY vehicle_id
