"""Polygon: "planar in lon/lat, holes are outside, the boundary is inside"."""

from fractions import Fraction

Ring = list[tuple[float, float]]
Rings = list[Ring]  # the outer ring, then the holes


def turn(x1: float, y1: float, x2: float, y2: float, x: float, y: float) -> int:
    """Sign of the cross product; in fractions only where the doubles leave it open."""
    one = (x2 - x1) * (y - y1)
    two = (x - x1) * (y2 - y1)
    cross = one - two
    if abs(cross) <= 4e-15 * (abs(one) + abs(two)) + 1e-300:
        ax, ay = Fraction(x1), Fraction(y1)
        exact = (Fraction(x2) - ax) * (Fraction(y) - ay) - (Fraction(x) - ax) * (Fraction(y2) - ay)
        return (exact > 0) - (exact < 0)
    return 1 if cross > 0 else -1


def side(ring: Ring, x: float, y: float) -> int:
    """1 inside, 0 on the ring, -1 outside: ray casting towards greater x."""
    inside = False
    x1, y1 = ring[-1]
    for x2, y2 in ring:
        if not ((y1 < y and y2 < y) or (y1 > y and y2 > y) or (x1 < x and x2 < x)):
            way = turn(x1, y1, x2, y2, x, y)
            if way == 0 and min(x1, x2) <= x <= max(x1, x2):
                return 0
            if (y1 > y) != (y2 > y) and (way > 0) == (y2 > y1):
                inside = not inside
        x1, y1 = x2, y2
    return 1 if inside else -1


def holds(rings: Rings, x: float, y: float) -> bool:
    """Inside the outer ring or on it, and strictly inside no hole."""
    return side(rings[0], x, y) >= 0 and all(side(hole, x, y) <= 0 for hole in rings[1:])
