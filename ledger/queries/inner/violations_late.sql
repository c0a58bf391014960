-- Violations that rows of the registry, changed between two versions, may clear: each with the likeliest of these rows,
-- one that began before one that ended, one that holds throughout before one that does not.
WITH changed AS (
    SELECT asked.kind, held.collection, held.place, held.content, held.valid_from_ms, held.valid_to_ms,
           held.since_version > %(after)s AND held.since_version <= %(version)s AS is_new
    FROM unnest(%(kinds)s::text[], %(tables)s::text[]) AS asked (kind, collection)
    JOIN registry_rows AS held USING (collection)
    WHERE (held.since_version > %(after)s AND held.since_version <= %(version)s)
       OR (held.until_version > %(after)s AND held.until_version <= %(version)s)
), near AS (
    SELECT v.id, changed.*
    FROM changed
    JOIN vehicles ON vehicles.plate = upper(btrim(changed.content ->> 'plate'))
                 AND vehicles.plate_color = coalesce(nullif(changed.content ->> 'plate_color', ''), '2')::smallint
    JOIN violations AS v ON v.vehicle_id = vehicles.id AND v.kind = changed.kind
    UNION ALL
    SELECT v.id, changed.*
    FROM changed
    JOIN violations AS v ON v.kind = changed.kind
    WHERE coalesce(changed.content ->> 'plate', '') = ''
)
SELECT DISTINCT ON (v.id) v.id, v.vehicle_id, v.kind, vehicles.plate, vehicles.plate_color, v.begins_ms, v.raised_ms,
       v.ends_ms, near.collection, near.is_new, coalesce(near.content ->> 'number', '') AS number
FROM near
JOIN violations AS v USING (id)
JOIN vehicles ON vehicles.id = v.vehicle_id
WHERE v.status <> 'withdrawn'
  AND near.valid_from_ms <= v.ends_ms + %(margin_ms)s AND near.valid_to_ms >= v.begins_ms - %(margin_ms)s
ORDER BY v.id, near.is_new DESC, near.valid_from_ms <= v.begins_ms AND near.valid_to_ms > v.ends_ms DESC,
         near.collection, near.place
