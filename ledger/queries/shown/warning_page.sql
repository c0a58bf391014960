-- Warnings, newest first, a page at a time, with the violation that each became.
SELECT w.id, w.kind, vehicles.plate, vehicles.plate_color, w.begins_ms, w.warned_ms, w.due_ms, w.company, w.county,
       w.place_county, nullif(w.lon, 'NaN') AS lon, nullif(w.lat, 'NaN') AS lat, w.measures, w.rule_version,
       w.registry_version, warning_became(w.vehicle_id, w.kind, w.begins_ms, w.warned_ms, w.due_ms) AS became
FROM warnings AS w
JOIN vehicles ON vehicles.id = w.vehicle_id
WHERE (%(county)s::text IS NULL OR w.county = %(county)s)
  AND (%(company)s::text IS NULL OR w.company = %(company)s)
  AND (%(ids)s::uuid[] IS NULL OR w.id = ANY (%(ids)s))
  AND (%(of_county)s::text IS NULL OR w.county = %(of_county)s)
  AND (%(of_company)s::text IS NULL OR w.company = %(of_company)s)
  AND (%(kinds)s::text[] IS NULL OR w.kind = ANY (%(kinds)s))
  AND (%(plate)s::text IS NULL OR strpos(vehicles.plate, %(plate)s) > 0)
  AND (%(from_ms)s::bigint IS NULL OR w.warned_ms >= %(from_ms)s)
  AND (%(to_ms)s::bigint IS NULL OR w.warned_ms < %(to_ms)s)
  AND (%(after_id)s::uuid IS NULL OR w.warned_ms <= %(after_ms)s)
  AND (%(after_id)s::uuid IS NULL OR w.warned_ms < %(after_ms)s OR w.id > %(after_id)s::uuid)
ORDER BY w.warned_ms DESC, w.id
LIMIT %(limit)s
