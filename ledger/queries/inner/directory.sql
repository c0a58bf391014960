-- Companies and counties of one version of the registry; of equal codes the later row counts.
SELECT collection, content
FROM registry_rows
WHERE collection IN ('companies', 'counties')
  AND since_version <= %(version)s AND (until_version IS NULL OR until_version > %(version)s)
ORDER BY collection, place
