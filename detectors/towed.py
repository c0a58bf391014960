"""Towed: where a vehicle that is switched off gets to.

A fix is *off* where the kind applies and its status is given without the ignition bit. A fix that is off and moves has
its place kept as the *anchor* where there is none: it moves where its speed is ≥ ``drive_kmh``, or the D of its pair ≥
``shift_dm``. The anchor is dropped at a fix that is not off, whose pair jumps, or that lies more than ``within_ms``
behind it; then that fix, if it is off and moves, is the next one. Where an off fix lies more than ``far_dm`` from the
anchor (haversine, in whole decimetres), the vehicle is displaced at this fix, and its place is the next anchor. All
parameters are those of the fix at hand.
"""

import numpy as np

from detectors.enrich import Enriched
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int32, Int64
from ingest.geodesy import distance_dm
from ingest.kernel import kernel
from ingest.status import IGNITION_BIT

ANCHOR = np.dtype([("held", "u1"), ("at_ms", "i8"), ("at_lon", "f8"), ("at_lat", "f8")], align=True)
"""The anchor, if one is `held`."""


@kernel
def _displaced(
    vehicle: Int32,
    slot: Int32,
    time_ms: Int64,
    pair_dm: Int64,
    jump: Bool,
    lon: Float64,
    lat: Float64,
    speed_kmh: Float64,
    off: Bool,
    sets: Int32,
    drive_kmh: Float64,
    shift_dm: Int64,
    far_dm: Int64,
    within_ms: Int64,
    nothing: State,
    state: State,
    found: Bool,
) -> None:
    """Carry anchors through a batch, by vehicle; tell where it is displaced, (n,)."""
    for row in range(len(vehicle)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        if own.held == 0 and not off[row]:
            continue
        one = sets[row]
        anchored = own.held == 1 and off[row] and not jump[row] and time_ms[row] - own.at_ms <= within_ms[one]
        far = anchored and distance_dm(own.at_lon, own.at_lat, lon[row], lat[row]) > far_dm[one]
        found[row] = far
        if anchored and not far:
            continue
        if far or (off[row] and (speed_kmh[row] >= drive_kmh[one] or pair_dm[row] >= shift_dm[one])):
            own.held = 1
            own.at_ms = time_ms[row]
            own.at_lon = lon[row]
            own.at_lat = lat[row]
        elif own.held:
            state[slot[row]] = nothing[0]


def off(batch: Enriched) -> Bool:
    """Where the ignition is told to be off, (n,)."""
    found: Bool = (batch.status != -1) & ((batch.status & IGNITION_BIT) == 0)
    return found


def displaced(batch: Enriched, limits: Limits, state: State) -> Bool:
    """Fixes at which a vehicle is displaced with its ignition off, (n,).

    Parameters
    ----------
    batch : Enriched, (n,)
    limits : Limits
        ``drive_kmh``, ``shift_dm``, ``far_dm``, ``within_ms``.
    state : structured array of ``ANCHOR``, (slots,)
        Changed in place.
    """
    found = np.zeros(len(batch), np.bool_)
    _displaced(
        batch.vehicle,
        limits.slot,
        batch.time_ms,
        batch.distance_dm,
        batch.jump,
        batch.lon,
        batch.lat,
        batch.speed_kmh,
        limits.applies & off(batch),
        limits.index,
        limits.parameter("drive_kmh"),
        limits.parameter("shift_dm"),
        limits.parameter("far_dm"),
        limits.parameter("within_ms"),
        np.zeros(1, ANCHOR),
        state,
        found,
    )
    return found
