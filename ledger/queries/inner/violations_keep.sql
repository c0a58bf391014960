-- Keep a violation as it stands.
INSERT INTO violations (id, vehicle_id, kind, begins_ms, raised_ms, ends_ms, severity, lead, status, company, county,
                        place_county, lon, lat, measures, rule_version, registry_version, revision)
VALUES (%(id)s, %(vehicle_id)s, %(kind)s, %(begins_ms)s, %(raised_ms)s, %(ends_ms)s, %(severity)s, %(lead)s, %(status)s,
        %(company)s, %(county)s, %(place_county)s, %(lon)s, %(lat)s, %(measures)s, %(rule_version)s,
        %(registry_version)s, %(revision)s)
ON CONFLICT (id) DO UPDATE
SET begins_ms = excluded.begins_ms, ends_ms = excluded.ends_ms, severity = excluded.severity,
    status = excluded.status, measures = excluded.measures, revision = excluded.revision
