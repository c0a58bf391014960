"""Exits: when vehicles that stood in a fence left it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import SHOWN, Found
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int32, Int64
from ingest.kernel import kernel

VISIT = np.dtype(
    [
        ("visiting", "u1"),
        ("halting", "u1"),
        ("stayed", "u1"),
        ("at_fence", "i4"),
        ("set", "i4"),
        ("out_dm", "i4"),
        ("entered_ms", "i8"),
        ("halt_ms", "i8"),
        ("last_ms", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
    ],
    align=True,
)
"""The fence that a vehicle is in, if it is `visiting` one: since when, whether it has stayed, since when it has been
slow, its last fix inside, and how far it has driven outside since."""

LEFT = np.dtype(
    [*SHOWN, ("fence", "i4"), ("inside_ms", "i8"), ("since_ms", "i8")],
    align=True,
)
"""A fence that was left: for how long the vehicle had been in it, and since when a record would have counted."""


@kernel
def _leave(found: Any, vehicle: int, now_ms: int, own: Any, window_ms: int, gap_ms: int, severity: int) -> None:
    found.vehicle = vehicle
    found.begins_ms = own.last_ms
    found.raised_ms = now_ms
    found.ends_ms = now_ms
    found.lon = own.lon
    found.lat = own.lat
    found.lead = now_ms - own.last_ms > gap_ms
    found.severity = min(severity, 2) if found.lead else severity
    found.fence = own.at_fence
    found.inside_ms = own.last_ms - own.entered_ms
    found.since_ms = own.last_ms - window_ms


@kernel
def _exits(
    vehicle: Int32,
    slot: Int32,
    applies: Bool,
    time_ms: Int64,
    distance_dm: Int64,
    lon: Float64,
    lat: Float64,
    speed_kmh: Float64,
    inside: Int32,
    sets: Int32,
    slow_kmh: Float64,
    stay_ms: Int64,
    leave_dm: Int64,
    window_ms: Int64,
    gap_ms: Int64,
    severity: int,
    state: State,
    found: Found,
) -> int:
    """Carry visits through a batch; returns how many rows of `found` it wrote, one a fix at most."""
    count = 0
    for row in range(len(vehicle)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        if not applies[row]:
            own.visiting = 0
            own.halting = 0
            continue
        now = time_ms[row]
        slow = speed_kmh[row] < slow_kmh[own.set if own.visiting else sets[row]]
        if own.visiting and inside[row] != own.at_fence:
            own.halting = 0
            if not slow:
                own.out_dm += distance_dm[row]
            if own.out_dm >= leave_dm[own.set]:
                own.visiting = 0
                if own.stayed:
                    _leave(found[count], vehicle[row], now, own, window_ms[own.set], gap_ms[own.set], severity)
                    count += 1
        elif own.visiting:
            own.out_dm = 0
            own.last_ms = now
            own.lon = lon[row]
            own.lat = lat[row]
            if not slow:
                own.halting = 0
            elif own.halting == 0:
                own.halting = 1
                own.halt_ms = now
            elif now - own.halt_ms >= stay_ms[own.set]:
                own.stayed = 1
        if own.visiting == 0 and inside[row] >= 0:
            own.visiting = 1
            own.stayed = 0
            own.set = sets[row]
            own.at_fence = inside[row]
            own.out_dm = 0
            own.entered_ms = now
            own.halting = speed_kmh[row] < slow_kmh[sets[row]]
            own.halt_ms = now
            own.last_ms = now
            own.lon = lon[row]
            own.lat = lat[row]
    return count


def exits(batch: Enriched, inside: Int32, limits: Limits, state: State, *, severity: int) -> Found:
    """Fences that vehicles left after they had stayed in them.

    Parameters
    ----------
    batch : Enriched, (n,)
    inside : int32, (n,)
        The fence that each fix is in; -1 for none.
    limits : Limits
        ``slow_kmh``, ``stay_ms``, ``leave_dm``, ``window_ms``, ``gap_ms``; those of a visit's first fix count.
    state : structured array of ``VISIT``, (slots,)
        Changed in place.
    severity : int
        Of one that is no lead.

    Returns
    -------
    Found of ``LEFT``, (m,)
        One row each, without a fact.
    """
    found: NDArray[np.void] = np.empty(len(batch), LEFT)
    count = _exits(
        batch.vehicle,
        limits.slot,
        limits.applies,
        batch.time_ms,
        batch.distance_dm,
        batch.lon,
        batch.lat,
        batch.speed_kmh,
        inside,
        limits.index,
        limits.parameter("slow_kmh"),
        limits.parameter("stay_ms"),
        limits.parameter("leave_dm"),
        limits.parameter("window_ms"),
        limits.parameter("gap_ms"),
        int(severity),
        state,
        found,
    )
    return found[:count]
