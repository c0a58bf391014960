"""Driving: rulebook §4, stops, yard moves, pending stretches, rests and driver changes of one vehicle."""

from dataclasses import dataclass, field

from .counters import Counters, Judge
from .episode import Episode
from .joined import Joined
from .parameters import Set
from .parts import DRIVE, STOP, UNKNOWN, Part, parts_of
from .registry import Registry
from .sight import Pair, Sight, pair_of
from .small_hours import SmallHours
from .totals import Totals


@dataclass(slots=True)
class Stop:
    """ "Contiguous stop parts add up to one stop"; S runs from `start` (joined stretches included)."""

    start: int
    joined_dm: int = 0  # ΣD of the stretches joined to it
    pending: list[Part] = field(default_factory=list)  # the stretch after it, while pending


@dataclass(slots=True)
class Aside:
    """ "laid aside together with the end of the vehicle's last drive, in one place"."""

    driver: str
    counters: Counters
    last_drive_end: int | None


class Driving:
    """The driving activity of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry = registry
        self.episodes = episodes
        self.small_hours = SmallHours(registry, episodes)
        self.totals = Totals(registry, episodes)
        self.joined = Joined(registry, episodes)
        self.previous: Sight | None = None
        self.counters = Counters(restart=0)
        self.stop: Stop | None = None  # None: driving, or after an unknown part, or the first fix
        self.last_drive_end: int | None = None
        self.aside: Aside | None = None
        self.driver: str | None = None  # of the latest accepted fix
        self.other: int | None = None  # time of the latest fix that had not this one driver

    def take(self, sight: Sight) -> None:
        """One accepted fix."""
        a, self.previous = self.previous, sight
        self.totals.see(sight)
        self.joined.see(sight)
        if a is None:
            self.counters.restart = sight.t
            self.driver = sight.driver
            return
        pair = pair_of(a, sight)
        rules = self.registry.set("driving", sight.row, sight.t)
        one_driver = self.basis(self.counters) == "driver"  # up to a
        if sight.driver is None or sight.driver != self.driver:
            self.driver, self.other = sight.driver, a.t
        parts = parts_of(pair, rules)
        for part in parts:
            if part.what == STOP:
                self.stand(part)
            elif part.what == UNKNOWN:
                self.unknown(part, sight, rules)
            else:
                self.drive(part, sight, rules)
        self.totals.test(sight)
        if changes_driver(pair, parts):
            self.change_driver(pair, rules, one_driver)

    def stand(self, part: Part) -> None:
        """ "if a stop part follows while it is pending, the stretch joins the stop"."""
        if self.stop is None:
            self.stop = Stop(part.start)
        self.stop.joined_dm += sum(stretch.dm for stretch in self.stop.pending)
        self.stop.pending = []

    def drive(self, part: Part, at: Sight, rules: Set) -> None:
        """ "A stretch that follows no stop is driving at once"; else it is pending within bounds."""
        stop = self.stop
        if stop is None:
            self.apply([part], at)
            return
        stop.pending.append(part)
        lasted = part.end - stop.pending[0].start
        covered = sum(stretch.dm for stretch in stop.pending)
        if lasted > rules["yard_ms"] or covered > rules["yard_dm"] or stop.joined_dm + covered > rules["yard_total_dm"]:
            self.set_off(stop, at, rules)

    def set_off(self, stop: Stop, at: Sight, rules: Set) -> None:
        """The pending stretch "is driving from its own beginning and the stop before it is over"."""
        self.end_stop(stop, stop.pending[0].start, rules)
        self.apply(stop.pending, at)

    def unknown(self, part: Part, at: Sight, rules: Set) -> None:
        """ "adds nothing, is no rest, ends a stop"."""
        if self.stop is not None:
            if self.stop.pending:
                self.set_off(self.stop, at, rules)
            else:
                self.end_stop(self.stop, part.start, rules)
        if part.ms >= rules["rest_ms"]:  # "it may have been a rest"
            self.counters.unknown_part()
            self.joined.unknown_part(at)

    def end_stop(self, stop: Stop, end: int, rules: Set) -> None:
        """ "When a stop is over": rest, short stop or in between."""
        self.stop = None
        self.joined.end_stop(stop.start, end, rules)
        if not self.counters.has_drive:
            return  # "changes no counter"
        s = end - stop.start
        if s >= rules["rest_ms"]:
            self.counters = Counters(restart=end)
        elif s < rules["short_stop_ms"]:
            self.counters.short_stop(stop.start, end)

    def apply(self, parts: list[Part], at: Sight) -> None:
        """Driving, "in time order, tested after every piece; `raised_ms` is that pair's t_b"."""
        judge = Judge(at, self.basis(self.counters), self.episodes)
        for part in parts:
            self.counters.drive(self.registry, part, judge)
            self.joined.drive(part, at)
            if part.what == DRIVE:
                self.small_hours.drive(part, at)
                self.totals.drive(part)
            self.last_drive_end = part.end

    def change_driver(self, pair: Pair, rules: Set, one_driver: bool) -> None:
        """ "After the pair's parts the stop is over; then the outgoing driver's C4 and C2 ..."."""
        t_b, outgoing, incoming = pair.b.t, pair.a.driver, pair.b.driver
        if self.stop is None or outgoing is None:
            return
        self.end_stop(self.stop, t_b, rules)
        self.joined.reset(t_b)
        before, present = self.aside, self.counters
        present.before = one_driver
        self.aside = Aside(outgoing, present, self.last_drive_end)
        self.counters = Counters(restart=t_b)
        self.stop = Stop(t_b)
        if (
            before is not None
            and before.driver == incoming
            and before.counters.has_drive
            and before.last_drive_end is not None
            and t_b - before.last_drive_end < rules["resume_ms"]
        ):
            self.counters = before.counters
            self.counters.restart = t_b  # "a resumed counter skips the time between"

    def basis(self, counters: Counters) -> str:
        """ "every accepted fix from the counter's restart to t_b carried one and the same driver"."""
        one = self.driver is not None and (self.other is None or self.other < counters.restart)
        return "driver" if one and counters.before else "vehicle"


def changes_driver(pair: Pair, parts: list[Part]) -> bool:
    """ "both fixes of a pair carry a `driver`, they differ, and the pair is all stop"."""
    a, b = pair.a.driver, pair.b.driver
    return a is not None and b is not None and a != b and all(part.what == STOP for part in parts)
