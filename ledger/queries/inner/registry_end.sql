-- End the rows of the changed collections that the incoming version no longer has.
UPDATE registry_rows AS held SET until_version = %(version)s
WHERE until_version IS NULL AND collection = ANY (%(changed)s)
  AND NOT EXISTS (SELECT FROM incoming WHERE (incoming.collection, incoming.place, incoming.content)
                                           = (held.collection, held.place, held.content))
