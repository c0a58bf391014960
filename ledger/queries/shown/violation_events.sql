-- What happened to violations and their cases, in the order of the feed.
SELECT o.feed_number AS number, o.event, o.recorded_at AS at, v.id, m.move, m.from_state, m.to_state, m.role
FROM violations AS v
JOIN outbox AS o ON o.violation_id = v.id
LEFT JOIN case_moves AS m ON m.violation_id = o.violation_id AND m.number = o.move
WHERE (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
  AND o.feed_number > %(after)s AND o.feed_number <= %(upto)s
ORDER BY o.feed_number
