"""Rests: stops that were too short for a rest, and the driving before and behind them, over pieces."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.activity import BEGIN, CHANGE, DRIVE, GAP_DRIVE, PAUSE, REST, SHORT_STOP, UNKNOWN
from detectors.counters import MOST_MS
from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, SHOWN, STANDS, Found, show
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Int32, Int64
from ingest.kernel import kernel

JOINED = np.dtype(
    [
        *EPISODE,
        ("raised", "u1"),
        ("set", "i4"),
        ("joined_ms", "i4"),
        ("all_ms", "i4"),
        ("driven_ms", "i4"),
        ("stop_ms", "i4"),
        ("before_ms", "i4"),
        ("restart_ms", "i8"),
    ],
    align=True,
)
"""Driving joined over stops that were no rest, and all of it, gaps read as driving; the longest such stop (0: none)
and what was joined before it; the first fix since the restart; the episode, if raised, and what was joined when it was
last tested."""

RESTED = np.dtype([*SHOWN, ("driven_ms", "i8"), ("stop_ms", "i8"), ("before_ms", "i8")], align=True)
"""An episode: the driving joined, the longest stop in it, and what was driven before that [ms]."""


@kernel
def _show(found: Any, vehicle: int, own: Any, fact: int) -> None:
    show(found, vehicle, own)
    found.fact = fact
    found.driven_ms = own.driven_ms
    found.stop_ms = own.stop_ms
    found.before_ms = own.before_ms


@kernel
def _rests(
    vehicle: Int32,
    time_ms: Int64,
    crew: Int32,
    when: Bool,
    slot: Int32,
    pieces: State,
    sets: Int32,
    limit_ms: Int64,
    after_ms: Int64,
    severe_ms: Int64,
    state: State,
    found: Found,
) -> int:
    """Join the driving of a batch's vehicles; returns how many rows of `found` it wrote, one a piece at most."""
    count = 0
    changed = False
    for at in range(len(pieces)):
        piece = pieces[at]
        row, what = piece.row, piece.what
        if slot[row] < 0:
            continue
        who = vehicle[row]
        own = state[slot[row]]
        lasted = piece.to_ms - piece.from_ms
        fact = STANDS
        restarts = what in (REST, CHANGE, UNKNOWN, BEGIN)
        if what in (DRIVE, GAP_DRIVE) or (what == SHORT_STOP and own.all_ms > 0):
            own.all_ms = min(own.all_ms + lasted, MOST_MS)
        if what == DRIVE:
            if own.joined_ms == 0:
                own.begins_ms = piece.from_ms
                own.lon = piece.lon
                own.lat = piece.lat
                own.set = sets[at]
            own.joined_ms = min(own.joined_ms + lasted, MOST_MS)
            if when[row] and own.stop_ms > 0 and own.joined_ms > limit_ms[own.set]:
                if own.raised == 0 and own.all_ms <= severe_ms[own.set]:
                    fact = RAISED
                    own.raised = 1
                    own.raised_ms = time_ms[row]
                    own.lead = crew[row] >= 2 and piece.since_ms > own.restart_ms
                    own.severity = 2
                if own.raised != 0:
                    changed = True
                    own.ends_ms = piece.to_ms
                    own.driven_ms = own.joined_ms
        elif what == SHORT_STOP:
            if own.joined_ms > 0:
                own.joined_ms = min(own.joined_ms + lasted, MOST_MS)
        elif what == PAUSE:
            enough = own.joined_ms > 0 and own.joined_ms >= after_ms[own.set]
            if enough and own.raised == 0 and lasted > own.stop_ms:
                own.stop_ms = lasted
                own.before_ms = own.joined_ms
        elif restarts and own.raised != 0:
            fact = ENDED
        if fact != STANDS or (changed and (at + 1 == len(pieces) or vehicle[pieces[at + 1].row] != who)):
            _show(found[count], who, own, fact)
            count += 1
            changed = False
        if restarts:
            own.joined_ms = 0
            own.stop_ms = 0
            own.raised = 0
            own.restart_ms = piece.at_ms if what == UNKNOWN else piece.to_ms
            if what != UNKNOWN:
                own.all_ms = 0
    return count


def short_rests(batch: Enriched, when: Bool, limits: Limits, state: State) -> Found:
    """Driving joined over stops that were too short for a rest, against a limit.

    Parameters
    ----------
    batch : Enriched, (n,)
        With its pieces, (p,).
    when : bool, (n,)
        Fixes whose pair may raise or extend an episode; the driving itself is joined always.
    limits : Limits
        ``after_ms``, ``limit_ms``, ``severe_ms``; index over pieces, (p,). What is joined keeps the set of its first
        piece.

    Returns
    -------
    Found of ``RESTED``, (m,)
        An episode is over at the piece that restarts what is joined.
    """
    found: NDArray[np.void] = np.empty(len(batch.pieces), RESTED)
    count = _rests(
        batch.vehicle,
        batch.time_ms,
        batch.crew,
        when,
        limits.slot,
        batch.pieces,
        limits.index,
        limits.parameter("limit_ms"),
        limits.parameter("after_ms"),
        limits.parameter("severe_ms"),
        state,
        found,
    )
    return found[:count]


def rest_measures(row: Any) -> dict[str, object]:
    """Driving joined, the stop in it, and the driving before that [s]."""
    return {f"{name}_s": int(row[f"{name}_ms"]) / 1000 for name in ("driven", "stop", "before")}
