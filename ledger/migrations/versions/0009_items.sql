-- What terminals tell of beside the position: fixes stored before told of nothing.

ALTER TABLE fixes ADD COLUMN items bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN fixes.items IS
    'Alarms of video, driver assistance, driver, tyres and driving, and people on board, packed; 0: none told of.';
