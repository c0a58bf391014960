"""Lines: how far a point lies from a line, and where along it, in whole decimetres.

The plane of a point P = (lon, lat) [deg] is x = (λ − lon)·k·cos(lat), y = (φ − lat)·k [m] for any place (λ, φ),
with k = R·π/180 and R = 6 371 008.8 m. The distance of P from a segment A-B is that of the origin from the
straight segment between A and B in this plane: with d = B − A and t = −(A·d)/(d·d), cut to [0, 1] (0 where
A = B), it is |A + t·d|. From a line it is the least of its segments', rounded half up to whole decimetres. Within
10 km of P it is less than 0.5 % off. The place *along* a line is the sum of the haversine lengths [dm] of the
segments before the nearest one (of equal ones the first), and t of its own, rounded half up.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.batch import Float64, Int32, Int64
from ingest.geodesy import EARTH_RADIUS_M, distance_dm
from ingest.kernel import kernel

FAN = 16
"""Segments below a small box, and small boxes below a large one."""

LOOKED = 12
"""Segments on either side of a hint that are looked at first."""

DEGREE_M = EARTH_RADIUS_M * math.pi / 180.0
"""A degree of latitude [m]."""


class Lines(NamedTuple):
    """Segments of many lines, (s,), each line below boxes, so that most of them are passed over.

    Attributes
    ----------
    ends : float64, (s, 4)
        lon, lat of the segment's begin, lon, lat of its end [deg].
    along, length : int64, (s,)
        Place of the begin along the line, and haversine length [dm].
    small, large : float64, (b, 4), (c, 4)
        West, south, east, north of `FAN` segments of one line, and of `FAN` small boxes [deg].
    first, first_small, first_large : int32, (lines + 1,)
        Where the segments and boxes of each line begin.
    """

    ends: Float64
    along: Int64
    length: Int64
    small: Float64
    large: Float64
    first: Int32
    first_small: Int32
    first_large: Int32


def _boxes(low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Least and greatest corners of every `FAN` rows, (b, 2) each."""
    starts = np.arange(0, len(low), FAN)
    return np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)


def lines_of(shapes: Sequence[Any]) -> Lines:
    """Lines of LineStrings, MultiLineStrings (their parts follow one another), or boundaries of areas, in order.

    Of a place that the registry does not have any more, None, there is none.
    """
    ends, small, large = [np.zeros((0, 4))], [np.zeros((0, 4))], [np.zeros((0, 4))]
    counts = []
    for shape in shapes:
        if shape is None:
            counts.append((0, 0, 0))
            continue
        boundary = shape.boundary if shape.geom_type in ("Polygon", "MultiPolygon") else shape
        parts = [shapely.get_coordinates(part) for part in shapely.get_parts(boundary)]
        own = np.concatenate([np.hstack([part[:-1], part[1:]]) for part in parts])
        low, high = _boxes(np.minimum(own[:, :2], own[:, 2:]), np.maximum(own[:, :2], own[:, 2:]))
        small.append(np.hstack([low, high]))
        large.append(np.hstack(_boxes(low, high)))
        ends.append(own)
        counts.append((len(own), len(low), len(large[-1])))
    first = np.concatenate([np.zeros((1, 3)), np.cumsum(np.array(counts).reshape(-1, 3), axis=0)]).astype(np.int32)
    every = np.concatenate(ends)
    along, length = np.zeros(len(every), np.int64), np.zeros(len(every), np.int64)
    _measure(every, first[:, 0].copy(), along, length)
    columns = (first[:, column].copy() for column in range(3))
    return Lines(every, along, length, np.concatenate(small), np.concatenate(large), *columns)


@kernel
def _measure(ends: Float64, first: Int32, along: Int64, length: Int64) -> None:
    for line in range(len(first) - 1):
        so_far = 0
        for at in range(first[line], first[line + 1]):
            along[at] = so_far
            length[at] = distance_dm(ends[at, 0], ends[at, 1], ends[at, 2], ends[at, 3])
            so_far += length[at]


@kernel
def _apart(boxes: Float64, at: int, lon: float, lat: float, east_m: float) -> float:
    """Square of the distance of a point from a box, 0 inside [m²]."""
    x = max(boxes[at, 0] - lon, lon - boxes[at, 2], 0.0) * east_m
    y = max(boxes[at, 1] - lat, lat - boxes[at, 3], 0.0) * DEGREE_M
    square: float = x * x + y * y
    return square


@kernel
def _scan(lines: Any, begin: int, end: int, lon: float, lat: float, east_m: float, best: Any) -> Any:
    """Let segments better the best so far: squared distance [m²], segment, part of it."""
    ends = lines.ends
    for at in range(begin, end):
        x = (ends[at, 0] - lon) * east_m
        y = (ends[at, 1] - lat) * DEGREE_M
        dx = (ends[at, 2] - lon) * east_m - x
        dy = (ends[at, 3] - lat) * DEGREE_M - y
        square = dx * dx + dy * dy
        t = min(max(-(x * dx + y * dy) / square, 0.0), 1.0) if square > 0.0 else 0.0
        x += t * dx
        y += t * dy
        apart = x * x + y * y
        if apart < best[0] or (apart == best[0] and at < best[1]):
            best = (apart, at, t)
    return best


@kernel
def _nearest_box(boxes: Float64, begin: int, end: int, lon: float, lat: float, east_m: float) -> int:
    nearest, least = begin, math.inf
    for at in range(begin, end):
        apart = _apart(boxes, at, lon, lat, east_m)
        if apart < least:
            nearest, least = at, apart
    return nearest


@kernel
def nearest(lines: Any, line: int, lon: float, lat: float, hint: int = -1) -> tuple[int, int, int]:
    """Distance of a point from a line and the place along it that is nearest [dm], [dm], and its segment.

    The segments around `hint`, or else those in the nearest boxes, say what is to be bettered; then all that could
    better it are looked into: a hint changes how fast that is, not what is found.
    """
    east_m = DEGREE_M * math.cos(math.radians(lat))
    first, small, large = lines.first[line], lines.first_small[line], lines.first_large[line]
    last, last_small, last_large = lines.first[line + 1], lines.first_small[line + 1], lines.first_large[line + 1]
    best = (math.inf, last, 0.0)
    if first <= hint < last:
        best = _scan(lines, max(first, hint - FAN), min(last, hint + FAN), lon, lat, east_m, best)
    else:
        within = _nearest_box(lines.large, large, last_large, lon, lat, east_m) - large
        begin = small + within * FAN
        within = _nearest_box(lines.small, begin, min(begin + FAN, last_small), lon, lat, east_m) - small
        begin = first + within * FAN
        best = _scan(lines, begin, min(begin + FAN, last), lon, lat, east_m, best)
    for box in range(large, last_large):
        if _apart(lines.large, box, lon, lat, east_m) > best[0]:
            continue
        begin = small + (box - large) * FAN
        for inner in range(begin, min(begin + FAN, last_small)):
            if _apart(lines.small, inner, lon, lat, east_m) <= best[0]:
                at = first + (inner - small) * FAN
                best = _scan(lines, at, min(at + FAN, last), lon, lat, east_m, best)
    apart_dm = math.floor(math.sqrt(best[0]) * 10.0 + 0.5)
    at = best[1]
    return apart_dm, lines.along[at] + math.floor(best[2] * lines.length[at] + 0.5), at


@kernel
def close_by(lines: Any, line: int, lon: float, lat: float, hint: int, within_dm: int) -> int:
    """A segment of a line, not far from `hint`, that is within this distance for certain; -1 where none is found."""
    first, last = lines.first[line], lines.first[line + 1]
    if not first <= hint < last:
        return -1
    east_m = DEGREE_M * math.cos(math.radians(lat))
    most = (within_dm / 10.0 - 0.1) ** 2
    best = (math.inf, last, 0.0)
    for step in range(LOOKED):
        for at in (hint + step, hint - step):
            if first <= at < last:
                best = _scan(lines, at, at + 1, lon, lat, east_m, best)
                if best[0] <= most:
                    return at
    return -1


@kernel
def around(lines: Any, line: int, lon: float, lat: float) -> bool:
    """Whether the rings that a line consists of hold a point: an odd number of them crosses its eastward ray."""
    odd = False
    for at in range(lines.first[line], lines.first[line + 1]):
        x, y, to_x, to_y = lines.ends[at, 0], lines.ends[at, 1], lines.ends[at, 2], lines.ends[at, 3]
        if (y > lat) != (to_y > lat) and lon < x + (lat - y) / (to_y - y) * (to_x - x):
            odd = not odd
    return odd


def stretches(lines: Lines, line: int, areas: Sequence[Any]) -> list[tuple[int, int, int]]:
    """Where a line lies inside areas: from, to along it [dm], and which area; by area, then place.

    Inside one segment from where it first touches an area to where it last does.
    """
    begin, end = lines.first[line], lines.first[line + 1]
    ends = lines.ends[begin:end]
    segments: NDArray[np.object_] = np.asarray(shapely.linestrings(ends.reshape(-1, 2, 2)))
    found: list[tuple[int, int, int]] = []
    for which, area in enumerate(areas):
        for at in np.flatnonzero(shapely.intersects(area, segments)):
            places = shapely.get_coordinates(shapely.intersection(area, segments[at]))
            step = ends[at, 2:] - ends[at, :2]
            square = float(step @ step)
            share = np.clip((places - ends[at, :2]) @ step / square, 0.0, 1.0) if square > 0 else np.zeros(1)
            start, length = int(lines.along[begin + at]), int(lines.length[begin + at])
            low, high = (start + math.floor(float(part) * length + 0.5) for part in (share.min(), share.max()))
            if found and found[-1][2] == which and low <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(high, found[-1][1]), which)
            else:
                found.append((low, high, which))
    return found
