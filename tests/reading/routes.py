"""Routes and rings: how far a point lies from lines (docstring of `detectors.lines`), and the routes of a registry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import cos, floor, hypot, inf, pi, radians
from pathlib import Path
from typing import Any

from . import values
from .metric import EARTH_M

K = EARTH_M * pi / 180
Points = list[tuple[float, float]]


def metres(lon: float, lat: float, line: Points) -> float:
    """ "|A + t·d|", the least of the segments."""
    across = K * cos(radians(lat))
    plane = [((x - lon) * across, (y - lat) * K) for x, y in line]
    least = inf
    for (ax, ay), (bx, by) in pairwise(plane):
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        t = min(1.0, max(0.0, -(ax * dx + ay * dy) / square)) if square > 0 else 0.0
        least = min(least, hypot(ax + t * dx, ay + t * dy))
    return least


def from_lines(lon: float, lat: float, lines: list[Points]) -> int:
    """ "Rounded half up to whole decimetres"."""
    return floor(10 * min(metres(lon, lat, line) for line in lines) + 0.5)


@dataclass(slots=True)
class Route:
    """One line of `routes.geojson`; "a route's classes do not count"."""

    id: str
    lines: list[Points]
    valid_from: float = -inf
    valid_to: float = inf

    def holds(self, t: int) -> bool:
        """ "That holds at the time"."""
        return self.valid_from <= t < self.valid_to


def read_routes(folder: Path) -> list[Route]:
    """None where there is no such file."""
    path = folder / "routes.geojson"
    if not path.exists():
        return []
    return [route_of(feature) for feature in json.loads(path.read_text(encoding="utf-8-sig"))["features"]]


def route_of(feature: Mapping[str, Any]) -> Route:
    """LineString or MultiLineString."""
    properties, shape = feature["properties"], feature["geometry"]
    lines = [shape["coordinates"]] if shape["type"] == "LineString" else shape["coordinates"]
    begin, end = values.validity(str(properties.get("valid_from") or ""), str(properties.get("valid_to") or ""))
    return Route(
        str(properties.get("id") or ""), [[(float(p[0]), float(p[1])) for p in line] for line in lines], begin, end
    )
