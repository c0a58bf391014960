-- Names of counties and companies in one version of the registry; of equal codes the later row counts.
SELECT collection, content ->> CASE collection WHEN 'counties' THEN 'county' ELSE 'company' END AS code,
       content ->> 'name' AS name
FROM registry_rows
WHERE collection IN ('companies', 'counties')
  AND since_version <= %(version)s AND (until_version IS NULL OR until_version > %(version)s)
  AND content ->> 'name' <> ''
ORDER BY collection, place
