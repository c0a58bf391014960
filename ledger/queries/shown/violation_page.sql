-- Violations as they stand with their cases, newest first or the longest due first, a page at a time.
SELECT v.id, v.vehicle_id, v.kind, vehicles.plate, vehicles.plate_color, v.begins_ms, v.raised_ms, v.ends_ms, v.severity,
       v.lead, v.status, v.company, v.county, v.place_county, nullif(v.lon, 'NaN') AS lon, nullif(v.lat, 'NaN') AS lat,
       v.measures, v.rule_version, v.registry_version, v.revision, c.state, c.moves, c.due_at, c.opened_at,
       coalesce(c.due_at < now(), false) AS overdue,
       (SELECT min(g.kind)
        FROM violations AS g
        JOIN unnest(%(pairs)s::text[], %(graver)s::text[]) AS pair (kind, graver)
          ON pair.kind = v.kind AND pair.graver = g.kind
        WHERE g.vehicle_id = v.vehicle_id AND g.begins_ms <= v.ends_ms AND v.begins_ms <= g.ends_ms
          AND g.status <> 'withdrawn') AS superseded_by
FROM violations AS v
JOIN vehicles ON vehicles.id = v.vehicle_id
LEFT JOIN cases AS c ON c.violation_id = v.id
WHERE (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
  AND (%(ids)s::uuid[] IS NULL OR v.id = ANY (%(ids)s))
  AND (%(of_county)s::text IS NULL OR v.county = %(of_county)s)
  AND (%(of_company)s::text IS NULL OR v.company = %(of_company)s)
  AND (%(place_county)s::text IS NULL OR v.place_county = %(place_county)s)
  AND (%(kinds)s::text[] IS NULL OR v.kind = ANY (%(kinds)s))
  AND (%(severities)s::smallint[] IS NULL OR v.severity = ANY (%(severities)s))
  AND (%(statuses)s::text[] IS NULL OR v.status = ANY (%(statuses)s))
  AND (%(states)s::text[] IS NULL OR c.state = ANY (%(states)s))
  AND (%(plate)s::text IS NULL OR strpos(vehicles.plate, %(plate)s) > 0)
  AND (%(from_ms)s::bigint IS NULL OR v.raised_ms >= %(from_ms)s)
  AND (%(to_ms)s::bigint IS NULL OR v.raised_ms < %(to_ms)s)
  AND (%(lead)s::boolean IS NULL OR v.lead = %(lead)s)
  AND (%(overdue)s::boolean IS NULL OR coalesce(c.due_at < now(), false) = %(overdue)s)
  AND (NOT coalesce(%(overdue)s::boolean, false) OR c.due_at < now())
  AND (%(vehicles)s::integer[] IS NULL OR v.vehicle_id = ANY (%(vehicles)s))
  AND (%(stations)s::text[] IS NULL
       OR EXISTS (SELECT FROM unnest(%(stations)s::text[]::polygon[]) AS area WHERE area @> point(v.lon, v.lat)))
  AND (%(superseded)s::boolean IS NULL
       OR %(superseded)s = EXISTS (
              SELECT FROM violations AS g
              JOIN unnest(%(pairs)s::text[], %(graver)s::text[]) AS pair (kind, graver)
                ON pair.kind = v.kind AND pair.graver = g.kind
              WHERE g.vehicle_id = v.vehicle_id AND g.begins_ms <= v.ends_ms AND v.begins_ms <= g.ends_ms
                AND g.status <> 'withdrawn'))
  AND (NOT %(by_due)s::boolean OR c.due_at IS NOT NULL)
  AND (%(after_id)s::uuid IS NULL OR %(by_due)s::boolean OR v.raised_ms <= %(after_ms)s)
  AND (%(after_id)s::uuid IS NULL OR NOT %(by_due)s::boolean OR c.due_at >= %(after_due)s::timestamptz)
  AND (%(after_id)s::uuid IS NULL
       OR (%(by_due)s::boolean AND c.due_at > %(after_due)s::timestamptz)
       OR v.raised_ms < %(after_ms)s
       OR (v.raised_ms = %(after_ms)s AND v.id > %(after_id)s::uuid))
ORDER BY CASE WHEN %(by_due)s::boolean THEN c.due_at END, v.raised_ms DESC, v.id
LIMIT %(limit)s
