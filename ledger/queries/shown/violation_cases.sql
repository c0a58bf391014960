-- Cases by vehicle, county and state, how many are overdue, and how many of each are of violations at a station.
SELECT v.vehicle_id, v.county AS of_county, c.state, count(*) AS cases, count(*) FILTER (WHERE c.due_at < now()) AS overdue,
       count(*) FILTER (WHERE s.at_station) AS at_station,
       count(*) FILTER (WHERE s.at_station AND c.due_at < now()) AS overdue_at_station
FROM violations AS v
JOIN cases AS c ON c.violation_id = v.id
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM unnest(%(stations)s::text[]::polygon[]) AS area WHERE area @> point(v.lon, v.lat)) AS at_station
) AS s
WHERE (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
  AND c.due_at IS NOT NULL
GROUP BY v.vehicle_id, v.county, c.state
