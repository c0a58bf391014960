"""Road lines: `roads.geojson` (formats.md §2)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from . import values
from .routes import Points


@dataclass(slots=True)
class Road:
    """One feature of `roads.geojson`."""

    number: int
    id: str
    limit_kmh: float
    classes: str
    tags: frozenset[str]
    lines: list[Points]
    valid_from: float = -inf
    valid_to: float = inf

    def applies(self, letter: str, t: int) -> bool:
        """ "For the vehicle's class, hold at the fix's time"."""
        return (not self.classes or letter in self.classes) and self.valid_from <= t < self.valid_to


def read_roads(folder: Path) -> list[Road]:
    """In the order of the file; none where there is no such file."""
    path = folder / "roads.geojson"
    if not path.exists():
        return []
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return [road_of(number, feature) for number, feature in enumerate(features)]


def road_of(number: int, feature: Mapping[str, Any]) -> Road:
    """LineString or MultiLineString."""
    given, shape = feature["properties"], feature["geometry"]
    lines = [shape["coordinates"]] if shape["type"] == "LineString" else shape["coordinates"]
    begin, end = values.validity(str(given.get("valid_from") or ""), str(given.get("valid_to") or ""))
    tags = frozenset(str(given.get("tags") or "").split())
    points = [[(float(p[0]), float(p[1])) for p in line] for line in lines]
    return Road(
        number, given["id"], float(given["limit_kmh"]), str(given.get("classes") or ""), tags, points, begin, end
    )
