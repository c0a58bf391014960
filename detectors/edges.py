"""Edges: on which side of a fence's boundary a point lies, decided exactly or not at all.

A ray from the point to the east crosses a boundary an odd number of times where the point is inside, on all rings
alike; a point on the boundary is inside. Only edges of the point's own slab of latitudes can be crossed. Where
rounding could turn the answer, none is given: see `UNSURE`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

from ingest.batch import Float64, Int8, Int32
from ingest.kernel import kernel

OUTSIDE, INSIDE, UNSURE = 0, 1, 2

EDGES_A_SLAB = 4
"""Slabs are so many that each holds about this many edges, were they all short."""

ROUNDING = 4e-16
"""The sign of a difference of two products of differences is sure where it is above this part of their sum: (3 + 16ε)ε
with ε = 2⁻⁵³, and a little more. Source: Shewchuk, Adaptive precision floating-point arithmetic, 1997."""


class Edges(NamedTuple):
    """Edges of shapes by slab of latitudes, an edge in each slab that it reaches.

    Attributes
    ----------
    ends : float64, (e, 4)
        lon, lat of one end, lon, lat of the other [deg].
    first : int32, (slabs of all + 1,)
        Where the edges of each slab begin.
    begin, slabs : int32, (shapes,)
        First slab of each shape, and how many it has.
    south, per_lat : float64, (shapes,)
        Where its slabs begin [deg], slabs in a degree.
    """

    ends: Float64
    first: Int32
    begin: Int32
    slabs: Int32
    south: Float64
    per_lat: Float64


def edges_of(shapes: Sequence[Any]) -> Edges:
    """Cut the boundaries of shapes, Polygon or MultiPolygon, into slabs."""
    parts, whole = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    ends = np.hstack([points[:-1], points[1:]])[joined]
    shape = whole[part[ring[1:][joined]]]
    count = np.bincount(shape, minlength=len(shapes))
    slabs = count // EDGES_A_SLAB + 1
    bounds = shapely.bounds(shapes)
    south, per_lat = bounds[:, 1], slabs / np.maximum((bounds[:, 3] - bounds[:, 1]) * (1 + 1e-9), 1e-9)
    low, high = (
        np.clip(np.floor((side - south[shape]) * per_lat[shape]), 0, slabs[shape] - 1).astype(np.int64)
        for side in (ends[:, 1::2].min(axis=1), ends[:, 1::2].max(axis=1))
    )
    begin = np.cumsum(slabs) - slabs
    reached = high - low + 1
    which = np.repeat(np.arange(len(ends)), reached)
    slab = np.arange(len(which)) - np.repeat(np.cumsum(reached) - reached, reached) + (begin[shape] + low)[which]
    order = np.argsort(slab, kind="stable")
    return Edges(
        ends[which[order]],
        np.searchsorted(slab[order], np.arange(int(slabs.sum()) + 1)).astype(np.int32),
        begin.astype(np.int32),
        slabs.astype(np.int32),
        south.copy(),
        per_lat,
    )


@kernel
def _side(edges: Any, first: int, last: int, lon: float, lat: float) -> int:
    """Whether a point is inside the shape that has these edges in the point's slab."""
    ends = edges.ends
    inside = OUTSIDE
    for at in range(first, last):
        x1, y1, x2, y2 = ends[at, 0], ends[at, 1], ends[at, 2], ends[at, 3]
        if x1 < lon and x2 < lon:
            continue
        if x2 == lon and y2 == lat:
            return INSIDE
        if y1 == lat and y2 == lat:
            if min(x1, x2) <= lon <= max(x1, x2):
                return INSIDE
        elif (y1 > lat) != (y2 > lat):
            left, right = (x1 - lon) * (y2 - lat), (x2 - lon) * (y1 - lat)
            apart = left - right
            if abs(apart) <= ROUNDING * (abs(left) + abs(right)):
                return UNSURE
            if (apart > 0.0) == (y2 > y1):
                inside = INSIDE - inside
    return inside


@kernel
def sides(edges: Any, pairs: Int32, lon: Float64, lat: Float64) -> Int8:
    """For pairs of fix and shape, (p, 2): ``OUTSIDE``, ``INSIDE`` or ``UNSURE``, (p,)."""
    found = np.empty(len(pairs), np.uint8)
    for at in range(len(pairs)):
        row, shape = pairs[at, 0], pairs[at, 1]
        slab = int((lat[row] - edges.south[shape]) * edges.per_lat[shape])
        slab = edges.begin[shape] + min(max(slab, 0), edges.slabs[shape] - 1)
        found[at] = _side(edges, edges.first[slab], edges.first[slab + 1], lon[row], lat[row])
    return found
