-- The loop: accounts and keys, what is told to whom, cases, reports.

ALTER TABLE registry_rows DROP CONSTRAINT registry_rows_collection_check;
ALTER TABLE registry_rows ADD CONSTRAINT registry_rows_collection_check
    CHECK (collection IN ('vehicles', 'fences', 'parameters', 'companies', 'counties'));

-- Who may do what.

CREATE TABLE accounts (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    login         text NOT NULL UNIQUE CHECK (login <> ''),
    password_hash text NOT NULL,
    role          text NOT NULL CHECK (role IN ('centre', 'operator', 'county', 'company')),
    tenant        text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz,
    CHECK ((role IN ('centre', 'operator')) = (tenant = ''))
);
COMMENT ON COLUMN accounts.tenant IS 'Code of the county or of the company, as the registry has it; empty for the centre.';
COMMENT ON COLUMN accounts.password_hash IS 'Argon2id, with its salt and parameters.';

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE sessions IS 'Who is logged in; of the token only its SHA-256 is kept.';
CREATE INDEX ON sessions (expires_at);

CREATE TABLE login_failures (
    login     text NOT NULL,
    address   text NOT NULL,
    count     integer NOT NULL,
    last_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (login, address)
);
COMMENT ON TABLE login_failures IS
    'Failed logins in a row from an address, to slow down guessing; cleared by a login from there that succeeds.';
COMMENT ON COLUMN login_failures.login IS 'SHA-256 of what was typed: it may be a password in the wrong field.';
CREATE INDEX ON login_failures (last_at);

CREATE TABLE api_keys (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key_hash   bytea NOT NULL UNIQUE,
    name       text NOT NULL CHECK (name <> ''),
    role       text NOT NULL CHECK (role IN ('centre', 'operator', 'county', 'company')),
    tenant     text NOT NULL DEFAULT '',
    scopes     text[] NOT NULL CHECK (scopes <@ '{ingest,read,casework,manage}' AND cardinality(scopes) > 0),
    created_by text NOT NULL,
    account_id uuid REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CHECK ((role IN ('centre', 'operator')) = (tenant = ''))
);
COMMENT ON TABLE api_keys IS 'Keys of programs; of a key only its SHA-256 is kept.';
COMMENT ON COLUMN api_keys.account_id IS
    'Whose key it is, through however many keys: while the account is disabled it is good for nothing. Empty: a command''s.';
CREATE INDEX ON api_keys (role, tenant);

-- Reports.

CREATE TABLE reports (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number     text NOT NULL UNIQUE,
    day        date NOT NULL,
    county     text NOT NULL,
    company    text NOT NULL,
    edition    integer NOT NULL CHECK (edition >= 1),
    reason     text NOT NULL DEFAULT '',
    facts      jsonb NOT NULL,
    closed_at  timestamptz NOT NULL,
    issued_at  timestamptz,
    UNIQUE (day, county, company, edition)
);
COMMENT ON TABLE reports IS
    'Daily reports: of the prefecture (neither), of a county (no company), of a company as far as it runs in a county '
    '(its vehicles without a county: no county). Edition 1 is the report, further ones are numbered corrections.';
COMMENT ON COLUMN reports.facts IS 'Every number and every violation that the files show; all formats are made from it.';
CREATE INDEX ON reports (company, day DESC);
CREATE INDEX ON reports (county, day DESC);
CREATE INDEX fixes_logged ON fixes USING brin (logged_ms);
CREATE INDEX ON quarantine (received_ms);

CREATE TABLE report_files (
    report_id  uuid NOT NULL REFERENCES reports,
    format     text NOT NULL CHECK (format IN ('html', 'pdf', 'xlsx', 'csv')),
    sha256     bytea NOT NULL,
    content    bytea NOT NULL,
    PRIMARY KEY (report_id, format)
);
ALTER TABLE report_files ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE report_receipts (
    report_id  uuid NOT NULL REFERENCES reports,
    reader     text NOT NULL,
    role       text NOT NULL,
    tenant     text NOT NULL,
    read_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (report_id, reader)
);
COMMENT ON TABLE report_receipts IS 'Who first opened a report on a screen or by the API, and when.';

CREATE FUNCTION refuse_change_of_issued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.issued_at IS NULL AND NEW.issued_at IS NOT NULL
       AND to_jsonb(NEW) - 'issued_at' = to_jsonb(OLD) - 'issued_at' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a report is issued once and never changed: issue a correction' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON reports
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_issued();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON report_files
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON report_receipts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Cases.

CREATE TABLE cases (
    violation_id uuid PRIMARY KEY REFERENCES violations,
    state        text NOT NULL CHECK (state IN ('pushed', 'acknowledged', 'submitted', 'returned', 'accepted', 'closed',
                                                'appealed', 'false_alarm', 'superseded', 'withdrawn')),
    moves        integer NOT NULL CHECK (moves >= 1),
    due_at       timestamptz,
    opened_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE cases IS 'Where the casework of a violation stands; how it came there is in case_moves.';
COMMENT ON COLUMN cases.due_at IS 'When the next move is due; empty where nobody owes one. Overdue is worked out when read.';
CREATE INDEX ON cases (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ON cases (state);

CREATE TABLE case_moves (
    violation_id uuid NOT NULL REFERENCES cases,
    number       integer NOT NULL CHECK (number >= 1),
    move         text NOT NULL,
    from_state   text NOT NULL,
    to_state     text NOT NULL,
    actor        text NOT NULL,
    role         text NOT NULL,
    tenant       text NOT NULL,
    words        text NOT NULL DEFAULT '',
    due_at       timestamptz,
    made_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (violation_id, number)
);
COMMENT ON TABLE case_moves IS 'Every move of every case, by whom, why and when; rows are added, never changed.';

CREATE TABLE attachments (
    sha256     bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    media_type text NOT NULL,
    content    bytea NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE attachments ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE uploads (
    sha256      bytea NOT NULL REFERENCES attachments ON DELETE CASCADE,
    role        text NOT NULL,
    tenant      text NOT NULL,
    actor       text NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sha256, role, tenant)
);
CREATE INDEX ON uploads (role, tenant);
COMMENT ON TABLE uploads IS 'Whose each file is: by whom of a party it was brought last. Every time is in the audit.';

CREATE TABLE case_attachments (
    violation_id uuid NOT NULL,
    number       integer NOT NULL,
    place        integer NOT NULL,
    sha256       bytea NOT NULL REFERENCES attachments,
    name         text NOT NULL,
    PRIMARY KEY (violation_id, number, place),
    FOREIGN KEY (violation_id, number) REFERENCES case_moves
);
CREATE INDEX ON case_attachments (sha256);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_moves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- What hangs on a case cannot be deleted: case_attachments refers to it. What does not may go.
CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON attachments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_attachments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What is told to whom.

ALTER TABLE outbox
    ALTER COLUMN violation_id DROP NOT NULL,
    ALTER COLUMN revision DROP NOT NULL,
    ADD COLUMN move integer,
    ADD COLUMN report_id uuid REFERENCES reports,
    ADD COLUMN feed_number bigint UNIQUE,
    ADD COLUMN routed_at timestamptz,
    ADD FOREIGN KEY (violation_id, move) REFERENCES case_moves,
    DROP CONSTRAINT outbox_event_check,
    ADD CONSTRAINT outbox_event_check CHECK (CASE event
        WHEN 'issued' THEN report_id IS NOT NULL AND violation_id IS NULL AND revision IS NULL AND move IS NULL
        WHEN 'moved' THEN report_id IS NULL AND violation_id IS NOT NULL AND revision IS NULL AND move IS NOT NULL
        ELSE event IN ('raised', 'risen', 'ended', 'withdrawn')
             AND report_id IS NULL AND violation_id IS NOT NULL AND revision IS NOT NULL AND move IS NULL END);
CREATE INDEX outbox_unrouted ON outbox (number) WHERE routed_at IS NULL;
CREATE FUNCTION tell_router() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY warnloop_outbox;
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION tell_router();
CREATE INDEX ON outbox (violation_id);
COMMENT ON COLUMN outbox.feed_number IS
    'Contiguous, in the order in which events were routed: a reader that has seen n has missed nothing before it.';

CREATE TABLE feed_head (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    number bigint NOT NULL
);
COMMENT ON TABLE feed_head IS 'The last feed number given out. Its row lock, held until commit, orders the feed.';
INSERT INTO feed_head (number) VALUES (0);

CREATE TABLE subscriptions (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role            text NOT NULL CHECK (role IN ('centre', 'county', 'company')),
    tenant          text NOT NULL DEFAULT '',
    name            text NOT NULL CHECK (name <> ''),
    channel         text NOT NULL CHECK (channel IN ('webhook', 'email', 'folder')),
    target          text NOT NULL CHECK (target <> ''),
    secret          text NOT NULL DEFAULT '',
    topics          text[] NOT NULL DEFAULT '{violation,case,report}'
                    CHECK (topics <@ '{violation,case,report}' AND cardinality(topics) > 0),
    kinds           text[] NOT NULL DEFAULT '{}',
    least_severity  smallint NOT NULL DEFAULT 1 CHECK (least_severity BETWEEN 1 AND 4),
    language        text NOT NULL DEFAULT 'zh-CN' CHECK (language IN ('zh-CN', 'en')),
    created_by      text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    failing_since   timestamptz,
    proven          boolean NOT NULL DEFAULT false,
    disabled_at     timestamptz,
    disabled_reason text NOT NULL DEFAULT '',
    ended_at        timestamptz,
    CHECK ((role = 'centre') = (tenant = ''))
);
COMMENT ON TABLE subscriptions IS
    'Who is told, of what, how. Disabled by long failure (may be enabled again); ended by its owner (for good).';
COMMENT ON COLUMN subscriptions.kinds IS 'Only these kinds of violations; empty for all.';
COMMENT ON COLUMN subscriptions.proven IS
    'The last attempts reached it: it is served among those that work. Only a success makes it so.';
COMMENT ON COLUMN subscriptions.secret IS 'What webhooks are signed with: needed in clear, shown once, never logged.';
CREATE INDEX ON subscriptions (role, tenant) WHERE ended_at IS NULL;

CREATE TABLE deliveries (
    id              uuid PRIMARY KEY,
    subscription_id uuid NOT NULL REFERENCES subscriptions,
    outbox_id       uuid NOT NULL REFERENCES outbox,
    type            text NOT NULL,
    payload         text NOT NULL,
    state           text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'dead')),
    attempts        integer NOT NULL DEFAULT 0,
    due_at          timestamptz NOT NULL DEFAULT now(),
    claimed_until   timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    settled_at      timestamptz,
    UNIQUE (subscription_id, outbox_id)
);
COMMENT ON TABLE deliveries IS 'One thing owed to one subscription. The id never changes, so that a receiver can tell repeats.';
COMMENT ON COLUMN deliveries.payload IS 'What is sent, byte for byte the same at every attempt.';
CREATE INDEX deliveries_due ON deliveries (subscription_id, due_at) WHERE state = 'due';
CREATE INDEX deliveries_claimed ON deliveries (subscription_id) WHERE claimed_until IS NOT NULL;
CREATE INDEX deliveries_dead ON deliveries (settled_at) WHERE state = 'dead';
CREATE INDEX deliveries_of ON deliveries (subscription_id, created_at DESC, id);
CREATE INDEX ON deliveries (outbox_id);

CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL REFERENCES deliveries,
    attempt     integer NOT NULL CHECK (attempt >= 1),
    began_at    timestamptz NOT NULL,
    took_ms     integer NOT NULL CHECK (took_ms >= 0),
    outcome     text NOT NULL CHECK (outcome IN ('sent', 'later', 'refused')),
    status      integer,
    detail      text NOT NULL DEFAULT '',
    PRIMARY KEY (delivery_id, attempt)
);
COMMENT ON TABLE delivery_attempts IS 'Every attempt at every delivery: the receipt, or why there is none.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON delivery_attempts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
