-- All revisions of one violation, oldest first.
SELECT r.revision, r.fact, r.pass, r.reason, r.begins_ms, r.raised_ms, r.ends_ms, r.severity, r.lead, r.measures,
       r.rule_version, r.registry_version, r.recorded_at
FROM violations AS v
JOIN violation_revisions AS r ON r.violation_id = v.id
WHERE v.id = %(id)s
  AND (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
ORDER BY r.revision
