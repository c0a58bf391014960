-- Which of these files a party may hang on a case, and what they are: its own, and what hangs there; kept until commit.
SELECT s.sha256, s.media_type
FROM attachments AS s
WHERE s.sha256 = ANY (%(hashes)s::bytea[])
  AND (EXISTS (SELECT FROM uploads AS u
               WHERE (u.sha256, u.role, u.tenant) = (s.sha256, %(role)s, %(tenant)s))
       OR EXISTS (SELECT FROM case_attachments AS a WHERE (a.sha256, a.violation_id) = (s.sha256, %(id)s)))
FOR KEY SHARE OF s
