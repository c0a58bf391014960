-- Forget readers whose session is gone, or who have not been heard of for too long; their partitions are free.
DELETE FROM log_members
WHERE member <> %(member)s
  AND (beat_at < clock_timestamp() - make_interval(secs => %(patience_s)s)
       OR NOT EXISTS (
           SELECT FROM pg_locks
           WHERE locktype = 'advisory' AND granted AND objsubid = 2
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND classid = %(lock)s::bigint::oid AND objid = (log_members.member %% 2147483648)::oid
       ))
