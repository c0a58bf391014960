-- What waits, what was given up, what is overdue: for gauges.
SELECT (SELECT count(*) FROM outbox WHERE routed_at IS NULL) AS unrouted,
       (SELECT count(*) FROM deliveries WHERE state = 'due' AND due_at <= now()) AS due,
       (SELECT count(*) FROM deliveries WHERE state = 'dead') AS dead,
       (SELECT count(*) FROM cases WHERE due_at < now()
          AND state NOT IN ('closed', 'false_alarm', 'superseded', 'withdrawn')) AS overdue
