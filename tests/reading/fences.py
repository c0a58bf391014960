"""Fences: dated polygons with a kind, a limit and classes (rulebook §3 and §8, formats.md §2)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor, inf, isnan
from pathlib import Path
from typing import Any

from . import values
from .polygon import Rings, holds

CELL = 0.1  # degrees
MANY = 10_000  # a fence over more cells is looked at everywhere


@dataclass(slots=True)
class Fence:
    """ "`classes`: a string of class letters; absent or empty = all"."""

    id: str
    kind: str
    limit_kmh: float
    classes: str
    polygons: list[Rings]
    valid_from: float = -inf
    valid_to: float = inf
    west: float = inf
    south: float = inf
    east: float = -inf
    north: float = -inf

    def __post_init__(self) -> None:
        points = [point for rings in self.polygons for ring in rings for point in ring]
        self.west, self.east = min(p[0] for p in points), max(p[0] for p in points)
        self.south, self.north = min(p[1] for p in points), max(p[1] for p in points)

    def applies(self, letter: str, t: int) -> bool:
        """For this class, and valid at this time."""
        return (not self.classes or letter in self.classes) and self.valid_from <= t < self.valid_to

    def around(self, t: int, lon: float, lat: float) -> bool:
        """Whatever its classes."""
        return self.valid_from <= t < self.valid_to and self.holds(lon, lat)

    def holds(self, lon: float, lat: float) -> bool:
        """Bounding box first."""
        if not (self.west <= lon <= self.east and self.south <= lat <= self.north):
            return False
        return any(holds(rings, lon, lat) for rings in self.polygons)


class Fences:
    """Fences by kind and by the cells of a plain grid that they touch."""

    def __init__(self, fences: list[Fence]) -> None:
        self.fences = fences
        self.order = {id(fence): number for number, fence in enumerate(fences)}
        self.cells: dict[tuple[str, int, int], list[Fence]] = {}
        self.wide: dict[str, list[Fence]] = {}
        for fence in fences:
            xs = range(floor(fence.west / CELL), floor(fence.east / CELL) + 1)
            ys = range(floor(fence.south / CELL), floor(fence.north / CELL) + 1)
            if len(xs) * len(ys) > MANY:
                self.wide.setdefault(fence.kind, []).append(fence)
                continue
            for x in xs:
                for y in ys:
                    self.cells.setdefault((fence.kind, x, y), []).append(fence)

    def holding(self, kind: str, letter: str, t: int, lon: float, lat: float) -> Iterator[Fence]:
        """The fences of a kind, for a class, valid at t, that hold the point."""
        cell = self.cells.get((kind, floor(lon / CELL), floor(lat / CELL)), ())
        for fence in (*cell, *self.wide.get(kind, ())):
            if fence.applies(letter, t) and fence.holds(lon, lat):
                yield fence

    def least(self, kind: str, letter: str, t: int, lon: float, lat: float) -> Fence | None:
        """The one with the "least `limit_kmh` of those", of equal ones the first; None where none holds the point."""
        found = self.holding(kind, letter, t, lon, lat)
        return min(found, key=lambda fence: (fence.limit_kmh, self.order[id(fence)]), default=None)

    def least_limit(self, kind: str, letter: str, t: int, lon: float, lat: float) -> float | None:
        """Its limit."""
        fence = self.least(kind, letter, t, lon, lat)
        return None if fence is None else fence.limit_kmh


def read_fences(path: Path) -> list[Fence]:
    """`fences.geojson`: a FeatureCollection of Polygon or MultiPolygon features."""
    with path.open(encoding="utf-8-sig") as file:
        return [fence_of(feature) for feature in json.load(file)["features"]]


def fence_of(feature: Mapping[str, Any]) -> Fence:
    """One feature; "a `road` or `speed` fence without `limit_kmh` is refused at import"."""
    properties = feature["properties"]
    geometry = feature["geometry"]
    if geometry["type"] not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"fence {properties.get('id')!r}: {geometry['type']}")
    shapes = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    limit = values.number(properties.get("limit_kmh"))
    kind = str(properties.get("kind") or "")
    if kind in ("road", "speed") and (limit is None or isnan(limit)):
        raise ValueError(f"fence {properties.get('id')!r} has no limit_kmh")
    begin, end = values.validity(str(properties.get("valid_from") or ""), str(properties.get("valid_to") or ""))
    return Fence(
        id=str(properties.get("id") or ""),
        kind=kind,
        limit_kmh=limit if limit is not None else inf,
        classes=str(properties.get("classes") or ""),
        polygons=[[[(float(p[0]), float(p[1])) for p in ring] for ring in shape] for shape in shapes],
        valid_from=begin,
        valid_to=end,
    )
