-- What is remembered: positions in the log, state, fixes, what was refused, violations, what is to be told.

CREATE TABLE positions (
    partition        smallint PRIMARY KEY,
    next_offset      bigint NOT NULL DEFAULT 0,
    registry_version integer NOT NULL DEFAULT 0,
    tick_ms          bigint NOT NULL DEFAULT -9223372036854775808
);
COMMENT ON TABLE positions IS
    'The fence: up to where each partition of the log has had its effect. Moved in the transaction of the effect.';
COMMENT ON COLUMN positions.registry_version IS 'Version that counts for the frame at next_offset; 0: nobody is registered.';

CREATE TABLE checkpoints (
    partition        smallint NOT NULL,
    next_offset      bigint NOT NULL,
    registry_version integer NOT NULL,
    written_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (partition, next_offset)
);
CREATE TABLE state_slabs (
    partition   smallint NOT NULL,
    next_offset bigint NOT NULL,
    slab        integer NOT NULL,
    vehicles    integer[] NOT NULL,
    content     bytea NOT NULL,
    PRIMARY KEY (partition, next_offset, slab),
    FOREIGN KEY (partition, next_offset) REFERENCES checkpoints ON DELETE CASCADE
);
ALTER TABLE state_slabs ALTER COLUMN content SET STORAGE EXTERNAL;
COMMENT ON TABLE state_slabs IS 'State of the vehicles of a partition, packed, as of next_offset.';

CREATE TABLE fixes (
    log_offset          bigint NOT NULL,
    logged_ms           bigint NOT NULL,
    time_ms             bigint NOT NULL,
    received_ms         bigint NOT NULL,
    lon                 double precision NOT NULL,
    lat                 double precision NOT NULL,
    speed_kmh           double precision NOT NULL,
    heading_deg         double precision NOT NULL,
    altitude_m          double precision NOT NULL,
    recorder_speed_kmh  double precision NOT NULL,
    mileage_km          double precision NOT NULL,
    alarm               bigint NOT NULL,
    status              bigint NOT NULL,
    driver              bigint NOT NULL,
    vehicle_id          integer NOT NULL,
    log_row             integer NOT NULL,
    log_partition       smallint NOT NULL,
    verdict             smallint NOT NULL,
    backfill            boolean NOT NULL,
    PRIMARY KEY (log_partition, log_offset, log_row, logged_ms)
);
COMMENT ON TABLE fixes IS
    'Every position record as the gate saw it, at its place in the log. NaN: not given; infinite: given, unreadable; '
    'time -9223372036854775808: not given or unreadable; alarm, status -1 and driver 0: not given.';
COMMENT ON COLUMN fixes.logged_ms IS 'When the frame was received; chunks are cut by it, because device clocks lie.';
COMMENT ON COLUMN fixes.verdict IS '0 accepted, 1 unqualified, 2 no_fix, 3 backfill, 4 duplicate, 5 late, 6 unconfirmed, 7 drift.';
CREATE INDEX fixes_track ON fixes (vehicle_id, time_ms);

CREATE TABLE quarantine (
    log_partition smallint NOT NULL,
    log_offset    bigint NOT NULL,
    log_row       integer NOT NULL,
    received_ms   bigint NOT NULL,
    reason        text NOT NULL,
    detail        text NOT NULL,
    content       bytea NOT NULL,
    PRIMARY KEY (log_partition, log_offset, log_row)
);
COMMENT ON TABLE quarantine IS 'Records that are no fix, byte for byte, with the reason.';

CREATE TABLE violations (
    id               uuid PRIMARY KEY,
    vehicle_id       integer NOT NULL REFERENCES vehicles,
    kind             text NOT NULL,
    begins_ms        bigint NOT NULL,
    raised_ms        bigint NOT NULL,
    ends_ms          bigint NOT NULL,
    severity         smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    lead             boolean NOT NULL,
    status           text NOT NULL CHECK (status IN ('open', 'ended', 'withdrawn')),
    company          text NOT NULL,
    county           text NOT NULL,
    place_county     text NOT NULL,
    lon              double precision NOT NULL,
    lat              double precision NOT NULL,
    measures         jsonb NOT NULL,
    rule_version     integer NOT NULL,
    registry_version integer NOT NULL,
    revision         integer NOT NULL CHECK (revision >= 1)
);
CREATE INDEX violations_vehicle ON violations (vehicle_id, kind, begins_ms);
CREATE INDEX violations_company ON violations (company, raised_ms DESC, id);
CREATE INDEX violations_county ON violations (county, raised_ms DESC, id);
CREATE INDEX violations_raised ON violations (raised_ms DESC, id);
COMMENT ON TABLE violations IS
    'As each stands now. Between two revisions ends_ms and measures of an open one move on; revision counts the facts.';

CREATE TABLE violation_episodes (
    vehicle_id   integer NOT NULL,
    kind         text NOT NULL,
    pass         text NOT NULL,
    begins_ms    bigint NOT NULL,
    violation_id uuid NOT NULL REFERENCES violations,
    PRIMARY KEY (vehicle_id, kind, pass, begins_ms)
);
COMMENT ON TABLE violation_episodes IS 'Which episodes, of which pass of the detectors, make up a violation.';

CREATE TABLE violation_revisions (
    violation_id     uuid NOT NULL REFERENCES violations,
    revision         integer NOT NULL,
    fact             text NOT NULL CHECK (fact IN ('raised', 'risen', 'ended', 'merged', 'revised', 'withdrawn')),
    pass             text NOT NULL,
    reason           text NOT NULL DEFAULT '',
    begins_ms        bigint NOT NULL,
    raised_ms        bigint NOT NULL,
    ends_ms          bigint NOT NULL,
    severity         smallint NOT NULL,
    lead             boolean NOT NULL,
    measures         jsonb NOT NULL,
    rule_version     integer NOT NULL,
    registry_version integer NOT NULL,
    recorded_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (violation_id, revision)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON violation_revisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE outbox (
    id           uuid PRIMARY KEY,
    number       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    violation_id uuid NOT NULL,
    revision     integer NOT NULL,
    event        text NOT NULL CHECK (event IN ('raised', 'risen', 'ended', 'withdrawn')),
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (violation_id, revision) REFERENCES violation_revisions
);
COMMENT ON TABLE outbox IS 'What is owed to those concerned; the id is constant for the event, so that receivers can tell repeats.';
