-- Numbers of vehicles, in the order asked for.
SELECT vehicles.id
FROM unnest(%(plates)s::text[], %(colors)s::smallint[]) WITH ORDINALITY AS heard (plate, color, at)
JOIN vehicles ON (vehicles.plate, vehicles.plate_color) = (heard.plate, heard.color)
ORDER BY at
