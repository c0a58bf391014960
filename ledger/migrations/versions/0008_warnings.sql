-- Warnings before a violation: light, told, measured; no case, and counted nowhere as violations.

CREATE TABLE warnings (
    id               uuid PRIMARY KEY,
    vehicle_id       integer NOT NULL REFERENCES vehicles,
    kind             text NOT NULL,
    begins_ms        bigint NOT NULL,
    warned_ms        bigint NOT NULL,
    due_ms           bigint NOT NULL CHECK (due_ms >= warned_ms),
    company          text NOT NULL,
    county           text NOT NULL,
    place_county     text NOT NULL,
    lon              double precision NOT NULL,
    lat              double precision NOT NULL,
    measures         jsonb NOT NULL,
    rule_version     integer NOT NULL,
    registry_version integer NOT NULL,
    UNIQUE (vehicle_id, kind, begins_ms)
);
CREATE INDEX warnings_company ON warnings (company, warned_ms DESC, id);
CREATE INDEX warnings_county ON warnings (county, warned_ms DESC, id);
CREATE INDEX warnings_warned ON warnings (warned_ms DESC, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON warnings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE warnings IS 'What could be seen coming. One for each violation that there might be.';
COMMENT ON COLUMN warnings.begins_ms IS
    'Of the episode that it may become, where a counter has begun already; otherwise the time of the warning.';
COMMENT ON COLUMN warnings.due_ms IS 'A violation raised until then is what was warned of.';

CREATE FUNCTION warning_became(of_vehicle integer, of_kind text, began_ms bigint, told_ms bigint, until_ms bigint)
    RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT v.id
    FROM violations AS v
    WHERE v.vehicle_id = of_vehicle AND v.kind = of_kind AND v.status <> 'withdrawn'
      AND ((v.raised_ms >= told_ms AND v.raised_ms <= until_ms)
           OR v.id = (SELECT e.violation_id FROM violation_episodes AS e
                      WHERE e.vehicle_id = of_vehicle AND e.kind = of_kind AND e.pass = 'online'
                        AND e.begins_ms = began_ms))
    ORDER BY v.raised_ms, v.id
    LIMIT 1
$$;
COMMENT ON FUNCTION warning_became IS 'The violation that was warned of, where it happened nonetheless and stands.';

ALTER TABLE outbox
    ADD COLUMN warning_id uuid REFERENCES warnings,
    DROP CONSTRAINT outbox_event_check,
    ADD CONSTRAINT outbox_event_check CHECK (CASE event
        WHEN 'issued' THEN report_id IS NOT NULL AND violation_id IS NULL AND revision IS NULL AND move IS NULL
                           AND warning_id IS NULL
        WHEN 'moved' THEN report_id IS NULL AND violation_id IS NOT NULL AND revision IS NULL AND move IS NOT NULL
                          AND warning_id IS NULL
        WHEN 'warned' THEN report_id IS NULL AND violation_id IS NULL AND revision IS NULL AND move IS NULL
                           AND warning_id IS NOT NULL
        ELSE event IN ('raised', 'risen', 'ended', 'withdrawn')
             AND report_id IS NULL AND violation_id IS NOT NULL AND revision IS NOT NULL AND move IS NULL
             AND warning_id IS NULL END);
CREATE UNIQUE INDEX outbox_warning ON outbox (warning_id) WHERE warning_id IS NOT NULL;

ALTER TABLE subscriptions
    DROP CONSTRAINT subscriptions_topics_check,
    ADD CONSTRAINT subscriptions_topics_check
        CHECK (topics <@ '{violation,case,report,warning}' AND cardinality(topics) > 0);
