-- Violations by id, and those of the same vehicle and kind within given spans; locked until commit.
SELECT id, vehicle_id, kind, begins_ms, raised_ms, ends_ms, severity, lead, status, company, county, place_county,
       lon, lat, measures, rule_version, registry_version, revision
FROM violations
WHERE id = ANY (%(ids)s::uuid[])
   OR id IN (
       SELECT violations.id
       FROM unnest(%(vehicles)s::int[], %(kinds)s::text[], %(from_ms)s::bigint[], %(to_ms)s::bigint[])
            AS asked (vehicle_id, kind, from_ms, to_ms)
       JOIN violations ON violations.vehicle_id = asked.vehicle_id AND violations.kind = asked.kind
                      AND violations.begins_ms <= asked.to_ms AND violations.ends_ms >= asked.from_ms
   )
ORDER BY id
FOR NO KEY UPDATE
