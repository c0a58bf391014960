-- Which collections a registry has is the program's to say: ingest.registry.TABLES and MAPS.

ALTER TABLE registry_rows DROP CONSTRAINT registry_rows_collection_check;
ALTER TABLE registry_rows ADD CONSTRAINT registry_rows_collection_check CHECK (collection <> '');

ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_check
    CHECK (scopes <@ '{ingest,read,casework,manage,registry}' AND cardinality(scopes) > 0);
