"""Totals: what is driven inside the small hours of one Beijing day, over pieces.

Source: rulebook §4, V09.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.activity import DRIVE, SMALL_FROM_MS, SMALL_TO_MS, small_hours_ms
from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, RISEN, SHOWN, STANDS, Found, show
from detectors.kind import State
from detectors.limits import Limits
from ingest.batch import Bool, Int32, Int64
from ingest.kernel import kernel
from ingest.moment import BEIJING_MS, DAY_MS

NIGHT_TOTAL = np.dtype(
    [*EPISODE, ("running", "u1"), ("over", "u1"), ("set", "i4"), ("day_ms", "i8"), ("ms", "i8"), ("dm", "i8")],
    align=True,
)
"""What was driven in the small hours of one Beijing day; `severity` 0 until it is raised; whether it was
told to be `over`."""

TOTALLED = np.dtype([*SHOWN, ("drive_ms", "i8"), ("distance_dm", "i8")], align=True)
"""An episode of the small hours: time and distance driven in them [ms], [dm]."""


@kernel
def _show(found: Any, vehicle: int, own: Any) -> None:
    show(found, vehicle, own)
    found.drive_ms = own.ms
    found.distance_dm = own.dm


@kernel
def _totals(
    vehicle: Int32,
    time_ms: Int64,
    when: Bool,
    pieces: State,
    sets: Int32,
    open_ms: Int64,
    open_dm: Int64,
    severe_ms: Int64,
    slot: Int32,
    state: State,
    found: Found,
) -> int:
    """Add up driving inside the small hours; returns how many rows of `found` it wrote.

    They are two a piece at most: the end of one day's episode and what became of another's.
    """
    count = 0
    changed = False
    for at in range(len(pieces)):
        piece = pieces[at]
        row = piece.row
        if slot[row] < 0:
            continue
        who = vehicle[row]
        own = state[slot[row]]
        fact = STANDS
        day = piece.to_ms - (piece.to_ms + BEIJING_MS) % DAY_MS
        past = own.day_ms != day or piece.from_ms >= day + SMALL_TO_MS
        if past and own.severity != 0 and own.over == 0:
            own.over = 1
            _show(found[count], who, own)
            found[count].fact = ENDED
            count += 1
            changed = False
        inside = small_hours_ms(piece.from_ms, piece.to_ms) if piece.what == DRIVE and when[row] else 0
        if inside > 0:
            if own.running == 0 or own.day_ms != day:
                own.running = 1
                own.severity = 0
                own.over = 0
                own.day_ms = day
                own.ms = 0
                own.dm = 0
                own.begins_ms = max(piece.from_ms, day + SMALL_FROM_MS)
                own.lon = piece.lon
                own.lat = piece.lat
                own.set = sets[at]
            own.ms += inside
            own.dm += piece.small_dm
            own.ends_ms = min(piece.to_ms, day + SMALL_TO_MS)
            if own.severity == 0 and (own.ms >= open_ms[own.set] or own.dm >= open_dm[own.set]):
                fact = RAISED
                own.severity = 3
                own.raised_ms = time_ms[row]
            if own.severity != 0:
                changed = True
                if own.severity == 3 and own.ms > severe_ms[own.set]:
                    own.severity = 4
                    if fact == STANDS:
                        fact = RISEN
        if fact != STANDS or (changed and (at + 1 == len(pieces) or vehicle[pieces[at + 1].row] != who)):
            _show(found[count], who, own)
            found[count].fact = fact
            count += 1
            changed = False
    return count


def small_hours_total(batch: Enriched, when: Bool, limits: Limits, state: State) -> Found:
    """Driving inside [02:00, 05:00) of one Beijing day, against a time and a distance.

    Parameters
    ----------
    batch : Enriched, (n,)
        With its pieces, (p,); driving behind a gap is left out.
    when : bool, (n,)
        Fixes whose pair counts.
    limits : Limits
        ``open_ms``, ``open_dm``, ``severe_ms``; index over pieces, (p,).

    Returns
    -------
    Found of ``TOTALLED``, (m,)
        An episode is over at the first piece, of any sort, from 05:00 on or of another day.
    """
    found: NDArray[np.void] = np.empty(2 * len(batch.pieces), TOTALLED)
    count = _totals(
        batch.vehicle,
        batch.time_ms,
        when,
        batch.pieces,
        limits.index,
        limits.parameter("open_ms"),
        limits.parameter("open_dm"),
        limits.parameter("severe_ms"),
        limits.slot,
        state,
        found,
    )
    return found[:count]


def total_measures(row: Any) -> dict[str, object]:
    """Time [s] and distance [m] driven in the small hours."""
    return {"drive_s": int(row["drive_ms"]) / 1000, "distance_m": int(row["distance_dm"]) / 10}
