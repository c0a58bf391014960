"""Tally: what is driven in one Beijing day while a paper is missing (V26-V31, the rule of `tallies.tally`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from .episode import Episode
from .metric import DAY, ZONE
from .parameters import Set
from .registry import Registry, Row
from .sight import Pair, Sight


@dataclass(slots=True)
class Mark:
    """What a kind says of one fix: its channel (0: nothing), its severity, and what is told of the paper."""

    what: int = 0
    grade: int = 0
    said: dict[str, object] = field(default_factory=dict)


NOTHING = Mark()


def day_of(t: int) -> int:
    """The Beijing day that t lies in, as its 00:00."""
    return (t + ZONE) // DAY * DAY - ZONE


def drives(pair: Pair, rules: Set) -> bool:
    """ "0 < dt <= `gap_ms`, the speed at a is at least `drive_kmh`, the pair does not jump"."""
    return 0 < pair.dt <= rules["gap_ms"] and pair.a.speed >= rules["drive_kmh"] and not pair.jumps


@dataclass(slots=True)
class Day:
    """One Beijing day of one vehicle and kind."""

    begins_at: int
    rules: Set | None = None  # "the first pair that counts ... fixes the parameter set of the day"
    ms: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    dm: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    channel: int = 0  # which raised the episode
    begin: int | None = None
    end: int = 0
    best: Mark = field(default_factory=Mark)
    episode: Episode | None = None


class Tally:
    """One kind of one vehicle."""

    share = False
    reasons: Mapping[int, str] = {}  # by the channel that raised it

    def __init__(self, code: str, registry: Registry, episodes: list[Episode]) -> None:
        self.code, self.registry, self.episodes = code, registry, episodes
        self.day = Day(0)
        self.before = NOTHING  # what was judged at a
        self.row: Row | None = None  # of the last pair that counted

    def take(self, sight: Sight, pair: Pair | None, mark: Mark) -> None:
        """One accepted fix, the pair that ends there, and what the kind says of it."""
        today = day_of(sight.t)
        if today != self.day.begins_at:
            if self.share:
                self.judge_share()
            self.day = Day(today)
        before, self.before = self.before, mark
        day = self.day
        rules = self.registry.set(self.code, sight.row, sight.t) if day.rules is None else day.rules
        if pair is None or before.what == 0 or mark.what == 0 or not drives(pair, rules) or sight.row is None:
            return
        day.rules, self.row = rules, sight.row
        channel = max(before.what, mark.what)
        day.ms[channel] += pair.dt
        day.dm[channel] += pair.dm
        if channel != 3:
            if day.begin is None:
                day.begin = max(pair.a.t, today)
            day.end = sight.t
            if mark.grade > day.best.grade:
                day.best = mark
        self.test(day, rules, sight, sight.row)

    def test(self, day: Day, rules: Set, at: Sight, row: Row) -> None:
        """ "Raised at the b at which channel 1 first holds more ...; else, when channel 2 does"."""
        if day.episode is None and day.begin is not None:
            first = beyond(day, 1, rules.get("open_ms", inf), rules.get("open_dm", inf))
            second = beyond(day, 2, rules.get("second_ms", inf), rules.get("second_dm", inf)) and not self.share
            if first or second:
                self.open(day, at.t, row, 1 if first else 2, lead=not first)
        self.show(day)

    def open(self, day: Day, raised: int, row: Row, channel: int, lead: bool) -> None:
        """ "then it is a lead, of severity 2 at most, and stays one"."""
        assert day.begin is not None
        day.episode = Episode(self.code, day.begin, raised, day.end, 0, lead, row)
        self.episodes.append(day.episode)
        day.channel = channel

    def show(self, day: Day) -> None:
        """ "Severity is the highest `grade` at any b counted so far ... and rises with it (not that of a lead)"."""
        episode = day.episode
        if episode is None:
            return
        episode.ends_ms = day.end
        episode.severity = min(2, day.best.grade) if episode.lead else day.best.grade
        driven = {"distance_m": day.dm[day.channel] / 10, "drive_s": day.ms[day.channel] / 1000}
        reason = {"reason": self.reasons[day.channel]} if day.channel in self.reasons else {}
        episode.measures = {**driven, **reason, **day.best.said}

    def judge_share(self) -> None:
        """ "At the first accepted fix of another day, where the day raised nothing"."""
        day = self.day
        if day.rules is None or day.episode is not None or day.dm[2] <= day.rules["second_dm"]:
            return
        if 100 * day.dm[2] <= day.rules["share_percent"] * (day.dm[2] + day.dm[3]):
            return
        raised, row = day.begins_at + DAY, self.row
        assert row is not None
        at = (self.registry.row(row.plate, row.plate_color, t) for t in (raised, day.end))
        self.open(day, raised, next(filter(None, at)), 2, lead=False)
        self.show(day)


def beyond(day: Day, channel: int, ms: float, dm: float) -> bool:
    """More than the time or more than the distance in a channel."""
    return day.ms[channel] > ms or day.dm[channel] > dm
