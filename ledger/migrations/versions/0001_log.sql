-- The embedded log: frames at contiguous offsets, and who reads which partition.

CREATE TABLE log_partitions (
    partition    smallint PRIMARY KEY,
    next_offset  bigint NOT NULL DEFAULT 0 CHECK (next_offset >= 0),
    first_offset bigint NOT NULL DEFAULT 0 CHECK (first_offset BETWEEN 0 AND next_offset),
    held_bytes   bigint NOT NULL DEFAULT 0 CHECK (held_bytes >= 0)
);
COMMENT ON TABLE log_partitions IS
    'Head of each partition. Its row lock, held until commit, is what makes offsets contiguous and visible in order.';
COMMENT ON COLUMN log_partitions.first_offset IS 'Frames before it have been trimmed.';

CREATE TABLE log_frames (
    partition    smallint NOT NULL REFERENCES log_partitions,
    frame_offset bigint NOT NULL,
    form         text NOT NULL,
    received_ms  bigint NOT NULL,
    content      bytea NOT NULL,
    PRIMARY KEY (partition, frame_offset)
);
ALTER TABLE log_frames ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE log_frames SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000);

CREATE TABLE log_members (
    member  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE log_members IS
    'Readers. One is dead when its beat is too old, or when nobody holds its advisory lock any more.';

CREATE TABLE log_leases (
    partition smallint PRIMARY KEY REFERENCES log_partitions,
    member    bigint REFERENCES log_members ON DELETE SET NULL
);
