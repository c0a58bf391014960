"""Timetables: what buses that run by one are due where, as they drive, or not quite so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ingest.fleet.columns import Floats, Ints
from ingest.fleet.labels import plate
from ingest.fleet.plan import LEGS, NEVER, Plan
from ingest.fleet.roster import Roster
from ingest.fleet.shift import HOUR
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.tracks import STEP_S, Tracks

EARLIER_S = {"late": 720.0, "nearly_late": 540.0}
"""The last trip of the day is due so much earlier than it is run [s]."""

_SERVED_LEGS = 2
_AFTER_S = HOUR
_Part = tuple[Ints, Floats, Floats]


def _legs(plan: Plan, column: int) -> list[int]:
    """The legs of a vehicle."""
    return [k for k in range(LEGS - 1) if plan.begin[k, column] != NEVER]


def _cycle(plan: Plan, k: int, column: int) -> tuple[float, float]:
    """Length of a cycle [s], and unit time that it gains."""
    length = float(plan.end[k, column] - plan.begin[k, column]) / int(plan.cycles[k, column])
    return length, float(plan.pace[k, column]) * (length - float(plan.dwell[column]) - float(plan.ramp[column]))


def _row(tracks: Tracks, track: int, unit: float) -> int:
    """Row of a track at a unit time [s], round after round."""
    return int(tracks.base[track] + round(unit % float(tracks.length[track]) / STEP_S))


def _straight(tracks: Tracks, track: int, plan: Plan, column: int) -> tuple[int, float]:
    """A cycle in whose middle the street runs straight on, and the unit time of its middle from home."""
    _, gain = _cycle(plan, 0, column)
    home = float(plan.home[column])
    best, least = 1, 1e9
    for i in range(1, int(plan.cycles[0, column]) - 1):
        middle = home + (i + 0.5) * gain
        turn = [float(tracks.heading[_row(tracks, track, middle + off)]) for off in (-16.0, -8.0, 0.0, 8.0, 16.0)]
        bend = max(abs((one - turn[2] + 180.0) % 360.0 - 180.0) for one in turn)
        if bend < least:
            best, least = i, bend
    return best, (best + 0.5) * gain


def skipped(tracks: Tracks, track: Ints, plan: Plan, rows: Ints) -> list[_Part]:
    """When each leg of these vehicles passes the stop at which nobody stands."""
    found: list[_Part] = []
    for which, column in zip(track.tolist(), rows.tolist(), strict=True):
        cycle, _ = _straight(tracks, which, plan, column)
        for k in _legs(plan, column):
            length, _ = _cycle(plan, k, column)
            at = plan.begin[k, column] + cycle * length + (length - plan.dwell[column]) / 2
            found.append((np.asarray([column]), np.asarray([float(at)]), np.asarray([float(at)])))
    return found


def unserved(plan: Plan, rows: Ints) -> Floats:
    """From when on these vehicles drive an hour and more after their last trip."""
    found = []
    for column in rows.tolist():
        over = plan.end[_SERVED_LEGS - 1, column] + _AFTER_S
        later = [k for k in _legs(plan, column) if plan.end[k, column] > over]
        found.append(max(float(over), float(plan.begin[later[0], column])) if later else np.inf)
    return np.asarray(found)


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def timed(roster: Roster, who: Ints) -> Ints:
    """Those of some vehicles that run by a timetable."""
    return np.asarray(who[np.asarray([shift.timed for shift in SHIFTS])[roster.shift[who]]], np.int64)


class Service:
    """Rows of the tables of a timetable.

    Parameters
    ----------
    roster, tracks
        The fleet.
    who : ndarray
        Vehicles.
    plan : Plan
        Of those among them that run by a timetable, for the run's first day; it is the same on all days.
    """

    def __init__(self, roster: Roster, tracks: Tracks, who: Ints, plan: Plan) -> None:
        self._roster, self._tracks, self._plan = roster, tracks, plan
        self._who = timed(roster, who)

    def _paper(self, column: int) -> str:
        return str(SHIFTS[self._roster.shift[self._who[column]]].paper)

    def _trips(self) -> Iterator[tuple[int, str, int, float]]:
        """Column, id, leg and how much earlier it is due [s] of each trip."""
        for column, vehicle in enumerate(self._who.tolist()):
            legs, paper = _legs(self._plan, column), self._paper(column)
            for k in legs[:_SERVED_LEGS] if paper == "hours" else legs:
                early = EARLIER_S.get(paper, 0.0) if k == legs[-1] else 0.0
                yield column, f"{plate(self._roster, vehicle)}-{k + 1}", k, early

    def _stops(self, column: int) -> list[tuple[str, float, float]]:
        """Id, unit time from home, and cycles until there of each stop, in order; the last is the first again."""
        name = plate(self._roster, int(self._who[column]))
        cycles = int(self._plan.cycles[0, column])
        _, gain = _cycle(self._plan, 0, column)
        found = [(f"{name}-0", 0.0, 0.0)]
        found += [(f"{name}-{i}", i * gain, float(i)) for i in range(1, cycles)]
        if self._paper(column) in ("skipped", "request"):
            track = int(self._roster.track[self._who[column]])
            cycle, unit = _straight(self._tracks, track, self._plan, column)
            found.insert(cycle + 1, (f"{name}-x", unit, cycle + 0.5))
        return [*found, (f"{name}-0", cycles * gain, float(cycles))]

    def stops(self) -> Iterator[str]:
        """Rows of ``stops.csv``."""
        for column, vehicle in enumerate(self._who.tolist()):
            track, home = int(self._roster.track[vehicle]), float(self._plan.home[column])
            for k, (name, unit, _) in enumerate(self._stops(column)[:-1]):
                row = _row(self._tracks, track, home + unit)
                request = int(self._paper(column) == "request" and name.endswith("-x"))
                yield f"{name},停靠站{k + 1},{self._tracks.lon[row]:.6f},{self._tracks.lat[row]:.6f},{request}"

    def trips(self) -> Iterator[str]:
        """Rows of ``trips.csv``."""
        for column, name, _, _ in self._trips():
            vehicle = int(self._who[column])
            route = self._tracks.route[self._roster.track[vehicle]]
            yield f"{name},R{route:03d},{plate(self._roster, vehicle)},{self._roster.color[vehicle]}"

    def stop_times(self) -> Iterator[str]:
        """Rows of ``stop_times.csv``."""
        plan = self._plan
        for column, trip, k, early in self._trips():
            begin, dwell = float(plan.begin[k, column]) - early, float(plan.dwell[column])
            length, _ = _cycle(plan, k, column)
            stops = self._stops(column)
            for order, (name, _, cycles) in enumerate(stops):
                whole = cycles == int(cycles)
                departs = begin + cycles * length - (0.0 if whole else dwell / 2)
                arrives = departs - (dwell if whole and cycles > 0 else 0.0)
                last = order == len(stops) - 1
                yield f"{trip},{order + 1},{name},{_clock(arrives)},{_clock(arrives if last else departs)}"
