-- Vehicles heard of since a number, in the order of their numbers.
SELECT id, plate, plate_color
FROM vehicles
WHERE id > %(after)s
ORDER BY id
