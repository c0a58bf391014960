-- All moves of a case with what was attached to them, oldest first.
SELECT m.number, m.move, m.from_state, m.to_state, m.actor, m.role, m.tenant, m.words, m.due_at, m.made_at,
       coalesce((SELECT jsonb_agg(jsonb_build_object('name', a.name, 'sha256', encode(a.sha256, 'hex'),
                                                     'media_type', s.media_type, 'size', octet_length(s.content))
                                  ORDER BY a.place)
                 FROM case_attachments AS a
                 JOIN attachments AS s USING (sha256)
                 WHERE (a.violation_id, a.number) = (m.violation_id, m.number)), '[]') AS attachments
FROM violations AS v
JOIN case_moves AS m ON m.violation_id = v.id
WHERE v.id = %(id)s
  AND (%(county)s::text IS NULL OR v.county = %(county)s)
  AND (%(company)s::text IS NULL OR v.company = %(company)s)
ORDER BY m.number
