-- Remember whose a file is.
INSERT INTO uploads (sha256, role, tenant, actor) VALUES (%(sha256)s, %(role)s, %(tenant)s, %(actor)s)
ON CONFLICT (sha256, role, tenant) DO UPDATE SET actor = excluded.actor, uploaded_at = excluded.uploaded_at
