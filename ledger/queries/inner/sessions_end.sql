-- End this program's sessions that have waited too long for the rest of a COPY: no timeout does.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = 'warnloop'
  AND state = 'active' AND wait_event = 'ClientRead' AND query ILIKE 'COPY%%'
  AND query_start < clock_timestamp() - make_interval(secs => %(after_s)s)
