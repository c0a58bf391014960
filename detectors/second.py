"""Second pass: the fixes by which a day is judged once more when it is closed, and what they come to.

A fix *enters* the second pass when it was located online (accepted, or drift); or is late or back-filled, and of a
Beijing day not more than 7 days before that of its arrival; or is unconfirmed and confirmed the next: of the
vehicle's fixes behind it in arrival order, the first that was located or unconfirmed was located, and is later by at
most an hour. A fix arrives at its receipt where that is known, else at the time of the vehicle's last fix located
before it, else at its own.

Fixes without a position (``no_fix``) go along, to be refused again: they show that the terminal was on line.

All are put in order of time, then arrival; of a vehicle's fixes of one time the first wins, of those with a position
where there are such. The gate then only tells drift (step 5): all are located. Ticks are full minutes of the fixes' own
times.

Of a closed day's sheet the track, the accepted fixes and the distances are those of the second pass; what was
received, and what was wrong with it, is counted as it came.

Source: rulebook §7.
"""

from collections.abc import Iterator

import numpy as np

from detectors.engine import Engine
from detectors.found import Found
from ingest.batch import MISSING_MS, Batch, Int8, Int64
from ingest.gate import ABSENCE_MS, Verdict
from ingest.moment import BEIJING_MS, DAY_MS
from ingest.ticks import Clock

BACK_DAYS = 7
"""How far back late and back-filled fixes are taken [Beijing days]."""

BATCH_FIXES = 100_000
"""Fixes that are judged at once; no result depends on it."""

LOCATED = (Verdict.ACCEPTED, Verdict.DRIFT)
LATER = (Verdict.LATE, Verdict.BACKFILL)


def entering(batch: Batch, verdict: Int8) -> Int64:
    """Rows of the fixes that enter the second pass, by time, then arrival, (m,).

    Parameters
    ----------
    batch : Batch, (n,)
        All fixes received of some vehicles, in arrival order.
    verdict : uint8, (n,)
        What the gate said of each online.
    """
    n = len(batch)
    if not n:
        return np.zeros(0, np.int64)
    order = batch.by_vehicle()
    vehicle, time_ms, said = batch.vehicle[order], batch.time_ms[order], verdict[order]
    received_ms = batch.received_ms[order]
    place = np.arange(n)
    begin = np.maximum.accumulate(np.where(np.append(True, vehicle[1:] != vehicle[:-1]), place, 0))
    located = np.isin(said, LOCATED)
    last = np.maximum.accumulate(np.where(located, place, -1))
    known = np.where(last >= begin, time_ms[last], time_ms)
    arrived_ms = np.where(received_ms != MISSING_MS, received_ms, known)
    days = (arrived_ms + BEIJING_MS) // DAY_MS - (time_ms + BEIJING_MS) // DAY_MS
    enters = located | (said == Verdict.NO_FIX) | (np.isin(said, LATER) & (days <= BACK_DAYS))

    told = np.where(located | (said == Verdict.UNCONFIRMED), place, n)
    following = np.append(np.minimum.accumulate(told[::-1])[::-1][1:], n)
    after = np.minimum(following, n - 1)
    confirms = (following < n) & (vehicle[after] == vehicle) & located[after]
    gap_ms = time_ms[after] - time_ms
    enters |= (said == Verdict.UNCONFIRMED) & confirms & (gap_ms > 0) & (gap_ms <= ABSENCE_MS)

    rows = order[enters]
    rows = rows[np.lexsort((rows, verdict[rows] == Verdict.NO_FIX, batch.time_ms[rows], batch.vehicle[rows]))]
    same = (np.diff(batch.vehicle[rows]) == 0) & (np.diff(batch.time_ms[rows]) == 0)
    rows = rows[np.append(True, ~same)] if len(rows) else rows
    found: Int64 = rows[np.lexsort((rows, batch.time_ms[rows]))]
    return found


def close(online: Engine, batch: Batch, verdict: Int8) -> Iterator[dict[str, Found]]:
    """Judge the second pass of all days of an input, batch by batch; then the days, where the engine keeps them.

    Parameters
    ----------
    online : Engine
        That has judged all of it.
    batch : Batch, (n,)
        All fixes received, in arrival order.
    verdict : uint8, (n,)
        What the gate said of each online.
    """
    second = Engine(online.registry, online.kinds, daily=online.days is not None, second=True)
    rows, clock = entering(batch, verdict), Clock(own=True)
    for at in range(0, len(rows), BATCH_FIXES):
        yield second.detect(batch.take(rows[at : at + BATCH_FIXES]), clock).found
    if online.days is not None and second.days is not None:
        second.days = online.days.tracked(second.days)
        yield second.close()
