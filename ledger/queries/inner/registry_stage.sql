-- Where an import puts its rows before they are compared.
CREATE TEMPORARY TABLE incoming (
    collection text NOT NULL, place integer NOT NULL, content jsonb NOT NULL,
    valid_from_ms bigint NOT NULL, valid_to_ms bigint NOT NULL
) ON COMMIT DROP
