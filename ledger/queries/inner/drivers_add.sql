-- Keep the texts of drivers' codes.
INSERT INTO drivers (code, name)
SELECT code, name FROM unnest(%(codes)s::bigint[], %(names)s::text[]) AS met (code, name)
ORDER BY code
ON CONFLICT DO NOTHING
