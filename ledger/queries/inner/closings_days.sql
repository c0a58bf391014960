-- Numbers of the days of which fixes were back-filled (3) or late (5), in order; by the index fixes_late.
SELECT DISTINCT (time_ms + %s) / %s
FROM fixes
WHERE verdict IN (3, 5) AND time_ms > 0
ORDER BY 1
