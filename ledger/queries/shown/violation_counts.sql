-- Violations raised within a time, by vehicle, county, severity, and whether it was at a station; withdrawn and superseded ones left out.
SELECT v.vehicle_id, v.county AS of_county, v.severity, count(*) AS violations,
       count(*) FILTER (WHERE EXISTS (
           SELECT FROM unnest(%(stations)s::text[]::polygon[]) AS area WHERE area @> point(v.lon, v.lat))) AS at_station
FROM violations AS v
WHERE (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
  AND v.raised_ms >= %(from_ms)s AND v.raised_ms < %(to_ms)s AND v.status <> 'withdrawn'
  AND NOT EXISTS (
      SELECT FROM violations AS g
      JOIN unnest(%(pairs)s::text[], %(graver)s::text[]) AS pair (kind, graver)
        ON pair.kind = v.kind AND pair.graver = g.kind
      WHERE g.vehicle_id = v.vehicle_id AND g.begins_ms <= v.ends_ms AND v.begins_ms <= g.ends_ms
        AND g.status <> 'withdrawn')
GROUP BY v.vehicle_id, v.county, v.severity
