-- Who is who: permanent numbers of vehicles, and registry rows, dated, in versions.

CREATE TABLE vehicles (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plate       text NOT NULL CHECK (plate <> ''),
    plate_color smallint NOT NULL,
    UNIQUE (plate, plate_color)
);
COMMENT ON TABLE vehicles IS 'Every vehicle ever heard of, registered or not.';

CREATE TABLE drivers (
    code bigint PRIMARY KEY,
    name text NOT NULL
);
COMMENT ON TABLE drivers IS 'Text of each driver code (63 bits of its hash).';

CREATE TABLE audit (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    actor       text NOT NULL,
    action      text NOT NULL,
    subject     text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE audit IS 'What was done, by whom. Rows are added, never changed.';

CREATE TABLE registry_versions (
    version      integer PRIMARY KEY,
    imported_at  timestamptz NOT NULL DEFAULT now(),
    imported_by  text NOT NULL,
    announced_at timestamptz
);
COMMENT ON COLUMN registry_versions.announced_at IS 'When every partition of the log had been told.';

CREATE TABLE registry_rows (
    collection    text NOT NULL CHECK (collection IN ('vehicles', 'fences', 'parameters')),
    place         integer NOT NULL,
    content       jsonb NOT NULL,
    valid_from_ms bigint NOT NULL,
    valid_to_ms   bigint NOT NULL,
    since_version integer NOT NULL REFERENCES registry_versions,
    until_version integer REFERENCES registry_versions,
    PRIMARY KEY (collection, place, since_version),
    CHECK (valid_from_ms < valid_to_ms),
    CHECK (since_version < until_version)
);
COMMENT ON COLUMN registry_rows.place IS 'Ordinal in its file, from 1; of equal rows the later counts.';
COMMENT ON TABLE registry_rows IS
    'Rows of the registry as they were imported: dated by what they say, and by the versions that say it.';
CREATE INDEX ON registry_rows (since_version, until_version);
CREATE INDEX ON registry_rows ((content ->> 'company')) WHERE collection = 'vehicles';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are added, never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
