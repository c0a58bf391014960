-- Issue what is closed and rendered of a day.
UPDATE reports
SET issued_at = now()
WHERE day = %(day)s AND issued_at IS NULL
  AND (SELECT count(*) FROM report_files WHERE report_id = reports.id) = %(formats)s
RETURNING id, number
