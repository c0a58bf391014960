-- The time now, after whatever was waited for, and since when the violation has been as grave as it is.
SELECT clock_timestamp(), max(made_at)
FROM case_moves
WHERE violation_id = %(id)s AND move = ANY (%(grading)s)
