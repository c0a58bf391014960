-- Frames that follow given offsets, so many bytes a partition (always at least one frame).
SELECT frame.partition, frame.frame_offset, frame.form, frame.received_ms, frame.content
FROM unnest(%(partitions)s::smallint[], %(offsets)s::bigint[]) AS wanted (partition, next_offset)
CROSS JOIN LATERAL (
    SELECT *
    FROM (
        SELECT *, sum(octet_length(content)) OVER (ORDER BY frame_offset) - octet_length(content) AS bytes_before
        FROM (
            SELECT * FROM log_frames
            WHERE log_frames.partition = wanted.partition AND frame_offset >= wanted.next_offset
            ORDER BY frame_offset
            LIMIT %(most_frames)s
        ) AS following
    ) AS measured
    WHERE bytes_before < %(most_bytes)s
) AS frame
ORDER BY frame.partition, frame.frame_offset
