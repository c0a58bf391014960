-- Where fixes are to be copied: where they are a hypertable, straight into their day's chunk, when it has been made.

CREATE FUNCTION fixes_table(from_ms bigint, to_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    chosen text;
    locked text;
BEGIN
    IF to_regclass('_timescaledb_catalog.chunk') IS NULL THEN
        RETURN 'fixes';
    END IF;
    LOOP
        SELECT min(format('%I.%I', chunk.schema_name, chunk.table_name)) INTO chosen
        FROM pg_class
        JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
        JOIN _timescaledb_catalog.hypertable
            ON (hypertable.schema_name, hypertable.table_name) = (pg_namespace.nspname, pg_class.relname)
        JOIN _timescaledb_catalog.dimension ON dimension.hypertable_id = hypertable.id
        JOIN _timescaledb_catalog.dimension_slice ON dimension_slice.dimension_id = dimension.id
        JOIN _timescaledb_catalog.chunk_constraint ON chunk_constraint.dimension_slice_id = dimension_slice.id
        JOIN _timescaledb_catalog.chunk ON chunk.id = chunk_constraint.chunk_id
        WHERE pg_class.oid = 'fixes'::regclass AND hypertable.num_dimensions = 1
          AND dimension_slice.range_start <= from_ms AND dimension_slice.range_end > to_ms
          AND chunk.status = 0 AND NOT chunk.osm_chunk
        HAVING count(*) = 1;
        IF chosen IS NULL THEN
            RETURN 'fixes';
        END IF;
        IF chosen = locked THEN
            RETURN chosen;
        END IF;
        -- in the order in which an insert takes them; what was dropped or compressed meanwhile is seen when asked again
        LOCK TABLE ONLY fixes IN ROW EXCLUSIVE MODE;
        EXECUTE format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', chosen);
        locked := chosen;
    END LOOP;
EXCEPTION
    WHEN undefined_table OR undefined_column THEN -- the chunk has just been dropped, or another TimescaleDB's catalog
        RETURN 'fixes';
END $$;
COMMENT ON FUNCTION fixes_table IS
    'Table, quoted, into which fixes that were received between two times, both included, are to be copied: the one chunk '
    'that holds both, locked against being dropped until the transaction ends, or fixes: a plain table, no chunk yet, '
    'several, or one that is compressed, where rows copied straight into it would not be seen.';
