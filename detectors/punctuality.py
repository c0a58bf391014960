"""Punctuality: trips of a day that were not run as the timetable has them."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from detectors.days import Day
from detectors.found import SHOWN, Found
from detectors.limits import Limits
from detectors.passages import EARLY_MS, LATE_MS
from ingest.batch import Bool, Int32, Int64


class Irregularity(IntEnum):
    """What is wrong with a trip, in the order in which it is looked for."""

    MISSED = 1
    LATE = 2
    EARLY = 3
    GAP = 4
    BUNCHING = 5


IRREGULAR = np.dtype(
    [
        *SHOWN,
        ("irregularity", "u1"),
        ("calls", "i4"),
        ("deviation_ms", "i8"),
        ("planned_ms", "i8"),
        ("due_ms", "i8"),
        ("stop_name", "U48"),
        ("trip_name", "U48"),
        ("route", "U48"),
    ],
    align=True,
)
"""A trip that was not run as planned: what is wrong, at how many calls, and at the worst of them by how much, the
planned interval (0 where none matters), when it was due and where; names of trip and route."""


class _Plan:
    """Calls of a service day, by run, with what is known of them, (c,)."""

    def __init__(self, day: Day) -> None:
        timetable = day.registry.timetable
        self.timetable, self.calls = timetable, timetable.calls
        service = int(day.passages.service_day(day.day_ms))
        row, self.trip = timetable.runs(service)
        self.vehicle: Int32 = timetable.vehicles[row]
        begin, self.size = self.calls.first[self.trip], np.diff(self.calls.first)[self.trip]
        behind = np.cumsum(self.size)
        self.begin = behind - self.size
        self.run: Int64 = np.repeat(np.arange(len(self.trip)), self.size)
        self.call: Int64 = np.arange(len(self.run)) - self.begin[self.run] + begin[self.run]
        self.place: Int64 = np.arange(len(self.run)) - self.begin[self.run]
        self.is_last: Bool = self.place == self.size[self.run] - 1
        self.arrives_ms = self.calls.arrives_ms[self.call] + day.day_ms
        self.departs_ms = self.calls.departs_ms[self.call] + day.day_ms
        self.judged: Bool = (self.departs_ms - EARLY_MS >= day.day_ms) & (self.departs_ms + LATE_MS <= day.end_ms)
        self.timed: Bool = self.judged & self.calls.timed[self.call]
        passages = day.passages.of(day.day_ms)
        key = passages["vehicle"].astype(np.int64) << 32 | passages["call"]
        wanted = self.vehicle[self.run].astype(np.int64) << 32 | self.call
        at = np.minimum(np.searchsorted(key, wanted), max(0, len(key) - 1))
        self.known: Bool = key[at] == wanted if len(key) else np.zeros(len(wanted), np.bool_)
        for name in ("from_ms", "first_ms", "to_ms"):
            times = passages[name][at] if len(key) else np.zeros(len(wanted), np.int64)
            setattr(self, name, np.where(self.known, times, 0))

    from_ms: Int64
    first_ms: Int64
    to_ms: Int64

    def intervals(self) -> tuple[Int64, Int64, Int64]:
        """Calls whose interval to the trip before them on their route and stop is known; planned and real one, (k,)."""
        routes = np.unique([trip.route for trip in self.timetable.trips], return_inverse=True)[1]
        chosen = np.flatnonzero(self.timed & ~self.is_last)
        trip = self.trip[self.run[chosen]]
        route, stop = routes[trip], self.calls.stop[self.call[chosen]]
        order = np.lexsort((self.vehicle[self.run[chosen]], trip, self.departs_ms[chosen], stop, route))
        route, stop, chosen = route[order], stop[order], chosen[order]
        before, behind = chosen[:-1], chosen[1:]
        pair = (route[1:] == route[:-1]) & (stop[1:] == stop[:-1]) & self.known[before] & self.known[behind]
        before, behind = before[pair], behind[pair]
        planned = self.departs_ms[behind] - self.departs_ms[before]
        return behind, planned, self.first_ms[behind] - self.first_ms[before]


def irregular(day: Day, limits: Limits) -> Found:
    """Trips of a service day that were missed, late, early, or too far from, or too near to, the trip before.

    Parameters
    ----------
    day : Day, (v,)
    limits : Limits
        ``early_ms``, ``late_ms``, ``bunch_ratio``, ``gap_ratio``, ``least_interval_ms``, ``most_interval_ms``,
        ``interval_calls``; of the vehicle whose trip it is.

    Returns
    -------
    Found of ``IRREGULAR``, (m,)
        One row each, without a fact; by vehicle, then begin.
    """
    plan = _Plan(day)
    at = np.minimum(np.searchsorted(day.vehicle, plan.vehicle), max(0, len(day) - 1))
    here = (day.vehicle[at] == plan.vehicle) if len(day) else np.zeros(len(plan.trip), np.bool_)
    if not here.any():
        return np.zeros(0, IRREGULAR)
    ordered = _ordered(day, plan)
    wanted = here & limits.applies[at] & (day.sheets["accepted"][at] > 0) & ~ordered
    sets = limits.index[at]

    def parameter(name: str, run: Int64) -> NDArray[np.float64 | np.int64]:
        return limits.parameter(name)[sets[run]]

    of_run, n = plan.run, len(plan.call)
    flags: NDArray[np.bool_] = np.zeros((6, n), np.bool_)
    deviation: NDArray[np.int64] = np.zeros((6, n), np.int64)
    planned: NDArray[np.int64] = np.zeros((6, n), np.int64)
    deviation[Irregularity.LATE] = plan.from_ms - plan.arrives_ms
    flags[Irregularity.LATE] = plan.timed & plan.known & (plan.place > 0)
    flags[Irregularity.LATE] &= deviation[Irregularity.LATE] > parameter("late_ms", of_run)
    deviation[Irregularity.EARLY] = plan.departs_ms - plan.to_ms
    flags[Irregularity.EARLY] = plan.timed & plan.known & ~plan.is_last
    flags[Irregularity.EARLY] &= deviation[Irregularity.EARLY] > parameter("early_ms", of_run)
    call, interval, real = plan.intervals()
    run = of_run[call]
    counts = (interval >= parameter("least_interval_ms", run)) & (interval <= parameter("most_interval_ms", run))
    for what, bad, apart in (
        (Irregularity.GAP, real > parameter("gap_ratio", run) * interval, real - interval),
        (Irregularity.BUNCHING, real < parameter("bunch_ratio", run) * interval, interval - real),
    ):
        flags[what, call], deviation[what, call], planned[what, call] = counts & bad, apart, interval
    many = np.stack([np.bincount(of_run[flag], minlength=len(plan.trip)) for flag in flags])
    least = np.ones((6, len(plan.trip)), np.int64)
    least[[Irregularity.GAP, Irregularity.BUNCHING]] = np.maximum(
        1, parameter("interval_calls", np.arange(len(plan.trip)))
    )
    wrong = many >= least
    judged = np.bincount(of_run[plan.judged], minlength=len(plan.trip))
    missed = (judged >= 2) & (np.bincount(of_run[plan.judged & plan.known], minlength=len(plan.trip)) == 0)
    wrong[Irregularity.MISSED] = missed & day.whole
    chosen = np.flatnonzero(wanted & wrong[1:].any(axis=0))
    rows = [_row(day, plan, int(one), int(wrong[1:, one].argmax()) + 1, flags, deviation, planned) for one in chosen]
    found: NDArray[np.void] = np.concatenate([np.zeros(0, IRREGULAR), *rows])
    found = found[np.lexsort((found["begins_ms"], found["vehicle"]))]
    again = (np.diff(found["vehicle"]) == 0) & (np.diff(found["begins_ms"]) == 0)
    return found[~np.concatenate([[False], again])] if len(found) else found


def _ordered(day: Day, plan: _Plan) -> Bool:
    """Runs at whose first departure a dispatch order holds, (r,)."""
    departs_ms = plan.departs_ms[plan.begin]
    found: Bool = day.registry.papers["permits"].holding(plan.vehicle, departs_ms, "dispatch") >= 0
    return found


def _row(
    day: Day,
    plan: _Plan,
    run: int,
    what: int,
    flags: NDArray[np.bool_],
    deviation: NDArray[np.int64],
    planned: NDArray[np.int64],
) -> NDArray[np.void]:
    """The episode of a run, by the worst of its calls; of equal ones the first."""
    calls = np.arange(plan.begin[run], plan.begin[run] + plan.size[run])
    lead = False
    if what == Irregularity.MISSED:
        judged = calls[plan.judged[calls]]
        worst, many = int(judged[0]), len(judged)
        first_ms, last_ms = int(plan.departs_ms[judged[0]]), int(plan.arrives_ms[judged[-1]])
        heard, spans = day.passages.heard(int(plan.vehicle[run]), first_ms, last_ms)
        lead = 2 * heard < spans
    else:
        bad = calls[flags[what, calls]]
        worst, many = int(bad[deviation[what, bad].argmax()]), len(bad)
    timetable = plan.timetable
    stop, trip = timetable.stops[plan.calls.stop[plan.call[worst]]], timetable.trips[plan.trip[run]]
    row: NDArray[np.void] = np.zeros(1, IRREGULAR)
    row["vehicle"], row["lead"] = plan.vehicle[run], lead
    row["severity"] = 2 if what == Irregularity.MISSED else 1
    row["begins_ms"], row["raised_ms"] = plan.departs_ms[calls[0]], day.end_ms
    row["ends_ms"] = max(plan.departs_ms[calls[0]], min(plan.arrives_ms[calls[-1]], day.end_ms))
    row["lon"], row["lat"] = stop.lon, stop.lat
    row["irregularity"], row["calls"] = what, many
    row["deviation_ms"], row["planned_ms"] = deviation[what, worst], planned[what, worst]
    row["due_ms"] = plan.departs_ms[worst]
    row["stop_name"], row["trip_name"], row["route"] = stop.name or stop.id, trip.id, trip.route
    return row
