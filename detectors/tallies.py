"""Tallies: what is driven in one Beijing day while a paper is missing, and papers that will end soon."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, RISEN, SHOWN, STANDS, Found, show
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.kernel import kernel
from ingest.moment import BEIJING_MS, DAY_MS

COUNTED = {"gap_ms": 300_000, "drive_kmh": 5.0}
"""Parameters of every tally: which pairs are driving."""

UNBOUNDED = 1 << 40
"""A bound that no day reaches [ms], [dm]."""

TALLY = np.dtype(
    [
        *EPISODE,
        ("over", "u1"),
        ("before", "u1"),
        ("begun", "u1"),
        ("channel", "u1"),
        ("grade", "u1"),
        ("code", "u1"),
        ("detail", "u1"),
        ("day", "i4"),
        ("set", "i4"),
        ("ms", "i4"),
        ("second_ms", "i4"),
        ("dm", "i4"),
        ("second_dm", "i4"),
        ("third_dm", "i4"),
        ("ended_ms", "i8"),
        ("who", "i8"),
    ],
    align=True,
)
"""What was driven on one Beijing `day` (days of the epoch) in each channel; the channel of the vehicle's last fix
(`before`); `severity` 0 until the day's episode is raised, by which `channel`; `begun` 1 where a parameter set is
chosen, 2 where the episode has a begin; the highest `grade` counted, with what was said of its first fix."""

_ROW = np.dtype(
    [
        *SHOWN,
        (
            "third_dm",
            "i8",
        ),  # first: else the compiler takes the row for one of `totals.TOTALLED`
        ("drive_ms", "i8"),
        ("distance_dm", "i8"),
        ("ended_ms", "i8"),
        ("who", "i8"),
        ("channel", "u1"),
        ("code", "u1"),
        ("detail", "u1"),
    ],
    align=True,
)
"""What a kernel writes of a `TALLIED`."""

TALLIED = np.dtype([*((name, _ROW[name]) for name in _ROW.names or ()), ("number", "U24")], align=True)
"""A day's episode, or a warning: time and distance driven in the channel that raised it [ms], [dm]; what the kind
says of its paper: when it ended or ends (0: none) [ms], whose it is, and the paper's number."""


class Rows(NamedTuple):
    """Rows of ``TALLIED`` and the fix that each was written at, (m,)."""

    found: Found
    at: Int64

    @classmethod
    def of(cls, rows: NDArray[np.void], at: Int64) -> "Rows":
        """Those that a kernel wrote, without numbers of papers."""
        found: NDArray[np.void] = np.zeros(len(rows), TALLIED)
        for name in _ROW.names or ():
            found[name] = rows[name]
        return cls(found, at)

    def beside(self, other: "Rows") -> Found:
        """Both, by vehicle, then time; of one fix these first."""
        order = np.argsort(np.concatenate([self.at, other.at]), kind="stable")
        merged: Found = np.concatenate([self.found, other.found])[order]
        return merged


@kernel
def _show(found: Any, vehicle: int, own: Any) -> None:
    show(found, vehicle, own)
    second = own.channel == 2
    found.drive_ms = own.second_ms if second else own.ms
    found.distance_dm = own.second_dm if second else own.dm
    found.third_dm = own.third_dm
    found.ended_ms = own.ended_ms
    found.who = own.who
    found.channel = own.channel
    found.code = own.code
    found.detail = own.detail


@kernel
def _tally(
    vehicle: Int32,
    slot: Int32,
    time_ms: Int64,
    dt_ms: Int64,
    distance_dm: Int64,
    jump: Bool,
    before_speed_kmh: Float64,
    before_lon: Float64,
    before_lat: Float64,
    what: Int8,
    grade: Int8,
    code: Int8,
    detail: Int8,
    ended_ms: Int64,
    whose: Int64,
    sets: Int32,
    gap_ms: Int64,
    drive_kmh: Float64,
    open_ms: Int64,
    open_dm: Int64,
    second_ms: Int64,
    second_dm: Int64,
    share_percent: Int64,
    share: bool,
    state: State,
    found: Found,
    at: Int64,
) -> int:
    """Add up driving by vehicle and day; returns how many rows of `found` it wrote, and at which fix each.

    They are three a fix at most: a day's share, its end, and what is raised on the next.
    """
    count = 0
    changed = False
    for row in range(len(vehicle)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        fact = STANDS
        day = (time_ms[row] + BEIJING_MS) // DAY_MS
        midnight_ms = day * DAY_MS - BEIJING_MS
        if own.begun and own.day != day:
            total = own.second_dm + own.third_dm
            if (
                share
                and own.severity == 0
                and own.second_dm > second_dm[own.set]
                and 100 * own.second_dm > share_percent[own.set] * total
            ):
                own.severity = own.grade
                own.channel = 2
                own.raised_ms = (np.int64(own.day) + 1) * DAY_MS - BEIJING_MS
                _show(found[count], vehicle[row], own)
                found[count].fact = RAISED
                at[count] = row
                count += 1
            if own.severity:
                _show(found[count], vehicle[row], own)
                found[count].fact = ENDED
                at[count] = row
                count += 1
                changed = False
            own.begun = 0
        now = what[row]
        before = own.before
        own.before = now
        if now and before:
            chosen = own.set if own.begun else sets[row]
            if 0 < dt_ms[row] <= gap_ms[chosen] and before_speed_kmh[row] >= drive_kmh[chosen] and not jump[row]:
                if own.begun == 0:
                    own.begun = 1
                    own.day = day
                    own.set = chosen
                    own.severity = 0
                    own.lead = 0
                    own.channel = 0
                    own.grade = 0
                    own.ms = 0
                    own.second_ms = 0
                    own.dm = 0
                    own.second_dm = 0
                    own.third_dm = 0
                channel = max(now, before)
                if channel == 3:
                    own.third_dm += distance_dm[row]
                else:
                    if own.begun == 1:
                        own.begun = 2
                        own.begins_ms = max(time_ms[row] - dt_ms[row], midnight_ms)
                        own.lon = before_lon[row]
                        own.lat = before_lat[row]
                    own.ends_ms = time_ms[row]
                    if channel == 1:
                        own.ms += dt_ms[row]
                        own.dm += distance_dm[row]
                    else:
                        own.second_ms += dt_ms[row]
                        own.second_dm += distance_dm[row]
                    if grade[row] > own.grade:
                        own.grade = grade[row]
                        own.code = code[row]
                        own.detail = detail[row]
                        own.ended_ms = ended_ms[row]
                        own.who = whose[row]
                    if own.severity == 0:
                        if own.ms > open_ms[chosen] or own.dm > open_dm[chosen]:
                            own.channel = 1
                        elif not share and (own.second_ms > second_ms[chosen] or own.second_dm > second_dm[chosen]):
                            own.channel = 2
                        if own.channel:
                            fact = RAISED
                            own.lead = own.channel == 2
                            own.severity = min(own.grade, 2) if own.lead else own.grade
                            own.raised_ms = time_ms[row]
                    elif own.grade > own.severity and not own.lead:
                        fact = RISEN
                        own.severity = own.grade
                changed = own.severity != 0
        if fact != STANDS or (changed and (row + 1 == len(vehicle) or vehicle[row + 1] != vehicle[row])):
            _show(found[count], vehicle[row], own)
            found[count].fact = fact
            at[count] = row
            count += 1
            changed = False
    return count


def driving(batch: Enriched, limits: Limits) -> Bool:
    """Fixes whose pair is driving by the parameters that hold at the fix, (n,)."""
    near = (batch.dt_ms > 0) & (batch.dt_ms <= limits.at("gap_ms")) & ~batch.jump
    found: Bool = near & (batch.before_speed_kmh >= limits.at("drive_kmh")) & (limits.slot >= 0)
    return found


def tally(
    batch: Enriched,
    what: Int8,
    limits: Limits,
    state: State,
    *,
    grade: Int8,
    code: Int8 | None = None,
    detail: Int8 | None = None,
    ended_ms: Int64 | None = None,
    whose: Int64 | None = None,
    share: bool = False,
) -> Rows:
    """Driving inside one Beijing day while a condition holds, against a distance and a time.

    A pair of accepted fixes a, b counts when 0 < dt <= ``gap_ms``, the speed at a is at least ``drive_kmh``, the pair
    does not jump, and `what` is not 0 at a (as it was judged there) and at b. It counts whole, with its D and dt, for
    the day of b, in channel max(what at a, what at b). The first pair that counts on a day, in whatever channel,
    fixes the parameter set of the day: that of its b, by which it, too, is judged. Pairs that do not count change
    nothing. What is shown of distance and time is that of the channel that raised the episode.

    ``begins_ms`` is the time of a of the day's first pair in channel 1 or 2 (00:00 of the day, if a lies before it),
    the place that of a; ``ends_ms`` is the time of b of the last one. The day's one episode is raised at the b at
    which channel 1 first holds more than ``open_ms`` or more than ``open_dm``; else, when channel 2 does more than
    ``second_ms`` or ``second_dm``: then it is a lead, of severity 2 at most, and stays one. Severity is the highest
    `grade` at any b counted so far in channel 1 or 2, and rises with it (not that of a lead). What is said of the
    paper (`code`, `detail`, `ended_ms`, `whose`) is that of the first such b with that highest grade. It is over at
    the vehicle's first accepted fix of another day.

    Parameters
    ----------
    batch : Enriched, (n,)
    what : uint8, (n,)
        0: nothing; 1: counts; 2: counts in the second channel; 3: counts only as what the share is of.
    limits : Limits
        Index over fixes. ``gap_ms``, ``drive_kmh``, and the bounds; one that the kind does not have is never passed.
    state : structured array of ``TALLY``, (vehicles of the kind,)
    grade : uint8, (n,)
        Severity that the fix would give.
    code, detail : uint8, (n,), optional
    ended_ms, whose : int64, (n,), optional
    share : bool
        The second channel is judged at the first accepted fix of another day, where the day raised nothing: raised if
        its distance is above ``second_dm`` and above ``share_percent`` of channels 2 and 3 together; ``raised_ms`` is
        24:00 of the day, severity is the grade, and it is no lead.

    Returns
    -------
    Rows of ``TALLIED``, (m,)
    """
    n = len(batch)
    rows = (3 if share else 2) * n
    found: NDArray[np.void] = np.empty(rows, _ROW)
    at = np.empty(rows, np.int64)
    none8, none64 = np.zeros(n, np.uint8), np.zeros(n, np.int64)

    def bound(name: str) -> Int64:
        return limits.parameter(name, UNBOUNDED).astype(np.int64)

    count = _tally(
        batch.vehicle,
        limits.slot,
        batch.time_ms,
        batch.dt_ms,
        batch.distance_dm,
        batch.jump,
        batch.before_speed_kmh,
        batch.before_lon,
        batch.before_lat,
        what,
        grade,
        none8 if code is None else code,
        none8 if detail is None else detail,
        none64 if ended_ms is None else ended_ms,
        none64 if whose is None else whose,
        limits.index,
        limits.parameter("gap_ms"),
        limits.parameter("drive_kmh"),
        bound("open_ms"),
        bound("open_dm"),
        bound("second_ms"),
        bound("second_dm"),
        bound("share_percent"),
        share,
        state,
        found,
        at,
    )
    return Rows.of(found[:count], at[:count])
