"""The gate: which fixes detectors may believe, and for what reason the others are kept apart.

Source: rulebook §2, steps 1-5, in arrival order, per vehicle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ingest.batch import MISSING_MS, Batch, Bool, Float64, Int8, Int32, Int64
from ingest.geodesy import distance_dm, jumps
from ingest.kernel import kernel
from ingest.status import FIXED_BIT, told


class Verdict(IntEnum):
    """What the gate says of a fix; every value but the first is a reason of rejection."""

    ACCEPTED = 0
    UNQUALIFIED = 1
    NO_FIX = 2
    BACKFILL = 3
    DUPLICATE = 4
    LATE = 5
    UNCONFIRMED = 6
    DRIFT = 7


CLOCK_AHEAD_MS = 60_000
"""How far a device's clock may run ahead of the receipt [ms]."""

ABSENCE_MS = 3_600_000
"""A fix later than the last located one by more than this needs a second one to confirm it [ms]."""

DRIFT_MS = 180_000
"""A place that persists for longer than this is believed [ms]."""

VERSION = 1
"""Of what the gate remembers; a new one means old state cannot be read."""

STATE = np.dtype(
    [
        ("located_ms", "i8"),
        ("candidate_ms", "i8"),
        ("time_ms", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
        ("speed_kmh", "f8"),
        ("driver", "i8"),
        ("has_located", "u1"),
        ("has_candidate", "u1"),
        ("has_accepted", "u1"),
    ],
    align=True,
)
"""What the gate remembers per vehicle: the last located time, the candidate, the last accepted fix."""


@dataclass(frozen=True, slots=True)
class Accepted(Batch):
    """Accepted fixes, by vehicle, then time, each with the pair it ends; shape (n,).

    The pair's first fix is the vehicle's accepted fix before, in this batch or an earlier one.

    Attributes
    ----------
    at : int64
        Where the fix stood in the batch in arrival order, from 0.
    dt_ms : int64
        Time since the fix before [ms]; -1 for a vehicle's first.
    distance_dm : int64
        Distance from the fix before [dm]; 0 where the pair jumps.
    jump : bool
        The pair jumps, though it lies too far apart in time to be drift.
    before_lon, before_lat, before_speed_kmh, before_driver
        Columns of the fix before; meaningless where ``dt_ms`` is -1.
    """

    at: Int64
    dt_ms: Int64
    distance_dm: Int64
    jump: Bool
    before_lon: Float64
    before_lat: Float64
    before_speed_kmh: Float64
    before_driver: Int64


def _ranges(batch: Batch) -> Iterator[tuple[str, str, Bool]]:
    """Fields with the range they must lie in, and where they do, (n,). NaN may stand where optional."""
    yield "lon", "[73.55, 135.0833]", (batch.lon >= 73.55) & (batch.lon <= 135.0833)
    yield "lat", "[3.85, 53.55]", (batch.lat >= 3.85) & (batch.lat <= 53.55)
    yield "speed_kmh", "[0, 200]", (batch.speed_kmh >= 0.0) & (batch.speed_kmh <= 200.0)
    altitude, heading = batch.altitude_m, batch.heading_deg
    yield "altitude_m", "[-200, 6500]", np.isnan(altitude) | ((altitude >= -200.0) & (altitude <= 6500.0))
    yield "heading_deg", "[0, 360]", np.isnan(heading) | ((heading >= 0.0) & (heading <= 360.0))


def _mistimed(batch: Batch) -> Bool:
    """Where the time is missing, or ahead of the receipt, (n,)."""
    known = batch.received_ms != MISSING_MS
    late: Bool = known & (batch.time_ms > np.where(known, batch.received_ms, 0) + CLOCK_AHEAD_MS)
    late |= batch.time_ms == MISSING_MS
    return late


def unqualified(batch: Batch) -> Bool:
    """Step 1: a field out of range, unreadable or missing, or a clock ahead of the receipt; (n,)."""
    bad: Bool = _mistimed(batch)
    for _, _, inside in _ranges(batch):
        bad |= ~inside
    return bad


def flaws(batch: Batch) -> Int8:
    """What makes fixes unqualified, as bits, (n,): 1 time, 2 place, 4 speed, 8 heading, 16 altitude; 0 where nothing.

    Any bit stands exactly where `unqualified` does.
    """
    found = _mistimed(batch).astype(np.uint8)
    bits = {"lon": 2, "lat": 2, "speed_kmh": 4, "heading_deg": 8, "altitude_m": 16}
    for field, _, inside in _ranges(batch):
        found[~inside] |= np.uint8(bits[field])
    return found


def stateless(batch: Batch) -> Int8:
    """Steps 1-3, which need no memory: a ``Verdict`` per fix, (n,)."""
    no_fix = (batch.status != -1) & ~told(batch.status, FIXED_BIT)
    verdict = np.where(batch.backfill, np.uint8(Verdict.BACKFILL), np.uint8(Verdict.ACCEPTED))
    verdict[no_fix] = Verdict.NO_FIX
    verdict[unqualified(batch)] = Verdict.UNQUALIFIED
    return verdict


@kernel
def _sequence(
    order: NDArray[np.int64],
    vehicle: Int32,
    time_ms: Int64,
    lon: Float64,
    lat: Float64,
    speed_kmh: Float64,
    driver: Int64,
    state: NDArray[np.void],
    second: bool,
    verdict: Int8,
    rows: Int64,
    dt_ms: Int64,
    pair_dm: Int64,
    jump: Bool,
    before: Float64,
    before_driver: Int64,
) -> int:
    """Steps 4 and 5: settle ``verdict`` and fill the pair columns; returns how many are accepted."""
    accepted = 0
    for position in range(len(order)):
        row = order[position]
        if verdict[row] != 0:
            continue
        own = state[vehicle[row]]
        now = time_ms[row]
        if own.has_located and now == own.located_ms:
            verdict[row] = 4
            continue
        if own.has_located and now < own.located_ms:
            verdict[row] = 5
            continue
        if not second and (not own.has_located or now - own.located_ms > ABSENCE_MS):
            confirmed = own.has_candidate and 0 < now - own.candidate_ms <= ABSENCE_MS
            if not confirmed:
                own.has_candidate = 1
                own.candidate_ms = now
                verdict[row] = 6
                continue
        own.has_located = 1
        own.located_ms = now
        own.has_candidate = 0
        gap = -1
        apart = 0
        too_far = False
        if own.has_accepted:
            gap = int(now - own.time_ms)
            apart = distance_dm(own.lon, own.lat, lon[row], lat[row])
            too_far = jumps(apart, gap)
            if too_far:
                if gap <= DRIFT_MS:
                    verdict[row] = 7
                    continue
                apart = 0
        rows[accepted] = row
        dt_ms[accepted] = gap
        pair_dm[accepted] = apart
        jump[accepted] = too_far
        before[0, accepted] = own.lon
        before[1, accepted] = own.lat
        before[2, accepted] = own.speed_kmh
        before_driver[accepted] = own.driver
        accepted += 1
        own.has_accepted = 1
        own.time_ms = now
        own.lon = lon[row]
        own.lat = lat[row]
        own.speed_kmh = speed_kmh[row]
        own.driver = driver[row]
    return accepted


def gate(batch: Batch, state: NDArray[np.void], *, second: bool = False) -> tuple[Accepted, Int8]:
    """Pass a batch through the gate.

    Parameters
    ----------
    batch : Batch, (n,)
        Fixes in arrival order.
    state : structured array of ``STATE``, (vehicles,)
        Changed in place; a row of zeros is a vehicle never heard of.
    second : bool
        The fixes are known to be located, back-filled ones too, and come in order of time: only drift is told.

    Returns
    -------
    Accepted, (m,)
        What is left, by vehicle, then time, with its pairs.
    uint8 array, (n,)
        The ``Verdict`` of every fix, in arrival order.
    """
    n = len(batch)
    verdict = stateless(batch)
    if second:
        verdict[verdict == Verdict.BACKFILL] = Verdict.ACCEPTED
    rows = np.empty(n, np.int64)
    dt_ms, pair_dm, before_driver = (np.empty(n, np.int64) for _ in range(3))
    jump = np.empty(n, np.bool_)
    before = np.empty((3, n))
    m = _sequence(
        batch.by_vehicle(),
        batch.vehicle,
        batch.time_ms,
        batch.lon,
        batch.lat,
        batch.speed_kmh,
        batch.driver,
        state,
        second,
        verdict,
        rows,
        dt_ms,
        pair_dm,
        jump,
        before,
        before_driver,
    )
    kept = rows[:m]
    accepted = Accepted(
        **batch.take(kept).columns(),
        at=kept,
        dt_ms=dt_ms[:m],
        distance_dm=pair_dm[:m],
        jump=jump[:m],
        before_lon=before[0, :m],
        before_lat=before[1, :m],
        before_speed_kmh=before[2, :m],
        before_driver=before_driver[:m],
    )
    accepted.heading_deg[accepted.heading_deg == 360.0] = 0.0
    return accepted, verdict


def explain(batch: Batch, row: int, verdict: Verdict) -> str:
    """Say in words why the gate refused a fix."""
    if verdict is not Verdict.UNQUALIFIED:
        return _WORDS[verdict]
    one = batch.take(slice(row, row + 1))
    flaws = [
        f"{field} {getattr(one, field)[0]:g} is not in {span}"
        for field, span, good in _ranges(one)
        if not good[0] and np.isfinite(getattr(one, field)[0])
    ]
    flaws += [f"{field} is missing or unreadable" for field, _, good in _ranges(one) if not good[0]][: not flaws]
    if one.time_ms[0] == MISSING_MS:
        flaws.insert(0, "time is missing or unreadable")
    return "; ".join(flaws) or "time is ahead of the receipt"


_WORDS = {
    Verdict.NO_FIX: "the receiver had no fix (status bit 1)",
    Verdict.BACKFILL: "sent after a blind area; enters the closing of its day",
    Verdict.DUPLICATE: "the vehicle's last located fix has the same time",
    Verdict.LATE: "earlier than the vehicle's last located fix",
    Verdict.UNCONFIRMED: "the vehicle's first fix, or its first after more than an hour: the next one confirms",
    Verdict.DRIFT: "farther from the fix before than any vehicle drives",
}
