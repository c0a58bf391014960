-- Violations of a vehicle that begin in a time and that a closing has not found; whether their case is closed, and
-- whether one that it has found covers them.
SELECT v.id,
       coalesce(c.state = 'closed', false),
       EXISTS (SELECT FROM violations AS e
               WHERE e.id = ANY (%(found)s) AND e.kind = v.kind AND e.status <> 'withdrawn'
                 AND e.begins_ms <= v.ends_ms AND e.ends_ms >= v.begins_ms)
FROM violations AS v LEFT JOIN cases AS c ON c.violation_id = v.id
WHERE v.vehicle_id = %(vehicle)s AND v.kind = ANY (%(kinds)s)
  AND v.begins_ms >= %(from)s AND v.begins_ms < %(to)s
  AND v.status <> 'withdrawn' AND NOT v.id = ANY (%(found)s)
ORDER BY v.id
