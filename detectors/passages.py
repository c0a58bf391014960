"""Passages: when vehicles were at the stops of their trips, kept for the closing of the day.

They depend on pairs of accepted fixes only, one by one, and on the timetable.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.passings import passings
from ingest.batch import Int64
from ingest.gate import Accepted
from ingest.moment import BEIJING_MS, DAY_MS, HOUR_MS
from ingest.timetable import Timetable

NEAR_M = 60.0
"""A way comes to a stop if it comes this near [m]."""

GAP_MS = 120_000
"""Pairs farther apart are no way [ms]."""

EARLY_MS = 1_200_000
LATE_MS = HOUR_MS
"""How much before its time, and after it, a call is looked for [ms]."""

BUCKET_MS = 600_000
"""Of each of these spans of epoch time it is kept whether a vehicle was heard [ms]."""

MANY = 100_000
"""Rows that are gathered before they are put in order."""

PASSAGE = np.dtype(
    [("vehicle", "i4"), ("day", "i4"), ("call", "i4"), ("from_ms", "i8"), ("first_ms", "i8"), ("to_ms", "i8")],
    align=True,
)
"""A vehicle at a call of a service day: the fix before it came there, the one by which it was there, and the one by
which it had last been there."""


class Passages:
    """Passages of a timetable, as fixes come."""

    def __init__(self, timetable: Timetable) -> None:
        self.timetable = timetable
        self._merged: NDArray[np.void] = np.zeros(0, PASSAGE)
        self._parts: list[NDArray[np.void]] = []
        self._heard: Int64 = np.zeros(0, np.int64)
        self._new_heard: list[Int64] = []

    def add(self, accepted: Accepted) -> None:
        """Take the accepted fixes of a batch."""
        timetable = self.timetable
        if not len(timetable.vehicles):
            return
        own = timetable.rows(accepted.vehicle)
        near = (own >= 0) & (accepted.dt_ms > 0) & (accepted.dt_ms <= GAP_MS)
        rows = np.flatnonzero(near & (accepted.distance_dm > 0))
        early_ms, late_ms = np.full(len(rows), EARLY_MS), np.full(len(rows), LATE_MS)
        passed = passings(accepted, timetable, rows, early_ms, late_ms, np.full(len(rows), NEAR_M), abeam=False)
        at = passed["row"]
        found: NDArray[np.void] = np.empty(len(passed), PASSAGE)
        found["vehicle"], found["day"], found["call"] = accepted.vehicle[at], passed["day"], passed["call"]
        found["from_ms"] = accepted.time_ms[at] - accepted.dt_ms[at]
        found["first_ms"] = found["to_ms"] = accepted.time_ms[at]
        self._parts.append(found)
        heard = accepted.vehicle[own >= 0].astype(np.int64) << 32 | accepted.time_ms[own >= 0] // BUCKET_MS
        self._new_heard.append(np.unique(heard))
        if sum(map(len, (*self._parts, *self._new_heard))) > MANY + len(self._merged) + len(self._heard):
            self._merge()

    def _merge(self) -> None:
        if not self._parts:
            return
        self._merged = _merged([self._merged, *self._parts])
        self._heard = np.unique(np.concatenate([self._heard, *self._new_heard]))
        self._parts, self._new_heard = [], []

    @staticmethod
    def service_day(day_ms: int) -> int:
        """Number of the day that begins then."""
        return (day_ms + BEIJING_MS) // DAY_MS

    def of(self, day_ms: int) -> NDArray[np.void]:
        """Those of a service day, by its 00:00, by vehicle, then call."""
        self._merge()
        found: NDArray[np.void] = self._merged[self._merged["day"] == self.service_day(day_ms)]
        return found

    def heard(self, vehicle: int, from_ms: int, to_ms: int) -> tuple[int, int]:
        """In how many of the spans of epoch time that a time touches a fix of a vehicle was accepted, and of how many.

        Both ends [ms] belong to the time.
        """
        first, last = (vehicle << 32 | moment // BUCKET_MS for moment in (from_ms, to_ms))
        self._merge()
        begin = np.searchsorted(self._heard, first, side="left")
        end = np.searchsorted(self._heard, last, side="right")
        return int(end - begin), last - first + 1


def _merged(parts: list[NDArray[np.void]]) -> NDArray[np.void]:
    """One passage for each vehicle, service day and call, by these."""
    every = np.concatenate(parts)
    if not len(every):
        return every
    every = every[np.lexsort((every["from_ms"], every["call"], every["day"], every["vehicle"]))]
    key = [every[name] for name in ("vehicle", "day", "call")]
    fresh = np.ones(len(every), np.bool_)
    fresh[1:] = np.any([column[1:] != column[:-1] for column in key], axis=0)
    first = np.flatnonzero(fresh)
    found = every[first]
    found["first_ms"] = np.minimum.reduceat(every["first_ms"], first)
    found["to_ms"] = np.maximum.reduceat(every["to_ms"], first)
    return found
