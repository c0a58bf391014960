"""The fences of the map: roads, zones, cores, stations, parking, counties, closed and restricted roads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely

from ingest.fleet.columns import Floats
from ingest.fleet.places import EXPRESS, HOLES, LOOPS, NO_NIGHT, OUTLINES, SHUT, TOWNS, ZONES
from ingest.fleet.roads import CORE_KM, edges, find, nodes, stretch, to_deg, to_km

ROAD_KM, STREET_KM, ZONE_KM = 0.12, 0.06, 0.15
"""Half width of the corridors of roads, of streets, and of speed zones."""

JUNCTION_KM = 0.8
"""So much of a road that is closed at night stays free at its ends, where others cross and vehicles turn."""

HEARD_KM = 4.5
"""A hole in the network is drawn longer at both ends: the last good fix before it lies outside."""


@dataclass(frozen=True)
class Fence:
    """A polygon with a meaning.

    Parameters
    ----------
    ident, name, kind : str
        As in ``fences.geojson``.
    shape : shapely.Geometry
        In [deg], rounded to 1e-6.
    limit_kmh : float or None
        For ``road`` and ``speed`` [km/h].
    classes : str
        Letters of the classes it is for; empty = all.
    since : str
        Date from which on it holds; empty = always.
    """

    ident: str
    name: str
    kind: str
    shape: shapely.Geometry
    limit_kmh: float | None = None
    classes: str = ""
    since: str = ""

    def feature(self) -> dict[str, object]:
        """The fence as a GeoJSON feature."""
        properties: dict[str, object] = {"id": self.ident, "name": self.name, "kind": self.kind}
        if self.limit_kmh is not None:
            properties["limit_kmh"] = self.limit_kmh
        if self.classes:
            properties["classes"] = self.classes
        if self.since:
            properties["valid_from"] = self.since
        geometry = json.loads(shapely.to_geojson(self.shape))
        return {"type": "Feature", "properties": properties, "geometry": geometry}


def _degrees(shape: shapely.Geometry) -> shapely.Geometry:
    """A planar shape [km] in degrees, rounded."""
    return shapely.transform(shape, lambda points: np.round(to_deg(points), 6))


def _corridor(line: Floats, half_km: float) -> shapely.Geometry:
    """Strip of ground along a line [km]."""
    strip = shapely.buffer(shapely.linestrings(line), half_km, cap_style="square", join_style="mitre", mitre_limit=2.0)
    return _degrees(shapely.simplify(strip, 0.005))


def _disc(centre: tuple[float, float], radius_km: float, corners: int = 8) -> shapely.Geometry:
    """Regular polygon with a corner due east."""
    angle = np.arange(corners) * 2 * np.pi / corners
    ring = np.stack([centre[0] + radius_km * np.cos(angle), centre[1] + radius_km * np.sin(angle)], axis=1)
    return _degrees(shapely.polygons(ring))


def loop_line(town: int, loop: int) -> Floats:
    """Closed course of a town's bus round, (m, 2) [km]."""
    east, north = to_km(TOWNS[town].lon, TOWNS[town].lat)
    corners = np.asarray(LOOPS[loop][1]) * TOWNS[town].size + (east, north)
    return np.concatenate([corners, corners[:1]])


def _road_fences() -> list[Fence]:
    found = []
    for k, edge in enumerate(edges(), 1):
        half = STREET_KM if edge.road.endswith("城区道路") else ROAD_KM
        found.append(
            Fence(f"road-{k:03d}", f"{edge.road}{k:03d}段", "road", _corridor(edge.points, half), edge.limit_kmh)
        )
    for town, place in enumerate(TOWNS):
        for loop, (limit, _) in enumerate(LOOPS):
            ident = f"street-{place.county}-{loop + 1}"
            shape = _corridor(loop_line(town, loop), STREET_KM)
            found.append(Fence(ident, f"{place.name}环线{loop + 1}", "road", shape, limit))
    return found


def _zone_fences() -> list[Fence]:
    found = []
    for k, (sort, road, start, end, place, length, limit, classes) in enumerate(ZONES, 1):
        shape = _corridor(stretch(find(start, end), place, length), ZONE_KM)
        found.append(Fence(f"speed-{k:02d}", f"{road}{sort}限速区{k:02d}", "speed", shape, limit, classes))
    for town in TOWNS:
        station = nodes()[f"{town.name}.station"]
        ident = f"speed-station-{town.county}"
        found.append(Fence(ident, f"{town.name}客运站限速区", "speed", _disc(station, 0.25), 40.0))
    return found


def _place_fences() -> list[Fence]:
    found = []
    for town in TOWNS:
        where = nodes()
        centre, station = to_km(town.lon, town.lat), where[f"{town.name}.station"]
        core = _disc(centre, CORE_KM * town.size)
        found.append(Fence(f"core-{town.county}", f"{town.name}危货禁行区", "hazmat_no_go", core, classes="H"))
        found.append(Fence(f"station-{town.county}", f"{town.name}客运站", "station", _disc(station, 0.15)))
        for name, sort in (("depot", "危货停车场"), ("exit", "服务区")):
            shape = _disc(where[f"{town.name}.{name}"], 0.2)
            found.append(Fence(f"parking-{name}-{town.county}", f"{town.name}{sort}", "parking", shape))
    zone = shapely.polygons(OUTLINES["zhundong"])
    for town in TOWNS:
        shape = shapely.polygons(OUTLINES[town.county])
        if town.county != "zhundong":
            shape = shapely.difference(shape, zone)
        found.append(Fence(town.county, town.name, "county", shape))
    return found


def _order_fences() -> list[Fence]:
    """Roads that are closed, at night or altogether, and where terminals are not heard."""
    found = []
    for k, edge in enumerate(edges(), 1):
        name = f"{edge.road}{k:03d}段"
        if edge.road in NO_NIGHT:
            shape = _corridor(stretch(edge, 0.5, edge.length_km - 2 * JUNCTION_KM), ROAD_KM)
            found.append(Fence(f"no-night-{k:03d}", f"{name}夜间禁行", "no_night_road", shape, classes="LC"))
        if edge.road in EXPRESS:
            shape = _corridor(edge.points, ROAD_KM)
            found.append(Fence(f"restricted-{k:03d}", f"{name}危货限时", "hazmat_restricted", shape, classes="H"))
    for k, (road, _, (start, end)) in enumerate(SHUT, 1):
        shape = _corridor(stretch(find(start, end), 0.5, 14.0), ROAD_KM)
        found.append(Fence(f"closure-{k}", f"{road}封闭路段", "closure", shape, since="2025-11-01"))
    for k, (start, end, place, length, _) in enumerate(HOLES, 1):
        shape = _corridor(stretch(find(start, end), place, length + 2 * HEARD_KM), 0.3)
        found.append(Fence(f"hole-{k}", f"无信号路段{k}", "coverage_hole", shape))
    return found


@lru_cache(maxsize=1)
def fences() -> tuple[Fence, ...]:
    """Every fence of the map."""
    return tuple(_road_fences() + _zone_fences() + _place_fences() + _order_fences())


def stand(ident: str, name: str, kind: str, place: tuple[float, float], radius_km: float, classes: str) -> Fence:
    """Where vehicles may stand, around a place [km]."""
    return Fence(ident, name, kind, _disc(place, radius_km), classes=classes)


def write_fences(path: Path, stands: Iterable[Fence]) -> None:
    """Write ``fences.geojson``, one feature a line: the map's, and where vehicles may stand."""
    lines = ",\n".join(json.dumps(fence.feature(), ensure_ascii=False) for fence in (*fences(), *stands))
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n', encoding="utf-8")
