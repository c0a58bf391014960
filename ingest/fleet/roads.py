"""The road network: edges between named places, in a planar frame of kilometres."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np

from ingest.fleet.columns import Floats
from ingest.fleet.places import NODES, ROADS, SHUT, STREETS, TOWNS, Town

KM_EAST = 111.32 * math.cos(math.radians(44.2))
KM_NORTH = 111.2
CORE_KM = 1.5
"""Radius of a town's core at size 1."""
CLIP_KM = 0.035
"""How deep the clipped corner of a core is entered."""

_STREET_EDGES: tuple[tuple[str, str, str], ...] = (
    ("station", "gate", ""),
    ("station", "bypass", ""),
    ("gate", "exit", ""),
    ("exit", "depot", ""),
    ("depot", "bypass", ""),
    ("bypass", "ring", ""),
    ("gate", "centre", "core"),
    ("centre", "ring", "core"),
    ("gate", "clip_south", "clip"),
    ("clip_south", "clip_north", "clip"),
    ("clip_north", "ring", "clip"),
)


Number = TypeVar("Number", float, Floats)


@dataclass(frozen=True)
class Edge:
    """A stretch of road.

    Parameters
    ----------
    start, end : str
        Names of the places it joins.
    road : str
        Name of the road.
    limit_kmh : float
        What its fence says [km/h].
    points : ndarray, (m, 2)
        Its course [km].
    use : str
        ``core`` and ``clip`` edges are for dangerous goods gone astray only, ``shut`` ones are closed.
    """

    start: str
    end: str
    road: str
    limit_kmh: float
    points: Floats
    use: str = ""

    @property
    def length_km(self) -> float:
        """Length along its course [km]."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


def to_km(lon: Number, lat: Number) -> tuple[Number, Number]:
    """Planar place of a coordinate [deg] in [km]."""
    return (lon - 88.0) * KM_EAST, (lat - 44.2) * KM_NORTH


def to_deg(points: Floats) -> Floats:
    """Coordinates [deg] of planar points, (m, 2) [km]."""
    return points / (KM_EAST, KM_NORTH) + (88.0, 44.2)


def street_points(town: Town) -> dict[str, tuple[float, float]]:
    """Places of a town's street plan [km], by full name."""
    east, north = to_km(town.lon, town.lat)
    size = town.size
    clip = CORE_KM * size - CLIP_KM
    plan = {name: (x * size, y * size) for name, (x, y) in STREETS.items()}
    plan |= {
        "bypass": (5.0 * size, 1.0 * size),
        "clip_south": (clip, -2.2 * size),
        "clip_north": (clip, 2.2 * size),
    }
    return {f"{town.name}.{name}": (east + x, north + y) for name, (x, y) in plan.items()}


@lru_cache(maxsize=1)
def nodes() -> dict[str, tuple[float, float]]:
    """Every named place [km]."""
    places = {name: to_km(*where) for name, where in NODES.items()}
    for town in TOWNS:
        places |= street_points(town)
    return places


def _course(start: tuple[float, float], end: tuple[float, float], phase: float) -> Floats:
    """A gently winding line [km] between two places; short ones are straight."""
    a, b = np.asarray(start), np.asarray(end)
    length = float(np.hypot(*(b - a)))
    if length < 8.0:
        return np.stack([a, b])
    along = np.linspace(0.0, 1.0, max(3, round(length)) + 1)
    swing = 0.012 * length * np.sin(np.pi * along) * np.sin(2.2 * np.pi * along + phase)
    swing += 0.12 * np.sin(np.pi * along) * np.sin(length / 1.7 * along + 2 * phase)
    side = np.asarray((a[1] - b[1], b[0] - a[0])) / length
    return np.asarray(a + (b - a) * along[:, None] + side * swing[:, None])


@lru_cache(maxsize=1)
def edges() -> tuple[Edge, ...]:
    """Every stretch of road, in both directions of travel the same."""
    places = nodes()
    found = []
    for town in TOWNS:
        for start, end, use in _STREET_EDGES:
            a, b = f"{town.name}.{start}", f"{town.name}.{end}"
            found.append(Edge(a, b, f"{town.name}城区道路", 60.0, _course(places[a], places[b], 0.0), use))
    for road, limit, stops in ROADS + SHUT:
        use = "shut" if (road, limit, stops) in SHUT else ""
        for k, (a, b) in enumerate(pairwise(stops)):
            found.append(Edge(a, b, road, limit, _course(places[a], places[b], 1.3 * k + len(found)), use))
    return tuple(found)


def shortest(start: str, end: str, use: str = "") -> list[tuple[Edge, bool]]:
    """Quickest way between two places.

    Parameters
    ----------
    start, end : str
        Named places.
    use : str
        Which restricted edges may be used besides the ordinary ones.

    Returns
    -------
    list of (Edge, bool)
        The edges in order; true where one is travelled against its direction.
    """
    ways: dict[str, list[tuple[str, Edge, bool]]] = {}
    for edge in edges():
        if edge.use in ("", use):
            ways.setdefault(edge.start, []).append((edge.end, edge, False))
            ways.setdefault(edge.end, []).append((edge.start, edge, True))
    queue: list[tuple[float, str]] = [(0.0, start)]
    best: dict[str, float] = {start: 0.0}
    before: dict[str, tuple[str, Edge, bool]] = {}
    while queue:
        cost, here = heapq.heappop(queue)
        if here == end:
            break
        for there, edge, back in ways.get(here, []):
            total = cost + edge.length_km / edge.limit_kmh
            if total < best.get(there, math.inf):
                best[there] = total
                before[there] = (here, edge, back)
                heapq.heappush(queue, (total, there))
    way = []
    while end != start:
        end, edge, back = before[end]
        way.append((edge, back))
    return way[::-1]


def polyline(way: list[tuple[Edge, bool]]) -> Floats:
    """Course of a way, (m, 2) [km], without repeated points."""
    parts = [edge.points[::-1] if back else edge.points for edge, back in way]
    line = np.concatenate([parts[0]] + [part[1:] for part in parts[1:]])
    return np.asarray(line, np.float64)


def along(line: Floats, step_km: float) -> tuple[Floats, Floats]:
    """Points at equal steps along a line.

    Returns
    -------
    points : ndarray, (m, 2)
        [km]
    distance : ndarray, (m,)
        Distance along the line [km].
    """
    reach = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = max(2, int(reach[-1] / step_km) + 1)
    distance = np.linspace(0.0, reach[-1], count)
    points = np.stack([np.interp(distance, reach, line[:, 0]), np.interp(distance, reach, line[:, 1])], axis=1)
    return points, distance


def stretch(edge: Edge, place: float, length_km: float) -> Floats:
    """The part of an edge around a place along it, (m, 2) [km]."""
    points, distance = along(edge.points, 0.05)
    middle = place * distance[-1]
    return np.asarray(points[np.abs(distance - middle) <= length_km / 2])


def find(start: str, end: str) -> Edge:
    """The edge between two places."""
    return next(edge for edge in edges() if (edge.start, edge.end) == (start, end))
