"""Counters: driving since the last rest, C4 at any hour and C2 in the night, over pieces.

A gap of data can be read in two ways. The counter reads it as driving: what a gap hides counts, and a gap that may
have been a rest restarts nothing. Beside it runs what is certain, which reads gaps as rest: driving behind gaps is
left out, and a gap that may have been a rest begins it anew. Episodes show both.

Source: rulebook §4, *Stops and yard moves*, *Driver change*, V05, V06, *Basis*; §6, leads.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.activity import BEGIN, CHANGE, DRIVE, GAP_DRIVE, NEVER, PAUSE, SHORT_STOP, UNKNOWN
from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, RISEN, SHOWN, STANDS, WARNED, Found, show
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Int32, Int64
from ingest.kernel import kernel
from ingest.moment import BEIJING_MS, DAY_MS, HOUR_MS

NIGHT_MS = 8 * HOUR_MS
"""Length of the night, which begins at 22:00 [ms]."""
SINCE_22_MS = BEIJING_MS + 2 * HOUR_MS
"""What to add to a time so that its Beijing days begin at 22:00 [ms]."""

MIXED = -1
"""In the place of a driver: not one and the same."""

NOTHING = -1
"""In the place of a `Fact`: there is no episode."""

MOST_MS = 2**31 - 1
"""What a counter counts up to: 24 days without a rest [ms]."""

COUNTED = np.dtype(
    [*SHOWN, ("driven_ms", "i8"), ("certain_ms", "i8"), ("limit_ms", "i8"), ("by_driver", "u1")], align=True
)
"""An episode of a counter, or the warning before one: what was driven with gaps read as driving, and as rest, the
limit [ms], and whether one driver drove it all."""

_COUNTER = np.dtype(
    [
        *EPISODE,
        ("raised", "u1"),
        ("over", "u1"),
        ("by_driver", "u1"),
        ("moved", "u1"),
        ("doubt", "u1"),
        ("warned", "u1"),
        ("set", "i4"),
        ("ms", "i4"),
        ("gap_ms", "i4"),
        ("certain_ms", "i4"),
        ("driven_ms", "i4"),
        ("driven_certain_ms", "i4"),
        ("restart_ms", "i8"),
        ("kept_driver", "i8"),
    ],
    align=True,
)
"""One counter: driving counted (0: it has not begun), of which behind gaps, and what is certain; the first fix since
it restarted and the one driver of its parts before (0 none, ``MIXED``); whether it was warned of; its episode, if
raised, whether that was told to be over, and what was counted when it was last tested."""

COUNTER = np.dtype(
    [
        *EPISODE,
        ("raised", "u1"),
        ("over", "u1"),
        ("by_driver", "u1"),
        ("moved", "u1"),
        ("running", "u1"),
        ("doubt", "u1"),
        ("set", "i4"),
        ("excess_ms", "i8"),
        ("ms", "i8"),
        ("gap_ms", "i8"),
        ("night_ms", "i8"),
        ("restart_ms", "i8"),
        ("kept_driver", "i8"),
    ],
    align=True,
)
"""One counter: driving counted, of which behind gaps; its begin; the first fix since it restarted and
the one driver of its parts before (0 none, ``MIXED``); its episode, if raised, and whether it was
told to be over."""

COUNTER = np.dtype(
    [
        ("slots", _COUNTER, (2,)),
        ("aside_driver", "i8"),
        ("aside_end_ms", "i8"),
        ("drive_end_ms", "i8"),
        ("present", "u1"),
    ],
    align=True,
)
"""The counter in slot `present`; in the other, the one laid aside at the last change of driver, with
that driver and the end of the vehicle's last drive; and the end of its last drive now."""


@kernel
def _forget(own: Any) -> None:
    """Count from nothing, without an episode."""
    own.ms = 0
    own.gap_ms = 0
    own.certain_ms = 0
    own.doubt = 0
    own.warned = 0
    own.raised = 0
    own.over = 0


@kernel
def _restart(own: Any, restart_ms: int) -> None:
    _forget(own)
    own.restart_ms = restart_ms
    own.kept_driver = 0
    own.moved = 0


@kernel
def _show(found: Any, vehicle: int, own: Any, limit_ms: int) -> None:
    show(found, vehicle, own)
    found.driven_ms = own.driven_ms
    found.certain_ms = own.driven_certain_ms
    found.limit_ms = limit_ms
    found.by_driver = own.by_driver


@kernel
def _warn(found: Any, vehicle: int, own: Any, end_ms: int, now_ms: int, alone: bool, limit_ms: int) -> None:
    """Write the warning before an episode: as the episode that it may become, at this fix, of no severity."""
    own.warned = 1
    found.fact = WARNED
    found.vehicle = vehicle
    found.begins_ms = own.begins_ms
    found.raised_ms = now_ms
    found.ends_ms = end_ms
    found.lon = own.lon
    found.lat = own.lat
    found.severity = 0
    found.lead = 0
    found.driven_ms = own.ms
    found.certain_ms = own.certain_ms
    found.limit_ms = limit_ms
    found.by_driver = alone


@kernel
def _add(own: Any, ms: int, hidden: bool) -> None:
    """Count a piece of driving."""
    own.ms = min(own.ms + ms, MOST_MS)
    if hidden:
        own.gap_ms = min(own.gap_ms + ms, MOST_MS)
    else:
        own.certain_ms = min(own.certain_ms + ms, MOST_MS)


@kernel
def _one_driver(own: Any, since_ms: int, driver: int) -> bool:
    """Whether one driver's fixes, unbroken since `since_ms`, are all the counter's fixes."""
    return bool(since_ms <= own.restart_ms and (own.kept_driver == 0 or own.kept_driver == driver))


@kernel
def _test(own: Any, end_ms: int, now_ms: int, alone: bool, crew: int, limit_ms: int, severe_ms: int) -> int:
    """Open or extend the counter's episode after a piece of driving; tells what became of it."""
    if own.ms <= limit_ms:
        return NOTHING
    fact = STANDS
    lead = own.ms - own.gap_ms <= limit_ms or own.doubt != 0 or (crew >= 2 and not alone)
    if own.raised == 0:
        fact = RAISED
        own.raised = 1
        own.raised_ms = now_ms
        own.lead = lead
        own.by_driver = alone
        own.severity = 2 if lead else 3
    if own.ms > severe_ms and own.lead == 0 and not lead and own.severity < 4:
        own.severity = 4
        if fact == STANDS:
            fact = RISEN
    own.over = 0
    own.ends_ms = end_ms
    own.driven_ms = own.ms
    own.driven_certain_ms = own.certain_ms
    return fact


@kernel
def _end(found: Any, vehicle: int, own: Any, limit_ms: int) -> int:
    """Tell that the counter's episode is over, where it has one and has not told; returns how many rows it wrote."""
    if own.raised == 0 or own.over != 0:
        return 0
    own.over = 1
    _show(found, vehicle, own, limit_ms)
    found.fact = ENDED
    return 1


@kernel
def _change(rows: Any, outgoing: Any, incoming: Any, piece: Any, driver_before: int, driver: int) -> None:
    """Lay the outgoing driver's counter aside; take up the incoming one's, if it lies there fresh."""
    alone = _one_driver(outgoing, piece.from_ms, driver_before)
    outgoing.kept_driver = driver_before if alone else MIXED
    if incoming.moved != 0 and rows.aside_driver == driver and rows.aside_end_ms > piece.at_ms:
        incoming.restart_ms = piece.to_ms
    else:
        _restart(incoming, piece.to_ms)
    rows.aside_driver = driver_before
    rows.aside_end_ms = rows.drive_end_ms
    rows.present = 1 - rows.present


@kernel
def _counters(
    vehicle: Int32,
    time_ms: Int64,
    driver: Int64,
    before_driver: Int64,
    crew: Int32,
    when: Bool,
    pieces: State,
    sets: Int32,
    limit_ms: Int64,
    severe_ms: Int64,
    warn_ms: Int64,
    nightly: bool,
    slot: Int32,
    slots: State,
    rows: State,
    found: Found,
) -> int:
    """Carry the counters of a batch's vehicles through its pieces; returns how many rows it wrote.

    They are two at most for each part of a piece that the nights cut: the end of the last night's
    episode, and what became of this one's or the warning of it.
    """
    count = 0
    changed = False
    for at in range(len(pieces)):
        piece = pieces[at]
        row = piece.row
        if slot[row] < 0:
            continue
        who, at_slot = vehicle[row], slot[row]
        own = slots[at_slot, rows[at_slot].present]
        if piece.what == DRIVE or piece.what == GAP_DRIVE:
            own.moved = 1
            rows[at_slot].drive_end_ms = piece.to_ms
            alone = _one_driver(own, piece.since_ms, driver[row])
            begin = piece.from_ms
            while begin < piece.to_ms:
                end = piece.to_ms
                counts = True
                if nightly:
                    night = begin - (begin + SINCE_22_MS) % DAY_MS
                    counts = begin < night + NIGHT_MS
                    end = min(end, night + NIGHT_MS if counts else night + DAY_MS)
                    if counts and own.ms > 0 and own.begins_ms < night:
                        count += _end(found[count], who, own, limit_ms[own.set])
                        changed = False
                        _forget(own)
                if counts:
                    if own.ms == 0:
                        own.begins_ms = begin
                        own.lon = piece.lon
                        own.lat = piece.lat
                        own.set = sets[at]
                    _add(own, end - begin, piece.what == GAP_DRIVE)
                    if when[row]:
                        limit, severe = limit_ms[own.set], severe_ms[own.set]
                        fact = _test(own, end, time_ms[row], alone, crew[row], limit, severe)
                        changed |= fact == STANDS
                        if fact > STANDS:
                            _show(found[count], who, own, limit)
                            found[count].fact = fact
                            count += 1
                            changed = False
                        elif fact == NOTHING and own.warned == 0 and own.ms > limit - warn_ms[own.set]:
                            _warn(found[count], who, own, end, time_ms[row], alone, limit)
                            count += 1
                begin = end
        elif piece.what == SHORT_STOP:
            if own.ms > 0:
                begin = piece.from_ms
                end = piece.to_ms
                if nightly:
                    night = own.begins_ms - (own.begins_ms + SINCE_22_MS) % DAY_MS
                    end = min(end, night + NIGHT_MS)
                stood = max(0, end - begin)
                own.ms = min(own.ms + stood, MOST_MS)
                if own.certain_ms > 0:
                    own.certain_ms = min(own.certain_ms + stood, MOST_MS)
        elif piece.what == UNKNOWN:
            if own.ms > 0:
                own.doubt = 1
            own.certain_ms = 0
        elif piece.what == BEGIN:
            own.restart_ms = piece.to_ms
        elif piece.what != PAUSE:
            count += _end(found[count], who, own, limit_ms[own.set])
            changed = False
            if piece.what == CHANGE:
                other = slots[at_slot, 1 - rows[at_slot].present]
                _change(rows[at_slot], own, other, piece, before_driver[row], driver[row])
            elif own.moved != 0:
                _restart(own, piece.to_ms)
        if changed and (at + 1 == len(pieces) or vehicle[pieces[at + 1].row] != who):
            _show(found[count], who, own, limit_ms[own.set])
            found[count].fact = STANDS
            count += 1
            changed = False
    return count


def counter(batch: Enriched, when: Bool, limits: Limits, state: State, *, nightly: bool = False) -> Found:
    """Driving since the last rest or change of driver, against a limit.

    Parameters
    ----------
    batch : Enriched, (n,)
        With its pieces, (p,).
    when : bool, (n,)
        Fixes whose pair may open or extend an episode; the counter itself runs always.
    limits : Limits
        ``limit_ms``, ``warn_ms`` and, where an episode can become severe, ``severe_ms``; index over pieces, (p,).
        A counter keeps the set of its first piece.
    nightly : bool
        Count only what lies in [22:00, 06:00), anew each night.

    Returns
    -------
    Found of ``COUNTED``, (m,)
        An episode is over at the piece that restarts its counter or lays it aside; one that is taken up
        again and goes on is over once more. A counter without an episode warns once, after the first piece of
        driving, applied by a fix in `when`, that brings it above ``limit_ms`` - ``warn_ms`` and not above
        ``limit_ms``.
    """
    pieces = batch.pieces
    nights = (pieces["to_ms"] + SINCE_22_MS) // DAY_MS - (pieces["from_ms"] + SINCE_22_MS) // DAY_MS
    found: NDArray[np.void] = np.empty(2 * (len(pieces) + int(nights.clip(0).sum())), COUNTED)
    count = _counters(
        batch.vehicle,
        batch.time_ms,
        batch.driver,
        batch.before_driver,
        batch.crew,
        when,
        pieces,
        limits.index,
        limits.parameter("limit_ms"),
        limits.parameter("severe_ms", NEVER),
        limits.parameter("warn_ms"),
        nightly,
        limits.slot,
        state["slots"],
        state,
        found,
    )
    return found[:count]


def counter_measures(row: Any) -> dict[str, object]:
    """What was driven, with gaps read as driving and as rest, and what is above the limit or left of it [s]; whose."""
    driven, limit = int(row["driven_ms"]), int(row["limit_ms"])
    against = {"left_s": (limit - driven) / 1000} if row["fact"] == WARNED else {"excess_s": (driven - limit) / 1000}
    return against | {
        "driven_s": driven / 1000,
        "certain_s": int(row["certain_ms"]) / 1000,
        "basis": "driver" if row["by_driver"] else "vehicle",
    }


def counter_facts(measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, float]:
    """What was driven in all [s], also for a row that was kept without it."""
    return {"driven_s": measures.get("driven_s", parameters["limit_ms"] / 1000 + measures["excess_s"])}
