-- Say that a reader lives; no row if it has been taken for dead.
UPDATE log_members SET beat_at = clock_timestamp() WHERE member = %(member)s RETURNING member
