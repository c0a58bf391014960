"""Clusters: alarms that come often enough within a time, and what then belongs to the same episode.

What every kind that uses it shares: fixes are a vehicle's accepted ones, in order. Each fix tells of some *codes* of
the kind, or of none; where the kind does not apply (class, registration, exemption), of none. Terminals repeat what
lasts, so an *alarm* is a code that a fix tells of and the fix before it did not; it counts also where the fix before
lies more than ``gap_ms`` back, or there is none. A fix may begin several alarms: each counts. All parameters are those
of the fix at hand.

At each fix, in this order:

1. Remembered alarms that lie more than ``window_ms`` back are forgotten.
2. An open episode whose `ends_ms` lies more than ``merge_ms`` back is over: nothing extends it any more.
3. If the fix tells of a code and an episode is open, it extends it: `ends_ms` is its time, its alarms are added to the
   number, its codes to the codes; severity rises to that of the codes it tells of, but not that of a lead.
4. If it begins alarms and no episode is open, they are remembered, each with its code, the lowest first. When at least
   ``alarms`` are, or one of them is of a code that is enough alone, an episode is raised at this fix: `begins_ms` and
   place are those of the earliest remembered alarm, `ends_ms` = `raised_ms`, the number and the codes are those of the
   remembered alarms, severity is the highest of theirs; then all are forgotten. It is a lead where all its codes so far
   are doubtful ones: then its severity is 2 at most, and it stays one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, RISEN, SHOWN, STANDS, Found, show
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Float64, Int8, Int32, Int64
from ingest.kernel import kernel

ROOM = 8
"""Alarms that are remembered at most, and codes there are; no parameter ``alarms`` may be above it."""

CLUSTER = np.dtype(
    [
        *EPISODE,
        ("open", "u1"),
        ("told", "u1"),
        ("codes", "u1"),
        ("held", "u1"),
        ("alarms", "i4"),
        ("held_code", "u1", (ROOM,)),
        ("held_grade", "u1", (ROOM,)),
        ("held_ms", "i8", (ROOM,)),
        ("held_lon", "f8", (ROOM,)),
        ("held_lat", "f8", (ROOM,)),
    ],
    align=True,
)
"""The episode, if it is `open`, with its codes and the number of its alarms; the codes that the fix before told of;
how many alarms are held, oldest first, with code, severity, time and place."""

CLUSTERED = np.dtype([*SHOWN, ("alarms", "i4"), ("codes", "u1")], align=True)
"""An episode of a cluster: how many alarms it has, and their codes, as bits."""


@kernel
def _show(found: Any, vehicle: int, own: Any, fact: int) -> None:
    show(found, vehicle, own)
    found.fact = fact
    found.alarms = own.alarms
    found.codes = own.codes


@kernel
def _forget(held: int, gone: int, code: Any, grade: Any, at_ms: Any, lon: Any, lat: Any) -> int:
    """Drop the oldest of the alarms that are held; returns how many are left."""
    for at in range(held):
        after = at + gone
        code[at] = code[after] if after < held else 0
        grade[at] = grade[after] if after < held else 0
        at_ms[at] = at_ms[after] if after < held else 0
        lon[at] = lon[after] if after < held else 0.0
        lat[at] = lat[after] if after < held else 0.0
    return held - gone


@kernel
def _cluster(
    vehicle: Int32,
    slot: Int32,
    time_ms: Int64,
    dt_ms: Int64,
    lon: Float64,
    lat: Float64,
    told: Int8,
    grade: Int8,
    sets: Int32,
    alarms: Int64,
    window_ms: Int64,
    gap_ms: Int64,
    merge_ms: Int64,
    alone: int,
    heavy: int,
    heavier: int,
    doubtful: int,
    codes: Any,
    grades: Any,
    times: Any,
    lons: Any,
    lats: Any,
    nothing: State,
    state: State,
    found: Found,
) -> int:
    """Carry alarms and episodes through a batch, by vehicle; returns how many rows of `found` it wrote.

    They are two a fix at most: an episode that is over, and one that is raised.
    """
    count = 0
    changed = False
    for row in range(len(vehicle)):
        at = slot[row]
        if at < 0:
            continue
        own = state[at]
        if told[row] == 0 and own.open == 0 and own.held == 0 and own.told == 0:
            continue
        now, one = time_ms[row], sets[row]
        fact = STANDS
        gone = 0
        while gone < own.held and now - times[at, gone] > window_ms[one]:
            gone += 1
        if gone:
            own.held = _forget(own.held, gone, codes[at], grades[at], times[at], lons[at], lats[at])
        if own.open and now - own.ends_ms > merge_ms[one]:
            _show(found[count], vehicle[row], own, ENDED)
            count += 1
            own.open = 0
            changed = False
        begun = told[row]
        if dt_ms[row] >= 0 and dt_ms[row] <= gap_ms[one]:
            begun = told[row] & ~own.told
        own.told = told[row]
        if told[row] and own.open:
            changed = True
            own.ends_ms = now
            own.codes |= told[row]
            for bit in range(ROOM):
                own.alarms += (begun >> bit) & 1
            severity = max(grade[row], heavier if told[row] & heavy else 0)
            if severity > own.severity and not own.lead:
                own.severity = severity
                fact = RISEN
        elif begun:
            enough = (begun & alone) != 0
            for bit in range(ROOM):
                if (begun >> bit) & 1:
                    if own.held == ROOM:
                        own.held = _forget(ROOM, 1, codes[at], grades[at], times[at], lons[at], lats[at])
                    codes[at, own.held] = 1 << bit
                    grades[at, own.held] = max(grade[row], heavier if (1 << bit) & heavy else 0)
                    times[at, own.held] = now
                    lons[at, own.held] = lon[row]
                    lats[at, own.held] = lat[row]
                    own.held += 1
            if enough or own.held >= alarms[one]:
                fact = RAISED
                own.open = 1
                own.begins_ms = times[at, 0]
                own.lon = lons[at, 0]
                own.lat = lats[at, 0]
                own.raised_ms = now
                own.ends_ms = now
                own.alarms = own.held
                own.codes = 0
                own.severity = 0
                for one_held in range(own.held):
                    own.codes |= codes[at, one_held]
                    own.severity = max(own.severity, grades[at, one_held])
                own.lead = (own.codes | doubtful) == doubtful
                if own.lead:
                    own.severity = min(own.severity, 2)
                own.held = _forget(own.held, own.held, codes[at], grades[at], times[at], lons[at], lats[at])
        last = row + 1 == len(vehicle) or vehicle[row + 1] != vehicle[row]
        if fact != STANDS or (changed and last):
            _show(found[count], vehicle[row], own, fact)
            count += 1
            changed = False
        if own.open == 0 and own.held == 0 and own.told == 0:
            state[at] = nothing[0]
    return count


def cluster(
    batch: Enriched,
    told: Int8,
    limits: Limits,
    state: State,
    *,
    grade: Int8,
    alone: int = 0,
    heavy: int = 0,
    heavier: int = 0,
    doubtful: int = 0,
) -> Found:
    """Alarms of terminals, raised when there are enough of them within a time, and merged.

    Parameters
    ----------
    batch : Enriched, (n,)
        Accepted fixes, by vehicle, then time.
    told : uint8, (n,)
        Codes that each fix tells of, as bits; not looked at where the kind does not apply.
    limits : Limits
        ``alarms`` (8 at most), ``window_ms``, ``gap_ms``, ``merge_ms``.
    grade : uint8, (n,)
        Severity of what each fix tells of.
    alone : int
        Codes of which one alarm is enough.
    heavy, heavier : int
        Codes of a higher severity, and that severity.
    doubtful : int
        Codes that make a lead where there are no others.

    Returns
    -------
    Found of ``CLUSTERED``, (m,)
        What is told, and when, is the module's rule.
    """
    codes = np.where(limits.applies, told, np.uint8(0))
    found: NDArray[np.void] = np.empty(2 * len(batch), CLUSTERED)
    count = _cluster(
        batch.vehicle,
        limits.slot,
        batch.time_ms,
        batch.dt_ms,
        batch.lon,
        batch.lat,
        codes,
        grade,
        limits.index,
        limits.parameter("alarms"),
        limits.parameter("window_ms"),
        limits.parameter("gap_ms"),
        limits.parameter("merge_ms"),
        alone,
        heavy,
        heavier,
        doubtful,
        state["held_code"],
        state["held_grade"],
        state["held_ms"],
        state["held_lon"],
        state["held_lat"],
        np.zeros(1, CLUSTER),
        state,
        found,
    )
    return found[:count]
