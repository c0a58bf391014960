-- The newest edition of each party's report of a day.
SELECT DISTINCT ON (county, company) county, company, edition, facts, closed_at
FROM reports
WHERE day = %(day)s
ORDER BY county, company, edition DESC
