-- Keep a violation as a fact left it, for good.
INSERT INTO violation_revisions (violation_id, revision, fact, pass, reason, begins_ms, raised_ms, ends_ms, severity, lead,
                                 measures, rule_version, registry_version)
VALUES (%(id)s, %(revision)s, %(fact)s, %(pass)s, %(reason)s, %(begins_ms)s, %(raised_ms)s, %(ends_ms)s, %(severity)s, %(lead)s,
        %(measures)s, %(rule_version)s, %(registry_version)s)
