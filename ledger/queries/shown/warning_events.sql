-- Warnings that were given, in the order of the feed.
SELECT o.feed_number AS number, o.recorded_at AS at, w.id
FROM warnings AS w
JOIN outbox AS o ON o.warning_id = w.id
WHERE (%(county)s::text IS NULL OR w.county = %(county)s)
  AND (%(company)s::text IS NULL OR w.company = %(company)s)
  AND o.feed_number > %(after)s AND o.feed_number <= %(upto)s
ORDER BY o.feed_number
