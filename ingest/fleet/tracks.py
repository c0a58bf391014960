"""Routes as tables of where a careful driver of a class is, every two seconds.

A careful driver keeps exactly the limit that the fences give, is slow early
enough for a lower one, and speeds up and brakes gently. Time along such a table
is *unit time*; a vehicle at pace 0.9 uses up 0.9 s of it per second. So pace
times limit is speed, everywhere, without a search.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.fleet.columns import CLASSES, Floats, Ints
from ingest.fleet.fences import Fence, fences
from ingest.fleet.places import HOLES, TOWNS
from ingest.fleet.roads import along, find, nodes, stretch, to_deg
from ingest.fleet.routes import Route, routes

STEP_S = 2.0
CAP_KMH = {"L": 100.0, "C": 100.0, "H": 80.0, "B": 100.0, "T": 120.0, "F": 100.0}
UNMATCHED_KMH = {"L": 100.0, "C": 100.0, "H": 80.0, "B": 60.0, "T": 120.0, "F": 90.0}
TUNNEL, DESERT = 1, 2
_GENTLE = 0.7  # [m/s2]
_POINT_KM = 0.02
_SPANS = ("road", "severe", "zone", "core", "mountain", "express", "shut", "away")


@dataclass(frozen=True)
class Tracks:
    """All tables, one after the other; (t,) per table, (r,) per row.

    Parameters
    ----------
    cls, town, use, closed, route : ndarray, (t,)
        Class index, town index, use as in `Route`, closed or not, index into `routes`.
    base, length : ndarray, (t,)
        First row; unit time from end to end [s].
    road, severe, zone, core : ndarray, (t, 2)
        Unit time from, to [s] of the first stretch at the road's limit, the first such where half as much
        again is still believable, the first speed zone, and the hazmat no-go zone; NaN where there is none.
    mountain, express, shut, away : ndarray, (t, 2)
        The same of what lies on roads that are closed at night, on roads that dangerous goods may not take after
        midnight, on a closed road, and outside the county it begins in; NaN also where there are several.
    station : ndarray, (t, 2)
        Town index of the station in which it begins, and in which it ends; -1 = none.
    lon, lat, metres, altitude : ndarray, (r,)
        Place [deg], distance along the route [m], height [m].
    heading : ndarray, (r,)
        [deg]
    limit : ndarray, (r,)
        The limit that governs [km/h].
    hole : ndarray, (r,)
        0, TUNNEL or DESERT, as a float like its fellows.
    leave : ndarray, (r,)
        Unit time [s] at which the hole ends, in the direction out.
    enter : ndarray, (r,)
        The same, in the direction back.
    """

    cls: Ints
    town: Ints
    use: NDArray[np.str_]
    closed: NDArray[np.bool_]
    route: Ints
    base: Ints
    length: Floats
    road: Floats
    severe: Floats
    zone: Floats
    core: Floats
    mountain: Floats
    express: Floats
    shut: Floats
    away: Floats
    station: Ints
    lon: Floats
    lat: Floats
    metres: Floats
    altitude: Floats
    heading: Floats
    limit: Floats
    hole: Floats
    leave: Floats
    enter: Floats


def _least(shapes: list[Fence], points: NDArray[np.object_]) -> Floats:
    """Least limit [km/h] of the fences that hold each point; infinite outside all."""
    limit = np.full(len(points), np.inf)
    if shapes:
        point, fence = shapely.STRtree(points).query([s.shape for s in shapes], predicate="intersects")[::-1]
        np.minimum.at(limit, point, np.asarray([s.limit_kmh or np.inf for s in shapes])[fence])
    return limit


def _limits(points: NDArray[np.object_], letter: str) -> tuple[Floats, Floats]:
    """The road's and the zones' limit [km/h] for a class at each point."""
    mine = [f for f in fences() if not f.classes or letter in f.classes]
    road = _least([f for f in mine if f.kind == "road"], points)
    road = np.where(np.isinf(road), UNMATCHED_KMH[letter], np.minimum(road, CAP_KMH[letter]))
    return road, _least([f for f in mine if f.kind == "speed"], points)


def _around(values: Floats, reach: int) -> Floats:
    """Least value within so many points on both sides."""
    padded = np.pad(values, reach, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1))


def _gentle(limit_ms: Floats, metres: Floats) -> Floats:
    """Speed [m/s] that meets every limit by gentle braking and speeding up."""
    square, slope = limit_ms**2, 2 * _GENTLE * metres
    ahead = np.minimum.accumulate((square + slope)[::-1])[::-1] - slope
    return np.sqrt(np.minimum(np.minimum.accumulate(square - slope) + slope, ahead))


def _first(good: NDArray[np.bool_], unit: Floats, least_s: float) -> tuple[float, float]:
    """Unit time from, to of the first stretch of true that lasts long enough."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    for a, b in zip(turns[::2], turns[1::2], strict=True):
        if unit[b - 1] - unit[a] >= least_s:
            return float(unit[a]), float(unit[b - 1])
    return np.nan, np.nan


def _only(good: NDArray[np.bool_], unit: Floats) -> tuple[float, float]:
    """Unit time from, to of the only stretch of true."""
    if np.count_nonzero(np.diff(np.concatenate([[False], good]).astype(np.int8)) > 0) != 1:
        return np.nan, np.nan
    return _first(good, unit, 0.0)


@lru_cache
def _all_of(kind: str) -> shapely.Geometry:
    """All fences of a kind as one."""
    whole = shapely.union_all([fence.shape for fence in fences() if fence.kind == kind])
    shapely.prepare(whole)
    return whole


def _inside(points: NDArray[np.object_], kind: str, classes: str, letter: str) -> NDArray[np.bool_]:
    """Which points lie in a fence of a kind, if it is for the class."""
    found = np.zeros(len(points), bool)
    return np.asarray(shapely.intersects(_all_of(kind), points), bool) if letter in classes else found


def _holes(points: NDArray[np.object_]) -> NDArray[np.int8]:
    """Which points have no mobile network."""
    found = np.zeros(len(points), np.int8)
    for start, end, place, length, desert in HOLES:
        line = shapely.linestrings(to_deg(stretch(find(start, end), place, length)))
        found[shapely.dwithin(points, line, 0.0004)] = DESERT if desert else TUNNEL
    return found


def _table(route: Route, letter: str) -> dict[str, Floats]:
    """One route for one class: its rows, and the stretches of interest."""
    km, distance = along(route.line, _POINT_KM)
    metres = distance * 1000.0
    points = shapely.points(to_deg(km))
    road, zone = _limits(points, letter)
    both = np.minimum(road, zone)
    reach = round((0.08 if route.round else 0.2) / _POINT_KM)
    calm = _around(both, reach)
    speed = _gentle(calm / 3.6, metres)
    unit = np.concatenate([[0.0], np.cumsum(np.diff(metres) * 2 / (speed[1:] + speed[:-1]))])
    flat = (np.abs(speed * 3.6 - both) < 0.01) & (_around(both, 3) == both)
    inside = flat & (zone < road)
    outside = flat & np.isinf(_around(zone, 5)) & (road >= 60.0)
    cores = [f.shape for f in fences() if f.kind == "hazmat_no_go"]
    core = shapely.intersects(points, shapely.union_all(cores)) if letter == "H" else np.zeros(len(points), bool)
    home = next(f.shape for f in fences() if f.kind == "county" and f.ident == TOWNS[route.town].county)
    shapely.prepare(home)
    rows = np.arange(0.0, unit[-1] + 2 * STEP_S, STEP_S)
    place = np.interp(rows, unit, metres)
    nearest = np.clip(np.searchsorted(metres, place), 0, len(metres) - 1)
    lonlat = to_deg(np.stack([np.interp(place, metres, km[:, 0]), np.interp(place, metres, km[:, 1])], axis=1))
    turn = np.gradient(km, axis=0)
    hole = _holes(points)[nearest]
    edge = np.flatnonzero(np.diff(np.concatenate([[0], hole, [0]])))
    leave, enter = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for a, b in zip(edge[::2], edge[1::2], strict=True):
        leave[a:b], enter[a:b] = rows[min(b, len(rows) - 1)], rows[max(a - 1, 0)]
    return {
        "length": unit[-1:],
        "road": np.asarray(_first(outside, unit, 300.0)),
        "severe": np.asarray(_first(outside & (road <= 80.0), unit, 250.0)),
        "zone": np.asarray(_first(inside, unit, 90.0)),
        "core": np.asarray(_first(core, unit, 0.0)),
        "mountain": np.asarray(_only(_inside(points, "no_night_road", "LC", letter), unit)),
        "express": np.asarray(_only(_inside(points, "hazmat_restricted", "H", letter), unit)),
        "shut": np.asarray(_only(_inside(points, "closure", "LCHB", letter), unit)),
        "away": np.asarray(_only(~shapely.intersects(home, points), unit)),
        "lon": lonlat[:, 0],
        "lat": lonlat[:, 1],
        "metres": place,
        "altitude": np.clip(520.0 + (44.35 - lonlat[:, 1]) * 900.0, 420.0, 1900.0),
        "heading": (np.degrees(np.arctan2(turn[:, 0], turn[:, 1])) % 360.0)[nearest],
        "limit": both[nearest],
        "hole": hole.astype(np.float64),
        "leave": leave,
        "enter": enter,
    }


def _station(place: Floats) -> int:
    """Town whose station stands at a place [km]; -1 = none."""
    stations = np.asarray([nodes()[f"{town.name}.station"] for town in TOWNS])
    near = np.hypot(*(stations - place).T)
    return int(near.argmin()) if near.min() < 0.05 else -1


@lru_cache(maxsize=1)
def tracks() -> Tracks:
    """Every route for every class that takes it."""
    wanted = [(number, letter) for number, route in enumerate(routes()) for letter in route.classes]
    tables = [_table(routes()[number], letter) for number, letter in wanted]
    sizes = np.asarray([len(table["lon"]) for table in tables])
    rows = {name: np.concatenate([t[name] for t in tables]) for name in list(tables[0])[1 + len(_SPANS) :]}
    spans = {name: np.stack([t[name] for t in tables]) for name in _SPANS}
    return Tracks(
        cls=np.asarray([CLASSES.index(letter) for _, letter in wanted]),
        town=np.asarray([routes()[number].town for number, _ in wanted]),
        use=np.asarray([routes()[number].use for number, _ in wanted]),
        closed=np.asarray([routes()[number].round for number, _ in wanted]),
        route=np.asarray([number for number, _ in wanted]),
        station=np.asarray([[_station(routes()[number].line[end]) for end in (0, -1)] for number, _ in wanted]),
        base=np.cumsum(sizes) - sizes,
        length=np.concatenate([t["length"] for t in tables]),
        **spans,
        **rows,
    )
