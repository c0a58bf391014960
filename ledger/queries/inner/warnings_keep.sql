-- Keep a warning, once, and owe it to those concerned.
WITH kept AS (
    INSERT INTO warnings (id, vehicle_id, kind, begins_ms, warned_ms, due_ms, company, county, place_county, lon, lat,
                          measures, rule_version, registry_version)
    VALUES (%(id)s, %(vehicle_id)s, %(kind)s, %(begins_ms)s, %(warned_ms)s, %(due_ms)s, %(company)s, %(county)s,
            %(place_county)s, %(lon)s, %(lat)s, %(measures)s, %(rule_version)s, %(registry_version)s)
    ON CONFLICT DO NOTHING
    RETURNING id
)
INSERT INTO outbox (id, event, warning_id)
SELECT %(event_id)s, 'warned', id FROM kept
