-- Note who was reached and who was not; who has failed for too long, or is gone for good, is disabled.
UPDATE subscriptions AS s
SET failing_since = CASE WHEN h.reached THEN NULL ELSE coalesce(s.failing_since, now()) END,
    proven = h.reached,
    disabled_at = CASE
        WHEN h.gone OR (NOT h.reached AND s.failing_since < now() - %(patience)s::interval) THEN now() END,
    disabled_reason = CASE
        WHEN h.gone THEN %(gone)s::text
        WHEN NOT h.reached AND s.failing_since < now() - %(patience)s::interval THEN %(failed)s::text
        ELSE '' END
FROM unnest(%(ids)s::uuid[], %(reached)s::boolean[], %(goners)s::boolean[]) AS h (id, reached, gone)
WHERE s.id = h.id AND s.disabled_at IS NULL
  AND (h.gone OR h.reached <> s.proven OR h.reached = (s.failing_since IS NOT NULL)
       OR (NOT h.reached AND s.failing_since < now() - %(patience)s::interval))
RETURNING s.id, s.disabled_at IS NOT NULL, s.disabled_reason
