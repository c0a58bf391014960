"""Passings: the stops of their trips that vehicles pass, and when.

Planar geometry around a stop: east and north of it in metres, by the cosine of its latitude.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Bool, Float64, Int32, Int64
from ingest.gate import Accepted
from ingest.kernel import kernel
from ingest.timetable import METRES_PER_DEG, Due, Timetable, day_of

PASSING = np.dtype(
    [
        ("row", "i8"),
        ("call", "i4"),
        ("trip", "i4"),
        ("day", "i4"),
        ("share", "f8"),
        ("at_ms", "i8"),
        ("due_ms", "i8"),
        ("off_m", "f8"),
    ],
    align=True,
)
"""A stop passed on the way to a fix: which call of which service day it was, at what share of the way, when, when it
was due, and how far off the way it lies."""


@kernel
def off_way(
    lon: float, lat: float, from_lon: float, from_lat: float, to_lon: float, to_lat: float
) -> tuple[float, float]:
    """How far a place lies off the straight way between two others [m], and at what share of it the line is nearest.

    The share is not cut to [0, 1], the distance is that of the nearest point of the way; a way of no length has
    share 0.
    """
    per_lon = math.cos(math.radians(lat)) * METRES_PER_DEG
    east, north = (from_lon - lon) * per_lon, (from_lat - lat) * METRES_PER_DEG
    right, up = (to_lon - lon) * per_lon - east, (to_lat - lat) * METRES_PER_DEG - north
    square = right * right + up * up
    share = -(east * right + north * up) / square if square > 0.0 else 0.0
    nearest = min(1.0, max(0.0, share))
    x, y = east + nearest * right, north + nearest * up
    return math.sqrt(x * x + y * y), share


@kernel
def _pass(
    rows: Int64,
    begin: Int64,
    end: Int64,
    time_ms: Int64,
    dt_ms: Int64,
    before_lon: Float64,
    before_lat: Float64,
    lon: Float64,
    lat: Float64,
    pass_m: Float64,
    call: Int32,
    trip: Int32,
    day: Int64,
    departs_ms: Int64,
    stop: Int32,
    stop_lon: Float64,
    stop_lat: Float64,
    east: Float64,
    north: Float64,
    chosen: Bool,
    abeam: bool,
    passings: NDArray[np.void],
) -> int:
    """Find the stops that pairs pass; returns how many it wrote, or, where there was no room, how many there are."""
    count = 0
    for at in range(len(rows)):
        row = rows[at]
        pad = 2.0 * pass_m[at] / METRES_PER_DEG
        west, east_most = min(before_lon[row], lon[row]) - pad, max(before_lon[row], lon[row]) + pad
        south, north_most = min(before_lat[row], lat[row]) - pad, max(before_lat[row], lat[row]) + pad
        first = count
        for due in range(begin[at], end[at]):
            one = call[due]
            place = stop[one]
            x, y = stop_lon[place], stop_lat[place]
            if not chosen[one] or x < west or x > east_most or y < south or y > north_most:
                continue
            off_m, share = off_way(x, y, before_lon[row], before_lat[row], lon[row], lat[row])
            per_lon = math.cos(math.radians(y))
            along = (lon[row] - before_lon[row]) * per_lon * east[one] + (lat[row] - before_lat[row]) * north[one]
            if not (off_m <= pass_m[at] and along > 0.0) or (abeam and not 0.0 < share <= 1.0):
                continue
            share = min(1.0, max(0.0, share))
            at_ms = time_ms[row] - dt_ms[row] + math.floor(share * dt_ms[row])
            into = count
            for other in range(first, min(count, len(passings))):
                if stop[passings[other].call] == place:
                    into = other
            if into < count and abs(passings[into].due_ms - at_ms) <= abs(departs_ms[due] - at_ms):
                continue
            if into < len(passings):
                passings[into].row = row
                passings[into].call = one
                passings[into].trip = trip[due]
                passings[into].day = day[due]
                passings[into].share = share
                passings[into].at_ms = at_ms
                passings[into].due_ms = departs_ms[due]
                passings[into].off_m = off_m
            if into == count:
                count += 1
    return count


def passings(
    batch: Accepted,
    timetable: Timetable,
    rows: Int64,
    early_ms: Int64,
    late_ms: Int64,
    pass_m: Float64,
    *,
    abeam: bool = True,
) -> NDArray[np.void]:
    """Stops of their trips that vehicles pass, in the direction of the trip.

    Parameters
    ----------
    batch : Accepted, (n,)
    timetable : Timetable
    rows : int64, (m,)
        Fixes whose pairs are looked at, in order.
    early_ms, late_ms : int64, (m,)
        How much before and after its time a call is looked for at most, as seen from the fix [ms].
    pass_m : float64, (m,)
        How far off the way a stop may lie [m].
    abeam : bool
        Only ways that have the stop beside them, of calls between a trip's first and its last that are not on request;
        else all that come near, of all calls.

    Returns
    -------
    structured array of ``PASSING``, (p,)
        By row, then share, then call.
    """
    own = timetable.rows(batch.vehicle[rows])
    runs = own >= 0
    own, rows, early_ms, late_ms, pass_m = own[runs], rows[runs], early_ms[runs], late_ms[runs], pass_m[runs]
    day = day_of(batch.time_ms[rows])
    found = []
    for one in np.unique(day).tolist() or [0]:
        chosen = day == one
        at = rows[chosen]
        due, now = timetable.due(one), batch.time_ms[at]
        begin, end = due.between(own[chosen], now - late_ms[chosen], now + early_ms[chosen])
        found.append(_passed(batch, timetable, due, at, begin, end, pass_m[chosen], abeam))
    every = np.concatenate(found)
    order: NDArray[np.void] = every[np.lexsort((every["call"], every["share"], every["row"]))]
    return order


def _passed(
    batch: Accepted,
    timetable: Timetable,
    due: Due,
    rows: Int64,
    begin: Int64,
    end: Int64,
    pass_m: Float64,
    abeam: bool,
) -> NDArray[np.void]:
    room = 64 + len(rows)
    while True:
        out: NDArray[np.void] = np.empty(room, PASSING)
        count = _pass(
            rows,
            begin,
            end,
            batch.time_ms,
            batch.dt_ms,
            batch.before_lon,
            batch.before_lat,
            batch.lon,
            batch.lat,
            pass_m,
            due.call,
            due.trip,
            due.day,
            due.departs_ms,
            timetable.calls.stop,
            timetable.lon,
            timetable.lat,
            timetable.east,
            timetable.north,
            timetable.inner if abeam else np.ones(len(timetable.inner), np.bool_),
            abeam,
            out,
        )
        if count <= room:
            return out[:count]
        room = count
