-- How many current rows of the changed collections are gone, and how many incoming ones are new.
SELECT
    (SELECT count(*) FROM registry_rows AS held
     WHERE until_version IS NULL AND collection = ANY (%(changed)s)
       AND NOT EXISTS (SELECT FROM incoming WHERE (incoming.collection, incoming.place, incoming.content)
                                                = (held.collection, held.place, held.content))) AS gone,
    (SELECT count(*) FROM incoming
     WHERE NOT EXISTS (SELECT FROM registry_rows AS held
                       WHERE until_version IS NULL AND (incoming.collection, incoming.place, incoming.content)
                                                     = (held.collection, held.place, held.content))) AS new
