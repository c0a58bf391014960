-- Versions of the registry, newest first, from below a version.
SELECT version, imported_at, imported_by, announced_at
FROM registry_versions
WHERE %(below)s::integer IS NULL OR version < %(below)s
ORDER BY version DESC
LIMIT %(most)s
