-- Days of vehicles that were closed again, by what came late.

CREATE TABLE closings (
    day              date NOT NULL,
    vehicle_id       integer NOT NULL REFERENCES vehicles,
    digest           bytea NOT NULL,
    registry_version integer NOT NULL,
    closed_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (day, vehicle_id)
);
COMMENT ON TABLE closings IS 'Second passes over a Beijing day of a vehicle, of which something came late.';
COMMENT ON COLUMN closings.digest IS 'SHA-256 of the fixes and the rules by which it was judged last: equal ones change nothing.';

CREATE INDEX fixes_late ON fixes (time_ms) WHERE verdict IN (3, 5);
