-- Reports that were issued, in the order of the feed.
SELECT o.feed_number AS number, o.recorded_at AS at, r.id, r.number AS report_number, r.day, r.county, r.company, r.edition,
       r.reason, r.closed_at, r.issued_at, r.facts -> 'party' AS party, r.facts -> 'totals' AS totals
FROM reports AS r
JOIN outbox AS o ON o.report_id = r.id
WHERE (%(county)s::text IS NULL OR r.county = %(county)s)
  AND (%(company)s::text IS NULL OR r.company = %(company)s)
  AND r.issued_at IS NOT NULL
  AND o.feed_number > %(after)s AND o.feed_number <= %(upto)s
ORDER BY o.feed_number
