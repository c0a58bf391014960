-- Records received within a span that are no fix, by reason.
SELECT reason, count(*)
FROM quarantine
WHERE received_ms >= %(from_ms)s AND received_ms < %(to_ms)s
GROUP BY reason
ORDER BY count(*) DESC, reason COLLATE "C"
