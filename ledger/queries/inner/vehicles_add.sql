-- Number the vehicles that have none yet, in an order on which all writers agree.
INSERT INTO vehicles (plate, plate_color)
SELECT DISTINCT plate, color
FROM unnest(%(plates)s::text[], %(colors)s::smallint[]) AS heard (plate, color)
WHERE NOT EXISTS (SELECT FROM vehicles WHERE (vehicles.plate, vehicles.plate_color) = (heard.plate, heard.color))
ORDER BY plate, color
ON CONFLICT DO NOTHING
