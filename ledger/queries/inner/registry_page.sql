-- Rows of a table or a map of one version, in the order of their file, from behind a place.
SELECT place, content, valid_from_ms, valid_to_ms, since_version
FROM registry_rows
WHERE collection = %(collection)s AND place > %(after)s
  AND since_version <= %(version)s AND (until_version IS NULL OR until_version > %(version)s)
ORDER BY place
LIMIT %(most)s
