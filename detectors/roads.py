"""Roads: which road line each fix is on, so that a parallel street's limit is not taken.

*Near.* The distance of a fix from a segment of a road is that of `lines`: in the plane of the fix, rounded half up to
whole decimetres. A segment is near when it is at most ``reach_dm`` away.

*Direction.* Where the fix has a heading and its speed is at least ``heading_kmh``, a near segment must also run its
way: its bearing is atan2((λ_B − λ_A)·cos φ_A, φ_B − φ_A), as bearings of a compass in [0, 3600) tenths of a degree,
rounded half up, 3600 being 0; the heading is rounded likewise, and so is ``turn_deg``. The angle between heading and
bearing, at most 1800, must not exceed it; nor, of a road not tagged ``oneway``, need it do more than lie within it of
the opposite direction (1800 less the angle). Without a heading, or slower, every direction fits. A segment without
length has no direction and is left out.

*Candidates* of a fix are the roads of the registry that are for the vehicle's class, hold at the fix's time, and have a
near segment that fits; a candidate's distance is the least of those segments'. The *best* is the one with the least
distance, of equal ones the first in the registry. A fix at whose time the vehicle is not registered has none.

*Matching*, over a vehicle's accepted fixes in time order, with the parameters that hold at each fix. Remembered are the
road it is on (none at first), and a challenger with the number of consecutive fixes that it has been one. Both are
forgotten before a fix whose pair is longer than ``gap_ms`` or jumps, and at a fix without a class.

1. The road it is on, while a candidate, is challenged by the best only where that is nearer by more than ``nearer_dm``;
   a road that is no candidate any more is left at once, and the best challenges in any case.
2. A challenger that is the one of the fix before counts one more fix, another begins with one; without a challenger
   there is none.
3. A challenger that has been one at ``points`` fixes is the road the vehicle is on from this fix on, and challenges no
   more.

The road a vehicle is on *at* a fix is what is remembered after it. It sets the limit only where no ``road`` fence holds
the fix: min(class cap, the road's limit). Source: rulebook §3.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from detectors.limits import Default
from detectors.lines import DEGREE_M
from detectors.state import letters_of
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.fences import Fence
from ingest.gate import Accepted
from ingest.kernel import kernel

ROAD_MATCH: Mapping[str, Default] = {
    "reach_dm": 250,
    "turn_deg": 30.0,
    "heading_kmh": 10.0,
    "nearer_dm": 100,
    "points": 2,
    "gap_ms": 300_000,
}
"""How a road is matched; a fix takes the numbers in force at its time."""

ONEWAY = "oneway"
"""Tag of a road that may be driven in the direction of its line only."""

MATCH = np.dtype([("road", "i4"), ("next_road", "i4"), ("count", "u2"), ("known", "u1")], align=True)
"""What is remembered of a vehicle, if `known`: the road it is on, a challenger and at how many fixes it was one; -1 for
none. Both refer to ``registry.roads``."""

VERSION = 1
"""Of what is remembered of a vehicle; a new one means old state cannot be read."""

MOST_CELLS = 1 << 11
"""Cells along each side of the grid, at most."""

LEAST_CELL_DEG = 0.001
"""Cells are not smaller than this [deg]."""

FAR_DM = 1 << 40

STRETCH = 128
"""Fixes whose members are fetched at once: memory answers many questions in the time of one."""


class Segments(NamedTuple):
    """Segments of all roads by cell of a grid.

    Attributes
    ----------
    first : int32, (cells² + 1,)
        Where the members of each cell begin.
    member : float64, (m, 6)
        Segments that come within reach of some place in the cell, each with all that is asked of it side by side:
        lon, lat of its begin, lon, lat of its end [deg], bearing [0.1 deg], row of ``registry.roads``.
    classes, oneway : uint8, bool, (roads,)
        Classes that a road is for, as bits by their place in ``registry.CLASSES``; whether it goes one way only.
    from_ms, to_ms : int64, (roads,)
        When it holds [ms].
    west, south, per_lon, per_lat : float
        Corner of the grid [deg], cells in a degree.
    cells : int
        Along each side.
    """

    first: Int32
    member: Float64
    classes: Int8
    oneway: Bool
    from_ms: Int64
    to_ms: Int64
    west: float
    south: float
    per_lon: float
    per_lat: float
    cells: int


def tenths(degrees: Float64) -> Int32:
    """Degrees of a compass in whole tenths, rounded half up, 3600 being 0; (n,)."""
    return (np.floor(degrees * 10.0 + 0.5).astype(np.int64) % 3600).astype(np.int32)


def _ends(roads: Sequence[Fence]) -> tuple[Float64, Int32]:
    """Ends of the segments that have a length, and whose they are; (s, 4), (s,)."""
    found, road = [np.zeros((0, 4))], [np.zeros(0, np.int32)]
    for at, one in enumerate(roads):
        for part in shapely.get_parts(one.shape) if one.shape is not None else ():
            points = shapely.get_coordinates(part)
            ends = np.hstack([points[:-1], points[1:]])
            found.append(ends[(ends[:, :2] != ends[:, 2:]).any(axis=1)])
            road.append(np.full(len(found[-1]), at, np.int32))
    return np.concatenate(found), np.concatenate(road)


def _spread(count: Int64) -> tuple[Int64, Int64]:
    """For counts (p,): which of them each of their sum belongs to, and its place among its own, from 0."""
    which = np.repeat(np.arange(len(count)), count)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)


def segments_of(roads: Sequence[Fence], reach_dm: int) -> Segments:
    """Lay roads on a grid; places that are no more, without a shape, are left out.

    Parameters
    ----------
    roads : sequence of Fence, (roads,)
    reach_dm : int
        The farthest that a fix may be from its road [dm].
    """
    ends, road = _ends(roads)
    east, north = (ends[:, 2] - ends[:, 0]) * np.cos(np.radians(ends[:, 1])), ends[:, 3] - ends[:, 1]
    bearing = tenths(np.degrees(np.arctan2(east, north)) % 360.0)
    margin_lat = (reach_dm / 10 + 1.0) / DEGREE_M
    steepest = np.radians(np.minimum(np.abs(ends[:, 1::2]).max(axis=1) + margin_lat, 89.0))
    margin_lon = margin_lat / np.cos(steepest)
    widest = float(margin_lon.max(initial=margin_lat))
    low, high = np.minimum(ends[:, :2], ends[:, 2:]), np.maximum(ends[:, :2], ends[:, 2:])
    around = np.array([widest, margin_lat])
    corner = low.min(axis=0, initial=180.0) - around
    sides = np.maximum(high.max(axis=0, initial=-180.0) + around - corner, 1e-3) * (1 + 1e-9)
    cells = int(min(MOST_CELLS, max(1, np.ceil(sides.max() / LEAST_CELL_DEG))))
    per = cells / sides

    # long segments are cut into pieces of about a cell, so that a slanting one does not take the whole of its box
    pieces = np.maximum(np.ceil((np.abs(ends[:, 2:] - ends[:, :2]) * per).max(axis=1, initial=0.0)), 1.0)
    which, place = _spread(pieces.astype(np.int64))
    step = (ends[which, 2:] - ends[which, :2]) / pieces[which, None]
    begin = ends[which, :2] + step * place[:, None]
    margin = np.column_stack([margin_lon[which], np.full(len(which), margin_lat)]) + 1e-9
    low, high = np.minimum(begin, begin + step) - margin, np.maximum(begin, begin + step) + margin
    least = np.clip(np.floor((low - corner) * per).astype(np.int64), 0, cells - 1)
    most = np.clip(np.floor((high - corner) * per).astype(np.int64), 0, cells - 1)
    wide, tall = (most - least + 1).T
    piece, within = _spread(wide * tall)
    column, row = least[piece, 0] + within % wide[piece], least[piece, 1] + within // wide[piece]
    pairs = np.unique((row * cells + column) * max(len(ends), 1) + which[piece])
    cell, member = np.divmod(pairs, max(len(ends), 1))
    return Segments(
        np.searchsorted(cell, np.arange(cells**2 + 1)).astype(np.int32),
        np.column_stack([ends, bearing, road])[member],
        np.array([letters_of(one.classes) for one in roads], np.uint8),
        np.array([ONEWAY in one.tags for one in roads], np.bool_),
        np.array([one.from_ms for one in roads], np.int64),
        np.array([one.to_ms for one in roads], np.int64),
        float(corner[0]),
        float(corner[1]),
        float(per[0]),
        float(per[1]),
        cells,
    )


@kernel
def _apart_dm(member: Float64, at: int, lon: float, lat: float, east_m: float, square_m: float) -> int:
    """Distance of a point from a segment [dm]; `FAR_DM` where its square [m²] is above `square_m`."""
    x = (member[at, 0] - lon) * east_m
    y = (member[at, 1] - lat) * DEGREE_M
    dx = (member[at, 2] - lon) * east_m - x
    dy = (member[at, 3] - lat) * DEGREE_M - y
    t = min(max(-(x * dx + y * dy) / (dx * dx + dy * dy), 0.0), 1.0)
    x += t * dx
    y += t * dy
    square = x * x + y * y
    if square > square_m:
        return FAR_DM
    return math.floor(math.sqrt(square) * 10.0 + 0.5)


@kernel
def _fits(bearing: int, heading: int, turn: int, oneway: bool) -> bool:
    """Whether a heading is along a road, all in tenths of a degree."""
    angle = abs(bearing - heading)
    angle = min(angle, 3600 - angle)
    return bool(angle <= turn or (not oneway and 1800 - angle <= turn))


@kernel
def _cells(lon: Float64, lat: Float64, roads: Any, low: int, high: int, begin: Int32, end: Int32) -> float:
    """Find which members each fix of a stretch is to be compared with; they are fetched while others are looked for."""
    first, member = roads.first, roads.member
    west, south, per_lon, per_lat, cells = roads.west, roads.south, roads.per_lon, roads.per_lat, roads.cells
    for row in range(low, high):
        column = math.floor((lon[row] - west) * per_lon)
        line = math.floor((lat[row] - south) * per_lat)
        begin[row] = 0
        end[row] = 0
        if 0 <= column < cells and 0 <= line < cells:
            begin[row] = first[line * cells + column]
            end[row] = first[line * cells + column + 1]
    fetched = 0.0
    for row in range(low, high):
        if begin[row] < end[row]:
            fetched += member[begin[row], 0] + member[end[row] - 1, 5]
    return fetched


@kernel
def _match(
    vehicle: Int32,
    time_ms: Int64,
    dt_ms: Int64,
    jump: Bool,
    lon: Float64,
    lat: Float64,
    speed_kmh: Float64,
    heading_ddeg: Int32,
    kind: Int8,
    roads: Any,
    sets: Int32,
    reach_dm: Int64,
    turn_ddeg: Int32,
    heading_kmh: Float64,
    nearer_dm: Int64,
    points: Int64,
    gap_ms: Int64,
    state: NDArray[np.void],
    found: Int32,
) -> float:
    """Carry matching through a batch, by vehicle: fill `found` with the road at each fix.

    Returns what was fetched, so that the compiler does not leave it out; it means nothing.
    """
    member = roads.member
    classes, oneway, from_ms, to_ms = roads.classes, roads.oneway, roads.from_ms, roads.to_ms
    begin, end = np.empty(len(vehicle), np.int32), np.empty(len(vehicle), np.int32)
    fetched = 0.0
    for row in range(len(vehicle)):
        if row % STRETCH == 0:
            fetched += _cells(lon, lat, roads, row, min(row + STRETCH, len(vehicle)), begin, end)
        own = state[vehicle[row]]
        number = sets[row]
        if not own.known or dt_ms[row] < 0 or dt_ms[row] > gap_ms[number] or jump[row]:
            own.known = 1
            own.road = -1
            own.next_road = -1
            own.count = 0
        heading = heading_ddeg[row] if speed_kmh[row] >= heading_kmh[number] else -1
        best, best_dm, held_dm = -1, FAR_DM, FAR_DM
        if begin[row] < end[row]:
            east_m = DEGREE_M * math.cos(math.radians(lat[row]))
            square_m = (reach_dm[number] / 10.0 + 1.0) ** 2
            for at in range(begin[row], end[row]):
                apart_dm = _apart_dm(member, at, lon[row], lat[row], east_m, square_m)
                if apart_dm > reach_dm[number]:
                    continue
                road = int(member[at, 5])
                if not (classes[road] >> kind[row]) & 1 or not from_ms[road] <= time_ms[row] < to_ms[road]:
                    continue
                if heading >= 0 and not _fits(int(member[at, 4]), heading, turn_ddeg[number], oneway[road]):
                    continue
                if road == own.road:
                    held_dm = min(held_dm, apart_dm)
                if apart_dm < best_dm or (apart_dm == best_dm and road < best):
                    best, best_dm = road, apart_dm
        if held_dm < FAR_DM:
            if held_dm - best_dm <= nearer_dm[number]:
                best = -1
        else:
            own.road = -1
        own.count = min(own.count + 1, 65_535) if best >= 0 and best == own.next_road else 1
        own.next_road = best
        if best >= 0 and own.count >= points[number]:
            own.road = best
            own.next_road = -1
        found[row] = own.road
    return fetched


class Roads:
    """The road lines of a registry, ready to be matched.

    Parameters
    ----------
    roads : sequence of Fence
    sets : structured array, (s,)
        Parameter sets of ``ROAD_MATCH``.
    """

    def __init__(self, roads: Sequence[Fence], sets: NDArray[np.void]) -> None:
        self.segments = segments_of(roads, int(sets["reach_dm"].max())) if roads else None
        self.limit_kmh = np.array([*(road.limit_kmh for road in roads), np.inf], np.float64)
        self.sets = sets
        self._tags = [road.tags for road in roads]
        self._tagged: dict[str, Bool] = {}

    def tagged(self, tag: str) -> Bool:
        """Whether each road has a tag, (roads + 1,); the last, for -1, has none."""
        if tag not in self._tagged:
            self._tagged[tag] = np.array([*(tag in tags for tags in self._tags), False], np.bool_)
        return self._tagged[tag]

    def match(self, accepted: Accepted, kind: Int8, index: Int32, state: NDArray[np.void]) -> Int32:
        """Tell which road each fix is on, (n,): a row of ``registry.roads``, -1 where none.

        Parameters
        ----------
        accepted : Accepted, (n,)
            By vehicle, then time.
        kind : uint8, (n,)
            Class index.
        index : int32, (n,)
            Row of the parameter sets for each fix.
        state : structured array of ``MATCH``, (vehicles,)
            Changed in place.
        """
        found: Int32 = np.full(len(accepted), -1, np.int32)
        if self.segments is None:
            return found
        given = np.isfinite(accepted.heading_deg)
        heading = np.where(given, tenths(np.where(given, accepted.heading_deg, 0.0)), np.int32(-1))
        sets = self.sets
        _match(
            accepted.vehicle,
            accepted.time_ms,
            accepted.dt_ms,
            accepted.jump,
            accepted.lon,
            accepted.lat,
            accepted.speed_kmh,
            heading,
            kind,
            self.segments,
            index,
            np.ascontiguousarray(sets["reach_dm"]),
            np.floor(sets["turn_deg"] * 10.0 + 0.5).astype(np.int32),
            np.ascontiguousarray(sets["heading_kmh"]),
            np.ascontiguousarray(sets["nearer_dm"]),
            np.ascontiguousarray(sets["points"]),
            np.ascontiguousarray(sets["gap_ms"]),
            state,
            found,
        )
        return found
