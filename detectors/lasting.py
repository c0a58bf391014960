"""Lasting: what a terminal tells of again and again, confirmed by fixes, time and driving.

What every kind that uses it shares: fixes are a vehicle's accepted ones, in order. Each fix tells of some *codes* of
the kind, or of none; where the kind does not apply (class, registration, exemption), of none. A *run* is a maximal
sequence of consecutive fixes that each tell of some code, each Δt ≤ ``gap_ms``. Its *driving* is the ΣΔt of the pairs
between its fixes with Δt ≤ ``pair_ms`` and a speed ≥ ``drive_kmh`` at the earlier fix. All parameters are those of the
fix at hand.

A run is confirmed at its first fix where it has ≥ ``points`` fixes, t − t_first ≥ ``hold_ms`` and driving ≥
``driven_ms``; or where something *sudden* happens: the fix tells of a code that the kind watches, the fix before it,
0 < Δt ≤ ``pair_ms`` earlier, did not, and the kind says that it matters at this fix. If, at confirmation, t_first −
`ends_ms` of the open episode ≤ ``merge_ms``, that episode is extended; else an episode is raised: `begins_ms` and place
are those of the run's first fix, `raised_ms` this fix; an older one is over. `ends_ms` is the last fix of a confirmed
run. Unconfirmed runs neither extend nor bridge.

Severity is the highest that any fix of its confirmed runs gives, and rises with it. Two things make it serious (3)
where a kind has them: a confirmed run's fix of a speed ≥ ``drive_kmh`` with t − t_first > ``long_ms``; and, decided
when it is raised, that episodes were raised on ≥ ``repeat_days`` Beijing days of the seven up to this one.

An open episode is over at the first fix with t − `ends_ms` > ``merge_ms`` at which no run goes on that is confirmed or
began within ``merge_ms`` of its end; nothing extends it any more.
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
from ingest.moment import BEIJING_MS, DAY_MS

NEVER = 1 << 40
"""A bound that nothing reaches [ms], [d]."""

SUDDEN, LONG, REPEATED = 32, 64, 128
"""Codes that the rule itself adds; a kind's own are below them."""

DAYS = 7
"""Days that are looked back on for what is repeated, this one included."""

_SERIOUS = 3

LASTING = np.dtype(
    [
        *EPISODE,
        ("open", "u1"),
        ("told", "u1"),
        ("codes", "u1"),
        ("days", "u1"),
        ("confirmed", "u1"),
        ("run_codes", "u1"),
        ("run_grade", "u1"),
        ("day", "i4"),
        ("points", "i4"),
        ("value", "i4"),
        ("bound", "i4"),
        ("run_value", "i4"),
        ("run_bound", "i4"),
        ("driven_ms", "i8"),
        ("first_ms", "i8"),
        ("first_lon", "f8"),
        ("first_lat", "f8"),
    ],
    align=True,
)
"""The episode, if it is `open`; the codes that the fix before told of; the days on which one was raised, as bits from
`day` back; the present run (`points` 0 if none)."""

LASTED = np.dtype([*SHOWN, ("value", "i4"), ("bound", "i4"), ("codes", "u1")], align=True)
"""An episode: its highest value, with the bound at that fix (of equal ones the first), and its codes, as bits."""


@kernel
def _show(found: Any, vehicle: int, own: Any, fact: int) -> None:
    show(found, vehicle, own)
    found.fact = fact
    found.value = own.value
    found.bound = own.bound
    found.codes = own.codes


@kernel
def _repeated(own: Any, day: int) -> int:
    """Note that an episode is raised on this day; on how many of the last seven days one was."""
    shift = day - own.day
    if own.days and shift < DAYS:
        own.days = ((int(own.days) << shift) & (2**DAYS - 1)) | 1
    else:
        own.days = 1
    own.day = day
    many = 0
    for bit in range(DAYS):
        if (own.days >> bit) & 1:
            many += 1
    return many


@kernel
def _lasting(
    vehicle: Int32,
    slot: Int32,
    time_ms: Int64,
    dt_ms: Int64,
    lon: Float64,
    lat: Float64,
    speed_kmh: Float64,
    before_speed_kmh: Float64,
    told: Int8,
    sudden: Int8,
    grade: Int8,
    value: Int64,
    bound: Int64,
    sets: Int32,
    points: Int64,
    hold_ms: Int64,
    driven_ms: Int64,
    gap_ms: Int64,
    merge_ms: Int64,
    pair_ms: Int64,
    long_ms: Int64,
    repeat_days: Int64,
    drive_kmh: Float64,
    watched: int,
    nothing: State,
    state: State,
    found: Found,
) -> int:
    """Carry runs and episodes through a batch, by vehicle; returns how many rows of `found` it wrote.

    They are two a fix at most: an episode that is over, and one that is raised.
    """
    count = 0
    changed = False
    for row in range(len(vehicle)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        if told[row] == 0 and own.open == 0 and own.points == 0 and own.told == 0 and own.days == 0:
            continue
        now, one = time_ms[row], sets[row]
        day = (now + BEIJING_MS) // DAY_MS
        fact = STANDS
        if own.days and day - own.day >= DAYS:
            own.days = 0
            own.day = 0
        if own.points > 0 and (told[row] == 0 or dt_ms[row] > gap_ms[one]):
            own.points = 0
            own.confirmed = 0
        fresh = (told[row] & watched) != 0 and (own.told & watched) == 0
        sharp = fresh and sudden[row] != 0 and dt_ms[row] > 0 and dt_ms[row] <= pair_ms[one]
        own.told = told[row]
        if told[row]:
            if own.points == 0:
                own.first_ms = now
                own.first_lon = lon[row]
                own.first_lat = lat[row]
                own.driven_ms = 0
                own.run_codes = 0
                own.run_grade = 0
                own.run_value = -1
                own.run_bound = 0
            elif dt_ms[row] <= pair_ms[one] and before_speed_kmh[row] >= drive_kmh[one]:
                own.driven_ms += dt_ms[row]
            own.points += 1
            own.run_codes |= told[row]
            own.run_grade = max(own.run_grade, grade[row])
            if sharp:
                own.run_codes |= SUDDEN
                own.run_grade = max(own.run_grade, _SERIOUS)
            if value[row] > own.run_value:
                own.run_value = value[row]
                own.run_bound = bound[row]
            held = now - own.first_ms
            enough = own.points >= points[one] and held >= hold_ms[one] and own.driven_ms >= driven_ms[one]
            if own.confirmed == 0 and (sharp or enough):
                own.confirmed = 1
                if own.open == 0 or own.first_ms - own.ends_ms > merge_ms[one]:
                    if own.open:
                        _show(found[count], vehicle[row], own, ENDED)
                        count += 1
                    fact = RAISED
                    own.open = 1
                    own.begins_ms = own.first_ms
                    own.raised_ms = now
                    own.lon = own.first_lon
                    own.lat = own.first_lat
                    own.severity = 0
                    own.codes = 0
                    own.value = -1
                    own.bound = 0
                    if repeat_days[one] <= DAYS and _repeated(own, day) >= repeat_days[one]:
                        own.run_codes |= REPEATED
                        own.run_grade = max(own.run_grade, _SERIOUS)
            if own.confirmed:
                if held > long_ms[one] and speed_kmh[row] >= drive_kmh[one]:
                    own.run_codes |= LONG
                    own.run_grade = max(own.run_grade, _SERIOUS)
                changed = True
                own.ends_ms = now
                own.codes |= own.run_codes
                if own.run_value > own.value:
                    own.value = own.run_value
                    own.bound = own.run_bound
                if own.run_grade > own.severity:
                    own.severity = own.run_grade
                    if fact == STANDS:
                        fact = RISEN
        going = own.points > 0 and (own.confirmed != 0 or own.first_ms - own.ends_ms <= merge_ms[one])
        if own.open and not going and now - own.ends_ms > merge_ms[one]:
            fact = ENDED
        last = row + 1 == len(vehicle) or vehicle[row + 1] != vehicle[row]
        if fact != STANDS or (changed and last):
            _show(found[count], vehicle[row], own, fact)
            count += 1
            changed = False
        if fact == ENDED:
            own.open = 0
        if own.open == 0 and own.points == 0 and own.told == 0 and own.days == 0:
            state[slot[row]] = nothing[0]
    return count


def lasting(
    batch: Enriched,
    told: Int8,
    limits: Limits,
    state: State,
    *,
    grade: Int8,
    sudden: Int8 | None = None,
    watched: int = 0,
    value: Int64 | None = None,
    bound: Int64 | None = None,
) -> Found:
    """What terminals tell of while it lasts, confirmed and merged.

    Parameters
    ----------
    batch : Enriched, (n,)
        Accepted fixes, by vehicle, then time.
    told : uint8, (n,)
        Codes that each fix tells of, as bits; not looked at where the kind does not apply.
    limits : Limits
        ``points``, ``hold_ms``, ``gap_ms``, ``merge_ms``; ``driven_ms``, ``pair_ms`` and ``drive_kmh`` where driving
        counts; ``long_ms`` and ``repeat_days`` where these make it serious.
    grade : uint8, (n,)
        Severity of what each fix tells of.
    sudden : uint8, (n,), optional
        Not 0 where it matters at once that a watched code is told of for the first time.
    watched : int
        Those codes.
    value, bound : int64, (n,), optional
        A number of each fix, of which the highest is shown, and its bound.

    Returns
    -------
    Found of ``LASTED``, (m,)
        What is told, and when, is the module's rule.
    """
    n = len(batch)
    zeros = np.zeros(n, np.int64)
    found: NDArray[np.void] = np.empty(2 * n, LASTED)
    count = _lasting(
        batch.vehicle,
        limits.slot,
        batch.time_ms,
        batch.dt_ms,
        batch.lon,
        batch.lat,
        batch.speed_kmh,
        batch.before_speed_kmh,
        np.where(limits.applies, told, np.uint8(0)),
        np.zeros(n, np.uint8) if sudden is None else sudden,
        grade,
        zeros if value is None else value,
        zeros if bound is None else bound,
        limits.index,
        limits.parameter("points"),
        limits.parameter("hold_ms"),
        limits.parameter("driven_ms", 0).astype(np.int64),
        limits.parameter("gap_ms"),
        limits.parameter("merge_ms"),
        limits.parameter("pair_ms", 0).astype(np.int64),
        limits.parameter("long_ms", NEVER).astype(np.int64),
        limits.parameter("repeat_days", NEVER).astype(np.int64),
        limits.parameter("drive_kmh", 0.0),
        watched,
        np.zeros(1, LASTING),
        state,
        found,
    )
    return found[:count]
