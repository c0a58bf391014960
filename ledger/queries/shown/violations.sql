-- Violations as they stand. Superseded: a graver kind of the same vehicle shares an instant with it.
SELECT v.id, v.kind, vehicles.plate, vehicles.plate_color, v.begins_ms, v.raised_ms, v.ends_ms, v.severity, v.lead,
       v.status, v.company, v.county, v.place_county, v.measures, v.rule_version, v.registry_version, v.revision,
       (SELECT min(g.kind)
        FROM violations AS g
        JOIN unnest(%(superseded)s::text[], %(graver)s::text[]) AS pair (kind, graver)
          ON pair.kind = v.kind AND pair.graver = g.kind
        WHERE g.vehicle_id = v.vehicle_id AND g.begins_ms <= v.ends_ms AND v.begins_ms <= g.ends_ms
          AND g.status <> 'withdrawn') AS superseded_by
FROM violations AS v
JOIN vehicles ON vehicles.id = v.vehicle_id
WHERE (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
ORDER BY vehicles.plate COLLATE "C", vehicles.plate_color, v.kind, v.begins_ms
