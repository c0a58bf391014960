"""Ticks: how far event time has come on its own, between the fixes; silence is measured against them.

Source: rulebook §1.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ingest.batch import MISSING_MS, Batch, Bool, Int32, Int64
from ingest.kernel import kernel

TICK_MS = 60_000
"""Ticks that stand in one row follow one another at this distance [ms]."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks among the fixes of a batch, by partition, then arrival.

    A row is one tick, or several that arrived at the same place: one each `TICK_MS` from ``first_ms`` to ``last_ms``.

    Attributes
    ----------
    at : int64, (t,)
        They arrived before the fix at this position of the batch; the batch's length where after all of them.
    first_ms, last_ms : int64, (t,)
        Time of the first and of the last [ms].
    partition : int32, (t,)
        They concern the vehicles whose home this is, and no others.
    home : int32, (v,)
        Partition of each vehicle; 0 for vehicles from v on.
    """

    at: Int64
    first_ms: Int64
    last_ms: Int64
    partition: Int32
    home: Int32

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def of(cls, marks: Sequence[tuple[int, int, int]], home: Int32) -> Self:
        """Single ticks from their positions, times [ms] and partitions, in arrival order."""
        rows = np.array(marks, np.int64).reshape(-1, 3)
        rows = rows[np.argsort(rows[:, 2], kind="stable")]
        at, time_ms = rows[:, 0].copy(), rows[:, 1].copy()
        return cls(at, time_ms, time_ms, rows[:, 2].astype(np.int32), home)

    def homes(self, vehicles: int) -> Int32:
        """Partition of each of so many vehicles, (vehicles,)."""
        found = np.zeros(vehicles, np.int32)
        found[: len(self.home)] = self.home[:vehicles]
        return found

    def spans(self, home: Int32) -> tuple[Int64, Int64]:
        """First row and the one behind the last for vehicles of these homes, (m,) each."""
        return np.searchsorted(self.partition, home, "left"), np.searchsorted(self.partition, home, "right")


NO_TICKS = Ticks.of((), np.zeros(0, np.int32))


@kernel
def first_tick(
    at: Int64, first_ms: Int64, last_ms: Int64, begin: int, end: int, since: int, upto: int, moment_ms: int
) -> int:
    """Time of the first tick later than a moment among rows ``begin`` to ``end`` that stand at ``since`` to ``upto``.

    Returns
    -------
    int
        [ms]; -1 where there is none.
    """
    row = begin + np.searchsorted(at[begin:end], since)
    while row < end and at[row] <= upto:
        if last_ms[row] > moment_ms:
            if first_ms[row] > moment_ms:
                return int(first_ms[row])
            return int(first_ms[row] + ((moment_ms - first_ms[row]) // TICK_MS + 1) * TICK_MS)
        row += 1
    return -1


class Clock:
    """Makes ticks of the input itself, where it brings none: a file, in order of arrival.

    There is a tick for each full minute that the clock passes. The clock is the latest moment so far that a located
    fix vouches for: its receipt where that is known, else its own time. The ticks stand before the fix that passes
    them, in partition 0. The first moment starts the clock and passes nothing.

    Parameters
    ----------
    own : bool
        A fix vouches for its own time only.
    """

    def __init__(self, *, own: bool = False) -> None:
        self._minute = -1
        self._own = own

    def ticks(self, batch: Batch, located: Bool) -> Ticks:
        """Minutes that pass in a batch.

        Parameters
        ----------
        batch : Batch, (n,)
            In arrival order.
        located : bool, (n,)
            Where a fix was located by the gate: accepted, or drift.
        """
        rows = np.flatnonzero(located)
        if not len(rows):
            return NO_TICKS
        received = batch.received_ms[rows]
        moment = np.where((received != MISSING_MS) & (not self._own), received, batch.time_ms[rows])
        minute = np.maximum.accumulate(moment // TICK_MS)
        before = np.concatenate([[self._minute if self._minute >= 0 else minute[0]], minute[:-1]])
        self._minute = max(int(minute[-1]), self._minute)
        before = np.maximum.accumulate(before)
        passed = np.flatnonzero(minute > before)
        return Ticks(
            rows[passed].astype(np.int64),
            (before[passed] + 1) * TICK_MS,
            minute[passed] * TICK_MS,
            np.zeros(len(passed), np.int32),
            np.zeros(0, np.int32),
        )
