-- Where TimescaleDB is at hand, fixes become a hypertable of days.

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
       AND current_setting('shared_preload_libraries') LIKE '%timescaledb%' THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
        PERFORM create_hypertable('fixes', by_range('logged_ms', 86400000::bigint), create_default_indexes => false,
                                  migrate_data => true);
    END IF;
END $$;
