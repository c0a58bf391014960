-- Begin the rows that are new.
INSERT INTO registry_rows (collection, place, content, valid_from_ms, valid_to_ms, since_version)
SELECT collection, place, content, valid_from_ms, valid_to_ms, %(version)s
FROM incoming
WHERE NOT EXISTS (SELECT FROM registry_rows AS held
                  WHERE until_version IS NULL AND (incoming.collection, incoming.place, incoming.content)
                                                = (held.collection, held.place, held.content))
