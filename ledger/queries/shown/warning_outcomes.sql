-- Warnings by kind: how many there were, after how many the violation happened, did not, or still may.
SELECT w.kind, count(*) AS warnings, count(b.became) AS happened,
       count(*) FILTER (WHERE b.became IS NULL AND w.due_ms < %(now_ms)s) AS averted,
       count(*) FILTER (WHERE b.became IS NULL AND w.due_ms >= %(now_ms)s) AS pending
FROM warnings AS w
CROSS JOIN LATERAL (
    SELECT warning_became(w.vehicle_id, w.kind, w.begins_ms, w.warned_ms, w.due_ms) AS became
) AS b
WHERE (%(county)s::text IS NULL OR w.county = %(county)s)
  AND (%(company)s::text IS NULL OR w.company = %(company)s)
  AND (%(of_county)s::text IS NULL OR w.county = %(of_county)s)
  AND (%(of_company)s::text IS NULL OR w.company = %(of_company)s)
  AND (%(kinds)s::text[] IS NULL OR w.kind = ANY (%(kinds)s))
  AND (%(from_ms)s::bigint IS NULL OR w.warned_ms >= %(from_ms)s)
  AND (%(to_ms)s::bigint IS NULL OR w.warned_ms < %(to_ms)s)
GROUP BY w.kind
ORDER BY w.kind
