-- Hang stored files on a move, in order.
INSERT INTO case_attachments (violation_id, number, place, sha256, name)
SELECT %(id)s, %(number)s, place, sha256, name
FROM unnest(%(hashes)s::bytea[], %(names)s::text[]) WITH ORDINALITY AS hung (sha256, name, place)
