"""Irregular trips: V33, judged by closed days over all vehicles."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from math import nan

from .episode import Episode
from .metric import DAY, HOUR
from .parameters import Set
from .registry import Registry, Row
from .sight import Pair, Sight
from .tally import day_of
from .timetable import Due, Trip
from .values import shown_moment
from .ways import moment, near, nearest

BEFORE, BEHIND, SPAN = 1_200_000, 3_600_000, 600_000
Key = tuple[int, int, int]


@dataclass(slots=True)
class Seen:
    """ "*came* is the earliest t_a, *there* the earliest t_b, *left* the latest t_b"."""

    came: int
    there: int
    left: int


class Passages:
    """When one vehicle was at the stops of its trips, and when it was seen at all."""

    def __init__(self, registry: Registry, episodes: list[Episode], holder: tuple[str, int]) -> None:
        self.registry, self.episodes, self.holder = registry, episodes, holder
        self.seen: dict[Key, Seen] = {}
        self.days: set[int] = set()
        self.spans: set[int] = set()
        self.heard: list[int] = []

    def take(self, b: Sight, pair: Pair | None) -> None:
        """One accepted fix and the pair that ends there."""
        self.days.add(day_of(b.t))
        self.spans.add(b.t // SPAN)
        if pair is None or not 0 < pair.dt <= 120_000 or pair.dm == 0:
            return
        at: dict[str, list[Due]] = {}
        for due in self.registry.timetable.due(self.holder, b.t - BEHIND, b.t + BEFORE):
            point = near(due.call.stop, pair.a, b)
            if point.distance <= 60 and point.along(due):
                at.setdefault(due.call.stop.id, []).append(due)
        for calls in at.values():
            point = near(calls[0].call.stop, pair.a, b)
            due = nearest(calls, moment(pair, point.cut))
            seen = self.seen.setdefault(key_of(due), Seen(pair.a.t, b.t, b.t))
            seen.left = b.t  # time only goes on


def key_of(due: Due) -> Key:
    """A call of a trip on a service day."""
    return due.day, due.trip.order, due.call.place


@dataclass(slots=True)
class Shown:
    """A call that shows what is wrong."""

    due: Due
    deviation: int
    planned: int | None = None


@dataclass(slots=True)
class Judged:
    """A trip of a vehicle on the day; without a row it is not judged itself."""

    passages: Passages
    row: Row | None
    trip: Trip
    calls: list[Due]  # all
    rules: Set
    day: int
    behind: list[Shown] = field(default_factory=list)  # A - P against the trip before, where that counts

    def due(self) -> list[Due]:
        """Its judged calls."""
        begin, end = self.day + BEFORE, self.day + DAY - BEHIND
        return [due for due in self.calls if begin <= due.departs <= end]

    def seen(self, due: Due) -> Seen | None:
        """None: unknown."""
        return self.passages.seen.get(key_of(due))

    def fault(self, whole: bool) -> tuple[str, list[Shown]] | None:
        """**What is wrong**, the first of these."""
        judged, rules = self.due(), self.rules
        if whole and len(judged) >= 2 and not any(map(self.seen, judged)):
            return "missed", [Shown(due, 0) for due in judged]
        known = [(due, seen) for due in judged if due.call.timed and (seen := self.seen(due)) is not None]
        late = [Shown(due, seen.came - due.arrives) for due, seen in known if due.call.place > 0]
        late = [one for one in late if one.deviation > rules["late_ms"]]
        if late:
            return "late", late
        early = [Shown(due, due.departs - seen.left) for due, seen in known if not due.call.last]
        early = [one for one in early if one.deviation > rules["early_ms"]]
        if early:
            return "early", early
        for name, far in (("gap", True), ("bunching", False)):
            ratio = rules["gap_ratio" if far else "bunch_ratio"]
            wrong = []
            for one in self.behind:
                assert one.planned is not None
                in_truth = one.deviation + one.planned
                if in_truth > ratio * one.planned if far else in_truth < ratio * one.planned:
                    wrong.append(Shown(one.due, one.deviation if far else -one.deviation, one.planned))
            if wrong and len(wrong) >= rules["interval_calls"]:
                return name, wrong
        return None

    def lead(self) -> bool:
        """Whether it was seen "in less than half of the spans"."""
        judged = self.due()
        spans = range(judged[0].departs // SPAN, judged[-1].arrives // SPAN + 1)
        return 2 * sum(span in self.passages.spans for span in spans) < len(spans)


def close(vehicles: Iterable[Passages]) -> None:
    """All days; one is whole where "somebody was heard before its 01:00, and somebody from its 23:00 on"."""
    found = list(vehicles)
    if not found:
        return
    registry, known = found[0].registry, {one.holder for one in found}
    unheard = [Passages(registry, [], holder) for holder in registry.timetable.holders() - known]
    heard = [moment for one in found for moment in one.heard]
    for day in sorted({day for one in found for day in one.days}):
        whole = min(heard) < day + HOUR and max(heard) >= day + 23 * HOUR
        trips = [trip for one in (*found, *unheard) for trip in trips_of(one, day)]
        compare(trips)
        raised: set[tuple[tuple[str, int], int]] = set()
        for one in sorted(trips, key=lambda one: one.trip.order):
            row, fault = one.row, one.fault(whole)
            key = one.passages.holder, one.calls[0].departs
            if row is not None and fault is not None and key not in raised:  # "only the first in the timetable"
                raised.add(key)
                one.passages.episodes.append(episode_of(one, row, *fault))


def trips_of(one: Passages, day: int) -> list[Judged]:
    """A vehicle's trips."""
    last = day + DAY - 1
    row = one.registry.row(*one.holder, last)
    rules = one.registry.set("V33", row, last)
    applies = row is not None and row.letter in "BL" and day in one.days
    applies = (
        applies and row is not None and not one.registry.exempt("V33", row, last, nan, nan)
    )  # "fences are left out"
    calls: dict[int, list[Due]] = {}
    for due in one.registry.timetable.of_day(one.holder, day):
        calls.setdefault(due.trip.order, []).append(due)
    return [
        Judged(one, None if ordered(one, due[0]) or not applies else row, due[0].trip, due, rules, day)
        for due in calls.values()
    ]


def ordered(one: Passages, first: Due) -> bool:
    """Whether a `dispatch` permit holds "when the trip departs from its first stop"."""
    return bool(one.registry.papers.holding("permits", one.holder, first.departs, "dispatch"))


def compare(trips: list[Judged]) -> None:
    """Intervals of the calls at one stop of one route, over all vehicles."""
    at: dict[tuple[str, str], list[tuple[Due, Judged]]] = {}
    for one in trips:
        for due in one.due():
            if due.call.timed and not due.call.last:
                at.setdefault((one.trip.route, due.call.stop.id), []).append((due, one))
    for calls in at.values():
        calls.sort(key=lambda call: (call[0].departs, call[0].trip.order, call[0].call.place))
        for (before, first), (due, one) in pairwise(calls):
            earlier, later = first.seen(before), one.seen(due)
            planned = due.departs - before.departs
            if earlier is None or later is None:
                continue
            if one.rules["least_interval_ms"] <= planned <= one.rules["most_interval_ms"]:
                one.behind.append(Shown(due, later.there - earlier.there - planned, planned))
    for one in trips:
        one.behind.sort(key=lambda shown: shown.due.call.place)


def episode_of(one: Judged, row: Row, fault: str, shown: list[Shown]) -> Episode:
    """One episode a trip and vehicle."""
    begins, ends = one.calls[0].departs, one.calls[-1].arrives
    missed = fault == "missed"
    lead = missed and one.lead()
    night = one.day + DAY
    found = Episode("V33", begins, night, max(begins, min(ends, night)), 2 if missed else 1, lead, row)
    worst = max(shown, key=lambda call: call.deviation)  # of equal ones the first
    found.measures = {
        "irregularity": fault,
        "calls": len(shown),
        "deviation_s": worst.deviation / 1000,
        "stop": worst.due.call.stop.name,
        "due": shown_moment(worst.due.departs),
        "trip": one.trip.id,
        "route": one.trip.route,
    }
    if worst.planned is not None:
        found.measures["planned_s"] = worst.planned / 1000
    return found
