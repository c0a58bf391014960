-- Plates of vehicles, in the order asked for.
SELECT plate, plate_color
FROM unnest(%(numbers)s::int[]) WITH ORDINALITY AS asked (id, at)
JOIN vehicles USING (id)
ORDER BY at
