-- Violations that episodes are already part of.
SELECT held.vehicle_id, held.kind, held.begins_ms, held.violation_id
FROM unnest(%(vehicles)s::int[], %(kinds)s::text[], %(begins_ms)s::bigint[]) AS asked (vehicle_id, kind, begins_ms)
JOIN violation_episodes AS held USING (vehicle_id, kind, begins_ms)
WHERE held.pass = %(pass)s
