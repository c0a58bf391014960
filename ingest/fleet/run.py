"""One run of a fleet, slice by slice of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ingest.fleet.acts import truth
from ingest.fleet.burst import speed_up
from ingest.fleet.chance import Chance
from ingest.fleet.columns import CLASSES, FIX, Floats, Ints, Mask, Rows
from ingest.fleet.dirt import soil
from ingest.fleet.fixes import fixes
from ingest.fleet.labels import Label, Truth
from ingest.fleet.motion import moments, motion
from ingest.fleet.plan import DAY_S, LEGS, NEVER, Plan
from ingest.fleet.planner import make_plan
from ingest.fleet.plants import Plants
from ingest.fleet.roster import roster
from ingest.fleet.service import timed
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.stands import stands
from ingest.fleet.tracks import tracks

_ZONE_MS = 8 * 3_600_000
_ORIGINS = (4 * 3600, 12 * 3600)
"""When a period begins [s of the day]: for those who leave in the morning, and in the evening."""
_SLICE_ROWS, _SLICE_S, _PLAN_ROWS = 60_000, 1200, 50_000
_NIGHT = np.asarray([shift.night for shift in SHIFTS])
_EARLY = np.asarray([shift.early for shift in SHIFTS])
_KIND = np.asarray([shift.kind != "" for shift in SHIFTS])
_ABSENT = np.asarray([shift.fault == "absent" for shift in SHIFTS])
_DAILY = np.asarray([shift.fault == "absent" or shift.timed for shift in SHIFTS])
_STRAY = np.asarray([shift.paper in ("stop", "boarding") for shift in SHIFTS])


@dataclass(frozen=True)
class Part:
    """A slice of a run.

    Parameters
    ----------
    done : float
        Share of the run that is over after it.
    rows : ndarray of FIX
        What arrives in it, in order of receipt.
    labels : list of Label
        What was planned at its beginning.
    """

    done: float
    rows: Rows
    labels: list[Label]


class Run:
    """A fleet and its present plan. Times are seconds since the Beijing midnight before the run.

    Memory depends on the number of vehicles only: a row of columns each, and the
    rows of one slice.

    Parameters
    ----------
    vehicles, hours, seed, start_ms, plants, share
        As `generate` takes them.
    """

    def __init__(
        self, vehicles: int, hours: float, seed: int, start_ms: int, plants: Plants, share: tuple[int, int] = (0, 1)
    ) -> None:
        self.zero_ms = (start_ms + _ZONE_MS) // 86_400_000 * 86_400_000 - _ZONE_MS
        self.first_day = (self.zero_ms + _ZONE_MS) // 86_400_000
        self._begin = (start_ms - self.zero_ms) // 1000
        self._end = self._begin + max(1, round(hours * 3600))
        self._chance, self.tracks = Chance(seed), tracks()
        self.days = range(self._begin // DAY_S, (self._end - 1) // DAY_S + 1)
        whole = self._begin == 0 and self._end % DAY_S == 0
        self.roster = roster(self._chance, vehicles, hours, whole, self.tracks, plants)
        self.stands = stands(self._chance, self.roster, self.tracks)
        self._plan = Plan.empty(vehicles)
        everyone = np.arange(vehicles)
        self._mine = everyone % share[1] == share[0]
        self.who = np.flatnonzero(self._mine)
        self._odometer: Floats = self._chance.between(4e6, 6e8, "odometer", everyone)
        self._busy = np.full(vehicles, -9, np.int16)
        shift = self.roster.shift
        self._soon = np.flatnonzero(_EARLY[shift] & (hours < 24.0))
        free = ~_EARLY[shift] | (hours >= 24.0)
        self._groups = tuple(np.flatnonzero((_NIGHT[shift] == night) & free) for night in (False, True))

    def drive(self) -> Iterator[Part]:
        """Yield the parts of the run in order."""
        span = self._end - self._begin
        length = max(1, min(_SLICE_S, int(_SLICE_ROWS / max(1e-9, float((1.0 / self.roster.every[self.who]).sum())))))
        labels = self._replan(self._soon, self._begin // DAY_S, float(self._begin))
        for group, origin in zip(self._groups, _ORIGINS, strict=True):
            labels += self._replan(group, (self._begin - origin) // DAY_S, None)
        held = np.zeros(0, FIX)
        now = self._begin
        while now < self._end:
            for group, origin in zip(self._groups, _ORIGINS, strict=True):
                if now % DAY_S == origin and now > self._begin:
                    labels += self._replan(group, now // DAY_S, None)
            turn = min(now + DAY_S - (now - origin) % DAY_S for origin in _ORIGINS)
            then = min(now + length, self._end, turn)
            rows = np.concatenate([held, self._slice(now, then)])
            due = rows["received"] < then * 1000 + self.zero_ms
            held, rows = rows[~due], rows[due]
            yield Part((then - self._begin) / span, _arrived(rows), labels)
            labels, now = [], then
        yield Part(1.0, _arrived(held), [])

    def _slice(self, begin: int, end: int) -> Rows:
        """Rows taken in [begin, end), not in order of receipt."""
        at = moments(self.roster, self._plan, begin, end, self.who)
        moved = motion(self.roster, self.tracks, self._plan, at)
        rows = fixes(self._chance, self.roster, at, moved, self._odometer, self.zero_ms)
        return soil(self._chance, self.roster, self._plan, at, moved, rows)

    def _replan(self, group: Ints, day: int, at_once: float | None) -> list[Label]:
        """Plan the group's next period; what is planted is done whole within the run, or not at all."""
        labels: list[Label] = []
        for first in range(0, len(group), _PLAN_ROWS):
            who = group[first : first + _PLAN_ROWS]
            self._odometer[who] += self._plan.done[LEGS - 1, who]
            plan = make_plan(self._chance, self.roster, self.tracks, who, day, at_once)
            speed_up(self._chance, self.roster, self.tracks, plan, who, at_once is not None)
            found = truth(self.roster, self.tracks, plan, who)
            off, inside = self._off_duty(plan, found, who, day)
            plan.cancel(np.flatnonzero(off))
            self._plan.put(who, plan)
            told = inside & ~off[found.row] & self._mine[who[found.row]]
            labels += found.labels(self.roster, who, told, self.zero_ms)
        return labels

    def _off_duty(self, plan: Plan, found: Truth, who: Ints, day: int) -> tuple[Mask, Mask]:
        """Which planted vehicles stay at home: it would not fit, or they were busy the day before.

        Those that run by a timetable, or are never heard, do so every day.

        Returns
        -------
        off : ndarray, (m,)
        inside : ndarray, (l,)
            Which labels lie within the run.
        """
        shift = self.roster.shift[who]
        margin = 5.0 + 3.0 * self.roster.every[who[found.row]]
        inside = (found.begin >= self._begin + margin) & (found.end <= self._end - margin)
        whole = (day * DAY_S >= self._begin) & ((day + 1) * DAY_S <= self._end)
        inside &= ~_ABSENT[shift[found.row]] | whole
        fits = np.zeros(len(who), bool)
        fits[found.row] = True
        fits[found.row[~inside]] = False
        fits &= (plan.begin[0] >= self._begin) & (self.stands.stray[who] | ~_STRAY[shift])
        off = _KIND[shift] & (~fits | (day - self._busy[who] < 2)) & ~_DAILY[shift]
        self._busy[who[_KIND[shift] & ~off]] = day
        return np.asarray(off, bool), np.asarray(inside, bool)

    def timed(self) -> Plan:
        """Plan of the vehicles that run by a timetable, for the run's first day."""
        return make_plan(self._chance, self.roster, self.tracks, timed(self.roster, self.who), 0, None)

    def departures(self, days: Iterable[int]) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Vehicle, town of the station and time [s] of departures of coaches from stations, day by day."""
        who = self.who[self.roster.cls[self.who] == CLASSES.index("L")]
        station = self.tracks.station[self.roster.track[who]]
        for day in days:
            plan = make_plan(self._chance, self.roster, self.tracks, who, day, None)
            for k in range(LEGS - 1):
                gone = np.flatnonzero((plan.begin[k] != NEVER) & (station[:, k % 2] >= 0))
                yield who[gone], station[gone, k % 2], plan.begin[k, gone].astype(np.int64)


def _arrived(rows: Rows) -> Rows:
    """Rows in order of receipt; of equal times the one taken earlier first."""
    return rows[np.argsort(rows["received"], kind="stable")]
