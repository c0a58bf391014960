"""Activity: pairs of fixes into driving, stops and rests: the parts that all hours kinds share.

A vehicle's track becomes a sequence of pieces, in time order: stretches of driving, stops that were
rests or too short to be one, gaps that may have been a rest, changes of driver. Yard moves have
been folded into the stops they interrupt. What a counter does with a piece is its own affair.

Source: rulebook §4, *Parts of a pair*, *Stops and yard moves*, *Driver change*.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.limits import Default
from ingest.batch import Bool, Float64, Int32, Int64
from ingest.gate import Accepted
from ingest.kernel import kernel
from ingest.moment import BEIJING_MS, DAY_MS, HOUR_MS

DRIVING: Mapping[str, Default] = {
    "drive_kmh": 5.0,
    "short_ms": 60_000,
    "long_ms": 300_000,
    "moved_dm": 1_000,
    "near_dm": 5_000,
    "gap_ms_per_dm": 6,
    "long_rest_ms": 14_400_000,
    "yard_ms": 60_000,
    "yard_dm": 2_000,
    "yard_total_dm": 5_000,
    "rest_ms": 1_200_000,
    "short_stop_ms": 300_000,
    "resume_ms": 1_200_000,
}
"""The numbers of rulebook §4; a pair takes those in force at its later fix."""

SMALL_FROM_MS = 2 * HOUR_MS
SMALL_TO_MS = 5 * HOUR_MS
"""The small hours, by Beijing clocks [ms of the day]."""


BEGIN, DRIVE, GAP_DRIVE, SHORT_STOP, REST, UNKNOWN, CHANGE, PAUSE = range(8)
"""What a piece is.

BEGIN : the vehicle's first fix, at ``to_ms``
DRIVE : driving from ``from_ms`` to ``to_ms``
GAP_DRIVE : driving that a gap in the data hides
SHORT_STOP : a stop that is over and counts as driving
REST : a stop that is over and was a rest; it ended at ``from_ms``, the first fix from then on is ``to_ms``
UNKNOWN : a gap that may have been a rest
CHANGE : another driver from ``to_ms`` on; the outgoing one's fixes are unbroken since ``from_ms``;
    driving that ended after ``at_ms`` may be taken up again
PAUSE : a stop that is over and was neither: too long to count as driving, too short for a rest
"""

Pieces = NDArray[np.void]
State = NDArray[np.void]

NEVER = np.iinfo(np.int64).max

PIECE = np.dtype(
    [
        ("what", "i4"),
        ("row", "i4"),
        ("from_ms", "i8"),
        ("to_ms", "i8"),
        ("at_ms", "i8"),
        ("small_dm", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
        ("since_ms", "i8"),
    ],
    align=True,
)
"""A piece: what it is, and

row : index of the later fix of the pair that settled it, in the batch
from_ms, to_ms : when [ms]
at_ms : time of the fix whose parameters a counter takes that begins here [ms]
small_dm : distance driven inside the small hours [dm]
lon, lat : where it began [deg]
since_ms : time of the first of the unbroken fixes with the driver of fix `row`; ``NEVER`` where
    that fix names none [ms]
"""

VERSION = 1
"""Of what is remembered of a vehicle; a new one means old state cannot be read."""

ACTIVITY = np.dtype(
    [
        ("stop_from_ms", "i8"),
        ("stop_to_ms", "i8"),
        ("joined_dm", "i8"),
        ("pending_dm", "i8"),
        ("pending_small_dm", "i8"),
        ("pending_lon", "f8"),
        ("pending_lat", "f8"),
        ("since_ms", "i8"),
        ("mode", "u1"),
    ],
    align=True,
)
"""What is remembered of a vehicle: the stop that is not over yet, the stretch that is pending behind
it (from the stop's end to the last fix), and since when one driver is shown."""

MOVING, STOPPED, PENDING = 0, 1, 2


@kernel
def small_hours_ms(from_ms: int, to_ms: int) -> int:
    """Part of a time span that lies inside the small hours of any Beijing day [ms]."""
    inside = 0
    day = from_ms - (from_ms + BEIJING_MS) % DAY_MS
    while day + SMALL_FROM_MS < to_ms:
        inside += max(0, min(to_ms, day + SMALL_TO_MS) - max(from_ms, day + SMALL_FROM_MS))
        day += DAY_MS
    return inside


@kernel
def _put(piece: Any, row: int, from_ms: int, to_ms: int, at_ms: int, since_ms: int) -> None:
    piece.row = row
    piece.from_ms = from_ms
    piece.to_ms = to_ms
    piece.at_ms = at_ms
    piece.small_dm = 0
    piece.lon = 0.0
    piece.lat = 0.0
    piece.since_ms = since_ms


@kernel
def _end_stop(own: Any, numbers: Any, out: State, count: int, row: int, fix_ms: int) -> int:
    """The vehicle's stop is over: tell counters what it was. `fix_ms`: first fix at or after its end."""
    lasted = own.stop_to_ms - own.stop_from_ms
    if lasted >= numbers.rest_ms:
        out[count].what = REST
        _put(out[count], row, own.stop_to_ms, fix_ms, fix_ms, own.since_ms)
        return count + 1
    if lasted > 0:
        out[count].what = SHORT_STOP if lasted < numbers.short_stop_ms else PAUSE
        _put(out[count], row, own.stop_from_ms, own.stop_to_ms, fix_ms, own.since_ms)
        return count + 1
    return count


@kernel
def _settle(own: Any, numbers: Any, out: State, count: int, row: int, before_ms: int, fix_ms: int) -> int:
    """The stop before is over, and a stretch that was pending is driving from its own beginning."""
    pending = own.mode == PENDING
    count = _end_stop(own, numbers, out, count, row, fix_ms)
    if pending:
        out[count].what = DRIVE
        _put(out[count], row, own.stop_to_ms, before_ms, own.stop_to_ms, own.since_ms)
        out[count].small_dm = own.pending_small_dm
        out[count].lon = own.pending_lon
        out[count].lat = own.pending_lat
        count += 1
    own.mode = MOVING
    return count


@kernel
def _stop(own: Any, from_ms: int, to_ms: int) -> None:
    """A stop part: it begins a stop, prolongs one, or joins a pending stretch to it."""
    if own.mode == MOVING:
        own.stop_from_ms = from_ms
        own.joined_dm = 0
    else:
        own.joined_dm += own.pending_dm
    own.stop_to_ms = to_ms
    own.pending_dm = 0
    own.pending_small_dm = 0
    own.mode = STOPPED


@kernel
def _pieces(
    vehicle: Int32,
    time_ms: Int64,
    dt_ms: Int64,
    distance_dm: Int64,
    jump: Bool,
    before_lon: Float64,
    before_lat: Float64,
    before_speed_kmh: Float64,
    driver: Int64,
    before_driver: Int64,
    sets: State,
    index: Int32,
    state: State,
    out: State,
) -> int:
    """Turn the pairs of a batch into pieces; returns how many."""
    count = len(out) * 0  # a literal 0 would make the compiler build each helper twice
    for row in range(len(vehicle)):
        own = state[vehicle[row]]
        now, dt, dm = time_ms[row], dt_ms[row], distance_dm[row]
        numbers = sets[index[row]]
        shown_before = own.since_ms
        if driver[row] == 0:
            own.since_ms = NEVER
        elif dt < 0 or before_driver[row] != driver[row]:
            own.since_ms = now
        since = own.since_ms
        if dt < 0:
            out[count].what = BEGIN
            _put(out[count], row, now, now, now, since)
            count += 1
            continue
        before = now - dt
        moved_ms = 0
        stopped_ms = 0
        if dt <= numbers.short_ms:
            moved_ms = dt if before_speed_kmh[row] >= numbers.drive_kmh else 0
            stopped_ms = dt - moved_ms
        elif dt <= numbers.long_ms:
            moved_ms = dt if dm >= numbers.moved_dm and 360 * dm >= numbers.drive_kmh * dt else 0
            stopped_ms = dt - moved_ms
        elif not jump[row]:
            if dm < numbers.near_dm:
                stopped_ms = dt
            else:
                moved_ms = min(dt, numbers.gap_ms_per_dm * dm)
                stopped_ms = dt - moved_ms if dt - moved_ms >= numbers.long_rest_ms else 0
        unknown_ms = dt - moved_ms - stopped_ms
        hidden = dt > numbers.long_ms
        if unknown_ms > 0:
            if own.mode != MOVING:
                fix = own.stop_to_ms
                count = _settle(own, numbers, out, count, row, before, fix)
            if unknown_ms >= numbers.rest_ms:
                out[count].what = UNKNOWN
                _put(out[count], row, before, before + unknown_ms, now, since)
                count += 1
        if stopped_ms > 0:
            _stop(own, before, before + stopped_ms)
        if moved_ms > 0:
            begin = now - moved_ms
            small_dm = dm * small_hours_ms(begin, now) // moved_ms
            if own.mode != MOVING:
                if own.mode == STOPPED:
                    own.pending_lon = before_lon[row]
                    own.pending_lat = before_lat[row]
                covered = own.pending_dm + dm
                if (
                    now - own.stop_to_ms <= numbers.yard_ms
                    and covered <= numbers.yard_dm
                    and own.joined_dm + covered <= numbers.yard_total_dm
                ):
                    own.mode = PENDING
                    own.pending_dm = covered
                    own.pending_small_dm += small_dm
                    continue
                fix = own.stop_to_ms if own.stop_to_ms <= before else now
                count = _settle(own, numbers, out, count, row, before, fix)
            out[count].what = GAP_DRIVE if hidden else DRIVE
            _put(out[count], row, begin, now, now if hidden else before, since)
            out[count].small_dm = small_dm
            out[count].lon = before_lon[row]
            out[count].lat = before_lat[row]
            count += 1
        elif stopped_ms == dt and driver[row] != 0 and before_driver[row] != 0 and driver[row] != before_driver[row]:
            count = _end_stop(own, numbers, out, count, row, now)
            out[count].what = CHANGE
            _put(out[count], row, shown_before, now, now - numbers.resume_ms, since)
            count += 1
            own.stop_from_ms = now
            own.joined_dm = 0
    return count


def drive(accepted: Accepted, sets: NDArray[np.void], index: Int32, state: State) -> Pieces:
    """Tell driving from stops.

    Parameters
    ----------
    accepted : Accepted, (n,)
        By vehicle, then time.
    sets : structured array, (s,)
        Parameter sets of ``DRIVING``.
    index : int32, (n,)
        Row of `sets` for each pair, by its later fix.
    state : structured array of ``ACTIVITY``, (vehicles,)
        Changed in place.

    Returns
    -------
    structured array of ``PIECE``, (p,)
        By vehicle, then time.
    """
    out: Pieces = np.empty(4 * len(accepted), PIECE)
    count = _pieces(
        accepted.vehicle,
        accepted.time_ms,
        accepted.dt_ms,
        accepted.distance_dm,
        accepted.jump,
        accepted.before_lon,
        accepted.before_lat,
        accepted.before_speed_kmh,
        accepted.driver,
        accepted.before_driver,
        sets,
        index,
        state,
        out,
    )
    return out[:count]
