-- The rows of one version, in the order of their files.
SELECT collection, place, content
FROM registry_rows
WHERE since_version <= %(version)s AND (until_version IS NULL OR until_version > %(version)s)
ORDER BY collection, place
