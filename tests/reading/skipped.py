"""Skipped stops: V34 of one vehicle."""

from dataclasses import dataclass
from math import floor

from .episode import Episode
from .parameters import Set
from .registry import Registry, Row
from .sight import Pair, Sight
from .timetable import Due, Stop
from .values import shown_moment
from .ways import applies, moment, near, nearest, off

DOORS = 0b11111 << 13
MOST_MS = 7_200_000

Halt = tuple[Sight, Sight]
"""A way, or a place as the way from a fix to itself."""


@dataclass(slots=True)
class Passed:
    """A stop that was passed."""

    due: Due
    t: int
    share: float
    distance: float
    rules: Set
    pair: Pair

    @property
    def call(self) -> tuple[str, str, int]:
        """ "Stop, trip, departure"."""
        return self.due.call.stop.id, self.due.trip.id, self.due.departs


class Skipped:
    """V34 of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes
        self.forget(first=True)

    def forget(self, *, first: bool) -> None:
        """As before the first fix."""
        self.first = first
        self.halt: Halt | None = None
        self.pending: Passed | None = None
        self.latest: tuple[str, str, int] | None = None
        self.moved: int | None = None  # the last fix that was not slow

    def take(self, b: Sight, pair: Pair | None) -> None:
        """One accepted fix and the pair that ends there."""
        row = b.row
        if row is None or not applies(self.registry, "V34", "B", b):
            self.forget(first=False)
            return
        rules = self.registry.set("V34", row, b.t)
        halted = self.rest(b, pair, rules)
        self.first = False
        if b.speed >= rules["slow_kmh"]:
            self.moved = b.t
        if self.pending is not None:
            stop, serve = self.pending.due.call.stop, self.pending.rules["serve_m"]
            if halted and self.near_halt(stop, serve):
                self.pending = None
            elif off(stop, b) > serve:
                self.skip(self.pending, b, row)
                self.pending = None
        for one in self.passed(pair, rules, row) if pair is not None else ():
            stop = one.due.call.stop
            if one.call == self.latest:
                continue  # "a way that bends passes a stop twice"
            if self.near_halt(stop, rules["serve_m"]):
                self.pending = None
                continue
            self.latest, self.pending = one.call, one
            if off(stop, b) > rules["serve_m"]:
                self.skip(one, b, row)
                self.pending = None

    def near_halt(self, stop: Stop, serve: float) -> bool:
        """Whether it may have stopped near there."""
        return self.halt is not None and near(stop, *self.halt).distance <= serve

    def rest(self, b: Sight, pair: Pair | None, rules: Set) -> bool:
        """**Where it may have stopped**; whether `halt` was set at this fix, and not by the first line."""
        a = None if pair is None else pair.a
        broken = self.first or pair is None or pair.dt > rules["gap_ms"] or pair.jumps
        if broken:
            self.pending = self.moved = None
            self.halt = None if self.first or a is None else (a, b)
        door = b.status is not None and b.status & DOORS != 0
        held = self.moved is None or b.t - self.moved >= rules["hold_ms"]
        slow = b.speed < rules["slow_kmh"]
        if door or (slow and held):
            self.halt = b, b
            return True
        if broken or a is None or pair is None:
            return False
        a_slow = a.speed < rules["slow_kmh"]
        if not slow and a_slow and held:
            self.halt = a, a
            return True
        if not slow and not a_slow and takes(pair, rules) <= pair.dt:
            self.halt = a, b
            return True
        return False

    def passed(self, pair: Pair, rules: Set, row: Row) -> list[Passed]:
        """ "The stops that the pair passes, by share, then by the timetable's order"."""
        b, who = pair.b, (row.plate, row.plate_color)
        if not 0 < pair.dt <= rules["gap_ms"] or pair.jumps or pair.dm == 0:
            return []
        papers = self.registry.papers
        if papers.holding("permits", who, b.t, "dispatch") or papers.holding("permits", who, b.t, "detour"):
            return []
        late, early = min(rules["late_ms"], MOST_MS), min(rules["early_ms"], MOST_MS)
        at: dict[str, list[Due]] = {}
        for due in self.registry.timetable.due(who, b.t - late, b.t + early):
            if due.call.place == 0 or due.call.last or due.call.request:
                continue
            point = near(due.call.stop, pair.a, b)
            if 0 < point.share <= 1 and point.distance <= rules["pass_m"] and point.along(due):
                at.setdefault(due.call.stop.id, []).append(due)
        found = []
        for calls in at.values():
            point = near(calls[0].call.stop, pair.a, b)
            t = moment(pair, point.share)
            found.append(Passed(nearest(calls, t), t, point.share, point.distance, rules, pair))
        return sorted(found, key=lambda one: (one.share, one.due.trip.order, one.due.call.place))

    def skip(self, one: Passed, b: Sight, row: Row) -> None:
        """Raised at b."""
        departs, pair, rules = one.due.departs, one.pair, one.rules
        lead = abs(one.t - departs) > rules["sure_ms"] or pair.dt > rules["sparse_ms"]
        found = Episode("V34", one.t, b.t, one.t, 2, lead, row)
        found.measures = {
            "stop": one.due.call.stop.name,
            "trip": one.due.trip.id,
            "route": one.due.trip.route,
            "due": shown_moment(departs),
            "late_s": floor((one.t - departs) / 1000),
            "distance_m": round(one.distance, 1),
            "least_kmh": min(pair.a.speed, pair.b.speed),
        }
        self.episodes.append(found)


def takes(pair: Pair, rules: Set) -> float:
    """How long a stop takes [ms]."""
    v_a, v_b = pair.a.speed / 3.6, pair.b.speed / 3.6
    brake, pull = max(0.1, rules["brake_mps2"]), max(0.1, rules["pull_mps2"])
    most = max(rules["most_kmh"] / 3.6, v_a, v_b, 1 / 3.6)
    rest = max(0.0, pair.dm / 10 - v_a * v_a / 2 / brake - v_b * v_b / 2 / pull)
    return rules["hold_ms"] + 1000 * (v_a / brake + v_b / pull + rest / most)
