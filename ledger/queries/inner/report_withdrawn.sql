-- Violations that were withdrawn within a span, or raised within it and withdrawn later.
SELECT v.id, v.kind, vehicles.plate, vehicles.plate_color, v.begins_ms, v.company, v.county, r.reason, r.recorded_at
FROM violations AS v
JOIN vehicles ON vehicles.id = v.vehicle_id
JOIN violation_revisions AS r ON r.violation_id = v.id AND r.fact = 'withdrawn'
WHERE v.status = 'withdrawn'
  AND ((v.raised_ms >= %(from_ms)s AND v.raised_ms < %(to_ms)s)
       OR (r.recorded_at >= %(from)s AND r.recorded_at < %(to)s))
  AND NOT EXISTS (SELECT FROM violation_revisions AS later
                  WHERE later.violation_id = v.id AND later.fact = 'withdrawn' AND later.revision > r.revision)
ORDER BY v.begins_ms, vehicles.plate COLLATE "C", vehicles.plate_color, v.kind, v.id
