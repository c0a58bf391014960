"""Loads: whether a vehicle carries goods, as its terminal says, or as the places where it stood suggest."""

import numpy as np

from detectors.enrich import Enriched
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.kernel import kernel
from ingest.moment import BEIJING_MS, DAY_MS

LOAD = np.dtype([("speaks", "u1"), ("loaded", "u1"), ("day", "i4")], align=True)
"""Whether the terminal ever told of a load, what it said last, and the Beijing day (days of the epoch) on which the
vehicle last stood at a shipper's without having stood at a consignee's since; 0 for none."""

EMPTY, TOLD, GUESSED = 0, 1, 2


@kernel
def _loads(
    slot: Int32,
    time_ms: Int64,
    status: Int64,
    speed_kmh: Float64,
    shipper: Bool,
    consignee: Bool,
    sets: Int32,
    stand_kmh: Float64,
    state: State,
    found: Int8,
) -> None:
    """Follow loads through a batch, by vehicle."""
    for row in range(len(slot)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        day = (time_ms[row] + BEIJING_MS) // DAY_MS
        if status[row] >= 0:
            bits = (status[row] >> 8) & 3
            if bits == 1 or bits == 3:
                own.speaks = 1
                own.loaded = 1
            elif bits == 0:
                own.loaded = 0
        if speed_kmh[row] < stand_kmh[sets[row]]:
            if consignee[row]:
                own.day = 0
            elif shipper[row]:
                own.day = day
        if own.speaks:
            found[row] = TOLD if own.loaded else EMPTY
        elif own.day == day and not shipper[row]:
            found[row] = GUESSED


def loads(batch: Enriched, limits: Limits, state: State) -> Int8:
    """Whether the vehicle carries goods at each fix, (n,): ``EMPTY``, ``TOLD`` or ``GUESSED``; EMPTY where unknown.

    A terminal that once said half or full in bits 8-9 of its status (JT/T 808: 00 empty, 01 half, 11 full; 10 says
    nothing) is believed from that fix on: the load is what a fix said last. Until then a vehicle counts as loaded by a
    guess when it has stood (a fix with a speed below ``stand_kmh``) inside a ``shipper`` fence on the same Beijing
    day, is not inside one at this fix, and has not stood inside a ``consignee`` fence since (inside both: the
    consignee's counts). Statuses are read at every accepted fix, fences only at those at which the kind applies.

    Parameters
    ----------
    batch : Enriched, (n,)
    limits : Limits
        ``stand_kmh``, as it is at the fix.
    state : structured array of ``LOAD``, (vehicles of the kind,)
        Changed in place.
    """
    shipper, consignee = (_inside(batch, limits, fence) for fence in ("shipper", "consignee"))
    found = np.zeros(len(batch), np.uint8)
    _loads(
        limits.slot,
        batch.time_ms,
        batch.status,
        batch.speed_kmh,
        shipper,
        consignee,
        limits.index,
        limits.parameter("stand_kmh"),
        state,
        found,
    )
    return found


def _inside(batch: Enriched, limits: Limits, fence: str) -> Bool:
    """Where the rule's vehicles are inside a fence of this kind, (n,)."""
    found = np.zeros(len(batch), np.bool_)
    at = np.flatnonzero(limits.applies)
    place = batch.lon[at], batch.lat[at], batch.time_ms[at], batch.kind[at]
    found[at] = batch.around.zones.least(fence, *place).fence >= 0
    return found
