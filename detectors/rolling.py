"""Rolling: what is driven in the last 144 ten minutes, over fixes and pieces.

What lies in a ten minutes is at most 600 000 ms, which takes 20 bits: 16 in one array and 4 in another, two of them
a byte. Any 144 such numbers may occur, so nothing exact takes much less than these 360 bytes.

Source: rulebook §4, V07; §6, leads.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.activity import DRIVE
from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, SHOWN, STANDS, WARNED, Found, show
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int32, Int64
from ingest.kernel import kernel
from ingest.moment import DAY_MS

BUCKET_MS = 600_000
"""Length of a bucket; they begin at whole multiples of it since the epoch [ms]."""
BUCKETS = 144
"""How many of them a total is over."""

ROLLING = np.dtype(
    [
        *EPISODE,
        ("over", "u1"),
        ("warned", "u1"),
        ("bucket", "i4"),
        ("total_ms", "i4"),
        ("peak_ms", "i4"),
        ("driver", "i8"),
        ("driver_bucket", "i4"),
        ("other_bucket", "i4"),
        ("low", "u2", (BUCKETS,)),
        ("high", "u1", (BUCKETS // 2,)),
    ],
    align=True,
)
"""What was driven in each of the buckets up to `bucket`, a ring, and in all of them; the driver shown last, with the
bucket of that fix and of the last one with another driver; the latest episode (`severity` 0 if none), the most that
was driven in it, whether it was told to be `over`; whether it was warned of since the total was last low."""

ROLLED = np.dtype([*SHOWN, ("driven_ms", "i8"), ("left_ms", "i8")], align=True)
"""An episode of a rolling total: the most that was driven in 24 hours [ms]; or the warning before one: what was, and
what is left of the limit [ms]."""


@kernel
def _show(found: Any, vehicle: int, own: Any, fact: int) -> None:
    show(found, vehicle, own)
    found.fact = fact
    found.driven_ms = own.peak_ms
    found.left_ms = 0


@kernel
def _warn(found: Any, vehicle: int, now_ms: int, lon: float, lat: float, driven_ms: int, left_ms: int) -> None:
    """Write the warning before an episode, of no severity."""
    found.vehicle = vehicle
    found.fact = WARNED
    found.begins_ms = now_ms
    found.raised_ms = now_ms
    found.ends_ms = now_ms
    found.lon = lon
    found.lat = lat
    found.severity = 0
    found.lead = 0
    found.driven_ms = driven_ms
    found.left_ms = left_ms


@kernel
def _read(low: Any, high: Any, bucket: int) -> int:
    """What was driven in a bucket [ms]."""
    cell = bucket % BUCKETS
    return int(np.int64(low[cell]) + (((np.int64(high[cell // 2]) >> (cell % 2 * 4)) & 15) << 16))


@kernel
def _write(low: Any, high: Any, bucket: int, ms: int) -> None:
    """Let this much be driven in a bucket [ms]."""
    cell = bucket % BUCKETS
    shift = cell % 2 * 4
    low[cell] = ms & 65_535
    high[cell // 2] = (np.int64(high[cell // 2]) & (240 >> shift)) | ((ms >> 16) << shift)


@kernel
def _advance(own: Any, low: Any, high: Any, bucket: int) -> None:
    """Let the ring reach to a bucket: what falls out of it counts no longer."""
    if bucket - own.bucket >= BUCKETS:
        low[:] = 0
        high[:] = 0
        own.total_ms = 0
    else:
        for gone in range(own.bucket + 1, bucket + 1):
            own.total_ms -= _read(low, high, gone)
            _write(low, high, gone, 0)
    own.bucket = bucket


@kernel
def _drive(own: Any, low: Any, high: Any, from_ms: int, to_ms: int) -> None:
    """Add driving to the buckets it lies in, as far as the ring reaches."""
    begin = max(from_ms, (own.bucket + 1 - BUCKETS) * BUCKET_MS)
    while begin < to_ms:
        bucket = begin // BUCKET_MS
        end = min(to_ms, (bucket + 1) * BUCKET_MS)
        _write(low, high, bucket, _read(low, high, bucket) + end - begin)
        own.total_ms += end - begin
        begin = end


@kernel
def _rolling(
    vehicle: Int32,
    time_ms: Int64,
    lon: Float64,
    lat: Float64,
    driver: Int64,
    crew: Int32,
    when: Bool,
    slot: Int32,
    pieces: State,
    sets: Int32,
    limit_ms: Int64,
    warn_ms: Int64,
    lows: Any,
    highs: Any,
    state: State,
    found: Found,
) -> int:
    """Carry the totals of a batch's vehicles through its fixes; returns how many rows of `found` it wrote.

    They are two a fix at most: an episode is over, and what became of the total since.
    """
    count = 0
    changed = False
    at = 0
    for row in range(len(vehicle)):
        if slot[row] < 0:
            while at < len(pieces) and pieces[at].row == row:
                at += 1
            continue
        who, now, bucket = vehicle[row], time_ms[row], time_ms[row] // BUCKET_MS
        own, low, high = state[slot[row]], lows[slot[row]], highs[slot[row]]
        if driver[row] != 0:
            if driver[row] != own.driver:
                own.other_bucket = own.driver_bucket
                own.driver = driver[row]
            own.driver_bucket = bucket
        if own.severity != 0 and own.over == 0 and now - own.raised_ms >= DAY_MS:
            own.over = 1
            _show(found[count], who, own, ENDED)
            count += 1
            changed = False
        moved = False
        while at < len(pieces) and pieces[at].row == row:
            if pieces[at].what == DRIVE:
                if not moved:
                    _advance(own, low, high, bucket)
                moved = True
                _drive(own, low, high, pieces[at].from_ms, pieces[at].to_ms)
            at += 1
        if moved and when[row]:
            left = limit_ms[sets[row]] - own.total_ms
            if left < 0:
                own.warned = 1
                if own.severity == 0 or own.over != 0:
                    own.begins_ms = now
                    own.raised_ms = now
                    own.ends_ms = now
                    own.lon = lon[row]
                    own.lat = lat[row]
                    own.lead = crew[row] >= 2 or own.other_bucket > bucket - BUCKETS
                    own.severity = 2 if own.lead != 0 else 3
                    own.over = 0
                    own.peak_ms = own.total_ms
                    _show(found[count], who, own, RAISED)
                    count += 1
                else:
                    own.ends_ms = now
                    own.peak_ms = max(own.peak_ms, own.total_ms)
                    changed = True
            elif left >= warn_ms[sets[row]]:
                own.warned = 0
            elif own.warned == 0:
                own.warned = 1
                _warn(found[count], who, now, lon[row], lat[row], own.total_ms, left)
                count += 1
        if changed and (row + 1 == len(vehicle) or vehicle[row + 1] != who):
            _show(found[count], who, own, STANDS)
            count += 1
            changed = False
    return count


def rolling_total(batch: Enriched, when: Bool, limits: Limits, state: State) -> Found:
    """Driving in the ten minutes that a fix lies in and the 143 before, against a limit.

    Parameters
    ----------
    batch : Enriched, (n,)
        With its pieces; driving behind a gap is left out.
    when : bool, (n,)
        Fixes that may raise or extend an episode; the driving itself is counted always.
    limits : Limits
        ``limit_ms``, ``warn_ms``, those in force at the fix that is tested.

    Returns
    -------
    Found of ``ROLLED``, (m,)
        An episode is over at the first fix 24 h or more after it was raised.
    """
    found: NDArray[np.void] = np.empty(2 * len(batch), ROLLED)
    count = _rolling(
        batch.vehicle,
        batch.time_ms,
        batch.lon,
        batch.lat,
        batch.driver,
        batch.crew,
        when,
        limits.slot,
        batch.pieces,
        limits.index,
        limits.parameter("limit_ms"),
        limits.parameter("warn_ms"),
        state["low"],
        state["high"],
        state,
        found,
    )
    return found[:count]


def rolling_measures(row: Any) -> dict[str, object]:
    """The most that was driven in 24 hours; for a warning what was driven, and what is left of the limit [s]."""
    left = {"left_s": int(row["left_ms"]) / 1000} if row["fact"] == WARNED else {}
    return {"driven_s": int(row["driven_ms"]) / 1000, **left}


def rolling_facts(measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, float]:
    """What was driven above the limit [s]."""
    return {"excess_s": measures["driven_s"] - parameters["limit_ms"] / 1000}
