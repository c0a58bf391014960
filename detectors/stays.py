"""Stays: a vehicle that stands in one place, for how long, and what was seen meanwhile.

What every kind that uses it shares: fixes are a vehicle's accepted ones, in order. A *stay* is a maximal sequence of
consecutive fixes that are *still* (speed < ``still_kmh``), in which each pair has D < ``still_dm``, whatever its Δt.
A fix at which the vehicle is not registered in a class of the kind, or is exempt, is not still. Its length is
t_last − t_first. A stay keeps the numbers of its first fix, but for ``still_kmh``, which is looked up at each fix.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, RISEN, SHOWN, STANDS, Found, show
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.geodesy import distance_dm as haversine_dm
from ingest.kernel import kernel
from ingest.moment import BEIJING_MS, DAY_MS

STAYED = np.dtype([*SHOWN, ("stops", "i4"), ("fence", "i4")], align=True)
"""An episode of stays: how many, and the fence it goes by (-1: none)."""

STAY = np.dtype(
    [
        *EPISODE,
        ("running", "u1"),
        ("cleared", "u1"),
        ("raised", "u1"),
        ("seen", "u1"),
        ("mark", "u1"),
        ("set", "i4"),
        ("fence", "i4"),
        ("first_ms", "i8"),
        ("first_lon", "f8"),
        ("first_lat", "f8"),
    ],
    align=True,
)
"""The present stay (if `running`): whether it is cleared, raised, was seen for sure; the fence that makes it grave."""

STOPS = np.dtype(
    [
        *EPISODE,
        ("running", "u1"),
        ("cleared", "u1"),
        ("seen", "u1"),
        ("stops", "u1"),
        ("stops_seen", "u1"),
        ("day", "i4"),
        ("set", "i4"),
        ("fence", "i4"),
        ("left_fence", "i4"),
        ("first_ms", "i8"),
        ("last_ms", "i8"),
        ("first_lon", "f8"),
        ("first_lat", "f8"),
        ("left_lon", "f8"),
        ("left_lat", "f8"),
    ],
    align=True,
)
"""Counted stops of a Beijing day (`severity` 0 until they are enough) and the fence that was left before the first of
them; the present stay; the fence that was left last on that day (-1: none), with the last fix inside it."""

MOST_STOPS = 255


@kernel
def _write(found: Any, vehicle: int, own: Any, stops: int) -> None:
    show(found, vehicle, own)
    found.stops = stops
    found.fence = own.fence


@kernel
def _stay(
    vehicle: Int32,
    slot: Int32,
    time_ms: Int64,
    distance_dm: Int64,
    lon: Float64,
    lat: Float64,
    still: Bool,
    counts: Bool,
    seen: Bool,
    grave: Int32,
    mark: Int8,
    sets: Int32,
    still_dm: Int64,
    stop_ms: Int64,
    state: State,
    found: Found,
) -> int:
    """Carry stays through a batch; returns how many rows of `found` it wrote: one a fix at most."""
    count = 0
    changed = False
    for row in range(len(vehicle)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        fact = STANDS
        if own.running and not (still[row] and distance_dm[row] < still_dm[own.set]):
            own.running = 0
            if own.raised:
                _write(found[count], vehicle[row], own, 1)
                found[count].fact = ENDED
                count += 1
                changed = False
        if still[row]:
            if not own.running:
                own.running = 1
                own.cleared = 0
                own.raised = 0
                own.seen = 0
                own.fence = -1
                own.mark = mark[row]
                own.set = sets[row]
                own.first_ms = time_ms[row]
                own.first_lon = lon[row]
                own.first_lat = lat[row]
            own.cleared |= not counts[row]
            own.seen |= seen[row]
            if own.fence < 0:
                own.fence = grave[row]
            if own.raised:
                own.ends_ms = time_ms[row]
                changed = True
                if own.fence >= 0 and own.lead == 0 and own.severity < 4:
                    own.severity = 4
                    fact = RISEN
            elif not own.cleared and time_ms[row] - own.first_ms > stop_ms[own.set, own.mark]:
                fact = RAISED
                own.raised = 1
                own.begins_ms = own.first_ms
                own.raised_ms = time_ms[row]
                own.ends_ms = time_ms[row]
                own.lon = own.first_lon
                own.lat = own.first_lat
                own.lead = 0 if own.seen else 1
                own.severity = 4 if own.fence >= 0 and own.seen else 2
        if fact != STANDS or (changed and (row + 1 == len(vehicle) or vehicle[row + 1] != vehicle[row])):
            _write(found[count], vehicle[row], own, 1)
            found[count].fact = fact
            count += 1
            changed = False
    return count


def stay(
    batch: Enriched,
    when: Bool,
    counts: Bool,
    limits: Limits,
    state: State,
    *,
    seen: Bool,
    grave: Int32,
    mark: Int8,
    stops: tuple[str, ...],
) -> Found:
    """Stays that last longer than they may, each an episode of its own.

    Parameters
    ----------
    batch : Enriched, (n,)
        Accepted fixes, by vehicle, then time.
    when : bool, (n,)
        Where the vehicle is still.
    counts : bool, (n,)
        Where it may not stand; a stay with a fix at which it may is cleared.
    limits : Limits
        ``still_dm``, and the numbers of `stops` [ms], which a stay's length must exceed.
    state : structured array of ``STAY``, (slots,)
        Changed in place.
    seen : bool, (n,)
        Where it is certain: an episode raised without such a fix of the stay is a lead.
    grave : int32, (n,)
        A fence that makes a stay severe; -1 for none.
    mark : uint8, (n,)
        Which of `stops` counts: that of the stay's first fix.

    Returns
    -------
    Found of ``STAYED``, (m,)
    """
    n = len(batch)
    found: NDArray[np.void] = np.empty(n, STAYED)
    count = _stay(
        batch.vehicle,
        limits.slot,
        batch.time_ms,
        batch.distance_dm,
        batch.lon,
        batch.lat,
        when,
        counts,
        seen,
        grave,
        mark,
        limits.index,
        limits.parameter("still_dm"),
        np.stack([limits.parameter(name) for name in stops], axis=1),
        state,
        found,
    )
    return found[:count]


@kernel
def _stops(
    vehicle: Int32,
    slot: Int32,
    time_ms: Int64,
    distance_dm: Int64,
    lon: Float64,
    lat: Float64,
    still: Bool,
    counts: Bool,
    seen: Bool,
    inside: Int32,
    sets: Int32,
    still_dm: Int64,
    far_dm: Int64,
    least_ms: Int64,
    unseen_ms: Int64,
    most_ms: Int64,
    points: Int64,
    severe_points: Int64,
    state: State,
    found: Found,
) -> int:
    """Count stops near a fence that was left; returns how many rows of `found` it wrote: two a fix at most."""
    count = 0
    changed = False
    for row in range(len(vehicle)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        fact = STANDS
        day = (time_ms[row] + BEIJING_MS) // DAY_MS
        if own.day != day:
            if own.severity != 0:
                _write(found[count], vehicle[row], own, own.stops)
                found[count].fact = ENDED
                count += 1
                changed = False
            own.day = day
            own.severity = 0
            own.lead = 0
            own.stops = 0
            own.stops_seen = 0
            own.running = 0
            own.fence = -1
            own.left_fence = -1
        if own.running and not (still[row] and distance_dm[row] < still_dm[own.set]):
            own.running = 0
            lasted = own.last_ms - own.first_ms
            least = least_ms[own.set] if own.seen else unseen_ms[own.set]
            if not own.cleared and least <= lasted <= most_ms[own.set]:
                if own.stops == 0:
                    own.begins_ms = own.first_ms
                    own.lon = own.first_lon
                    own.lat = own.first_lat
                    own.fence = own.left_fence
                own.ends_ms = own.last_ms
                own.stops = min(own.stops + 1, MOST_STOPS)
                if own.seen:
                    own.stops_seen = min(own.stops_seen + 1, MOST_STOPS)
                if own.severity == 0 and own.stops >= points[own.set]:
                    fact = RAISED
                    own.raised_ms = time_ms[row]
                    own.lead = 1 if own.stops_seen < points[own.set] else 0
                    own.severity = 2
                if own.severity == 2 and own.lead == 0 and own.stops_seen >= severe_points[own.set]:
                    own.severity = 3
                    if fact == STANDS:
                        fact = RISEN
                changed = own.severity != 0
        if still[row]:
            if not own.running:
                own.running = 1
                own.seen = 0
                own.set = sets[row]
                own.first_ms = time_ms[row]
                own.first_lon = lon[row]
                own.first_lat = lat[row]
                own.cleared = 1
                if own.left_fence >= 0:
                    apart = haversine_dm(own.left_lon, own.left_lat, lon[row], lat[row])
                    own.cleared = 1 if apart > far_dm[own.set] else 0
            own.cleared |= not counts[row]
            own.seen |= seen[row]
            own.last_ms = time_ms[row]
        if inside[row] >= 0:
            own.left_fence = inside[row]
            own.left_lon = lon[row]
            own.left_lat = lat[row]
        if fact != STANDS or (changed and (row + 1 == len(vehicle) or vehicle[row + 1] != vehicle[row])):
            _write(found[count], vehicle[row], own, own.stops)
            found[count].fact = fact
            count += 1
            changed = False
    return count


def stops_near(
    batch: Enriched, when: Bool, counts: Bool, limits: Limits, state: State, *, seen: Bool, inside: Int32
) -> Found:
    """Stops of a Beijing day near a fence that was left on that day, counted: one episode a day.

    Parameters
    ----------
    batch : Enriched, (n,)
        Accepted fixes, by vehicle, then time.
    when : bool, (n,)
        Where the vehicle is still.
    counts : bool, (n,)
        Where it may not stop; a stay with a fix at which it may is not counted.
    limits : Limits
        ``still_dm``, ``far_dm``; ``least_ms`` and ``unseen_ms``, which a stop's length must reach where it was seen
        for sure and where not; ``most_ms``, which it may reach; ``points`` and ``severe_points`` stops.
    state : structured array of ``STOPS``, (slots,)
        Changed in place.
    seen : bool, (n,)
        Where it is certain that people get on or off.
    inside : int32, (n,)
        Fence that holds the fix; -1 where none does.

    Returns
    -------
    Found of ``STAYED``, (m,)
    """
    n = len(batch)
    found: NDArray[np.void] = np.empty(2 * n, STAYED)
    count = _stops(
        batch.vehicle,
        limits.slot,
        batch.time_ms,
        batch.distance_dm,
        batch.lon,
        batch.lat,
        when,
        counts,
        seen,
        inside,
        limits.index,
        limits.parameter("still_dm"),
        limits.parameter("far_dm"),
        limits.parameter("least_ms"),
        limits.parameter("unseen_ms"),
        limits.parameter("most_ms"),
        limits.parameter("points"),
        limits.parameter("severe_points"),
        state,
        found,
    )
    return found[:count]


def stood_measures(row: Any) -> dict[str, object]:
    """How long it stood [s]."""
    return {"stood_s": int(row["ends_ms"] - row["begins_ms"]) / 1000}


def stop_measures(row: Any) -> dict[str, object]:
    """How many stops were counted."""
    return {"stops": int(row["stops"])}
