-- Events that nobody has been told of, oldest first, with what the telling needs.
SELECT o.id, o.number, o.event, o.recorded_at, o.violation_id,
       coalesce(v.county, p.county, w.county) AS county, coalesce(v.company, p.company, w.company) AS company,
       coalesce(v.kind, w.kind) AS kind, vehicles.plate, vehicles.plate_color,
       coalesce(v.place_county, w.place_county) AS place_county, coalesce(v.lon, w.lon) AS lon, coalesce(v.lat, w.lat) AS lat,
       coalesce(r.revision, v.revision) AS revision,
       coalesce(r.begins_ms, v.begins_ms, w.begins_ms) AS begins_ms, coalesce(r.raised_ms, v.raised_ms) AS raised_ms,
       coalesce(r.ends_ms, v.ends_ms) AS ends_ms, coalesce(r.severity, v.severity) AS severity,
       coalesce(r.lead, v.lead) AS lead, coalesce(r.measures, v.measures, w.measures) AS measures,
       w.id AS warning_id, w.warned_ms, r.reason AS withdrawn_for,
       (SELECT min(g.kind)
        FROM violations AS g
        JOIN unnest(%(superseded)s::text[], %(graver)s::text[]) AS pair (kind, graver)
          ON pair.kind = v.kind AND pair.graver = g.kind
        WHERE g.vehicle_id = v.vehicle_id AND g.begins_ms <= v.ends_ms AND v.begins_ms <= g.ends_ms
          AND g.status <> 'withdrawn') AS superseded_by,
       ARRAY(SELECT l.id
             FROM violations AS l
             JOIN unnest(%(superseded)s::text[], %(graver)s::text[]) AS pair (kind, graver)
               ON pair.kind = l.kind AND pair.graver = v.kind
             WHERE l.vehicle_id = v.vehicle_id AND l.begins_ms <= v.ends_ms AND v.begins_ms <= l.ends_ms
               AND v.status <> 'withdrawn'
             ORDER BY l.id) AS supersedes,
       m.number AS move_number, m.move, m.from_state, m.to_state, m.role AS by_role, m.words, m.due_at, m.made_at,
       p.id AS report_id, p.number AS report_number, p.day, p.edition, p.reason, p.closed_at, p.issued_at,
       (SELECT json_object_agg(f.format, encode(f.sha256, 'hex') ORDER BY f.format)
        FROM report_files AS f WHERE f.report_id = p.id) AS files
FROM outbox AS o
LEFT JOIN violations AS v ON v.id = o.violation_id
LEFT JOIN warnings AS w ON w.id = o.warning_id
LEFT JOIN vehicles ON vehicles.id = coalesce(v.vehicle_id, w.vehicle_id)
LEFT JOIN violation_revisions AS r ON (r.violation_id, r.revision) = (o.violation_id, o.revision)
LEFT JOIN case_moves AS m ON (m.violation_id, m.number) = (o.violation_id, o.move)
LEFT JOIN reports AS p ON p.id = o.report_id
WHERE o.routed_at IS NULL
ORDER BY o.number
LIMIT %(most)s
