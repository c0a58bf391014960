-- Violations raised within a span that stand, each with its case as of a moment (one opened later: as it was opened).
SELECT v.id, v.kind, vehicles.plate, vehicles.plate_color, v.begins_ms, v.raised_ms, v.ends_ms, v.severity, v.lead,
       v.status, v.company, v.county, v.place_county, v.measures,
       (SELECT min(g.kind)
        FROM violations AS g
        JOIN unnest(%(superseded)s::text[], %(graver)s::text[]) AS pair (kind, graver)
          ON pair.kind = v.kind AND pair.graver = g.kind
        WHERE g.vehicle_id = v.vehicle_id AND g.begins_ms <= v.ends_ms AND v.begins_ms <= g.ends_ms
          AND g.status <> 'withdrawn') AS superseded_by,
       move.to_state AS state, move.due_at < %(as_of)s AS overdue
FROM violations AS v
JOIN vehicles ON vehicles.id = v.vehicle_id
LEFT JOIN LATERAL (
    SELECT to_state, due_at
    FROM case_moves
    WHERE violation_id = v.id
    ORDER BY CASE WHEN made_at <= %(as_of)s THEN -number ELSE number END
    LIMIT 1
) AS move ON true
WHERE v.raised_ms >= %(from_ms)s AND v.raised_ms < %(to_ms)s AND v.status <> 'withdrawn'
ORDER BY v.severity DESC, v.raised_ms, vehicles.plate COLLATE "C", vehicles.plate_color, v.kind, v.id
