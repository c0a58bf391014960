"""Joined: V08, driving joined over stops that are no rest."""

from dataclasses import dataclass, field

from .episode import Episode
from .metric import night_cuts
from .parameters import Set
from .parts import DRIVE, Part
from .registry import Registry
from .sight import Sight


@dataclass(frozen=True, slots=True)
class Noted:
    """A stop of 5 to under 20 minutes that was due to be longer."""

    ms: int
    before: int


@dataclass(slots=True)
class Sum:
    """What has been driven since a rest."""

    ms: int = 0
    begin: int = 0
    rules: Set = field(default_factory=dict)
    stop: Noted = Noted(0, 0)  # "the longest counts, of equal ones the first"
    episode: Episode | None = None


class Joined:
    """V08 of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes
        self.joined = Sum()
        self.all = 0
        self.restart = 0
        self.previous: int | None = None
        self.driver: str | None = None  # of the latest accepted fix
        self.other: int | None = None  # time of the latest one that had not this driver

    def see(self, sight: Sight) -> None:
        """One accepted fix, before its pair is looked at."""
        if self.previous is None:
            self.restart = sight.t
        elif sight.driver != self.driver:
            self.other = self.previous
        self.previous, self.driver = sight.t, sight.driver

    def reset(self, moment: int) -> None:
        """A rest that is over, or a change of driver."""
        self.joined, self.all, self.restart = Sum(), 0, moment

    def unknown_part(self, at: Sight) -> None:
        """ "after an unknown part of at least 1 200 000"."""
        self.joined, self.restart = Sum(), at.t

    def end_stop(self, start: int, end: int, rules: Set) -> None:
        """Rest, short stop or in between."""
        s, joined = end - start, self.joined
        if s >= rules["rest_ms"]:
            self.reset(end)
        elif s < rules["short_stop_ms"]:
            joined.ms += s if joined.ms else 0
            self.all += s if self.all else 0
        elif joined.episode is None and joined.ms and joined.ms >= joined.rules["after_ms"]:
            joined.stop = max(joined.stop, Noted(s, joined.ms), key=lambda stop: stop.ms)

    def drive(self, part: Part, at: Sight) -> None:
        """ "After each piece of drive"; gap-drive adds to *all* only."""
        for start, end in night_cuts(part.start, part.end):
            self.all += end - start
            if part.what != DRIVE:
                continue
            if self.joined.ms == 0:
                self.joined.begin = start
                self.joined.rules = self.registry.set("V08", part.sets.row, part.sets.t)
            self.joined.ms += end - start
            self.test(end, at)

    def test(self, end: int, at: Sight) -> None:
        """ "some stop is noted and joined > `limit_ms`"."""
        joined, row = self.joined, at.row
        if joined.stop.ms == 0 or joined.ms <= joined.rules["limit_ms"]:
            return
        if row is None or not self.registry.applies("V08", "LCHF", row, at.t, at.lon, at.lat):
            return
        if joined.episode is None:
            if self.all > joined.rules["severe_ms"]:
                return
            lead = row.drivers >= 2 and not self.one_driver()
            joined.episode = Episode("V08", joined.begin, at.t, end, 2, lead, row)
            self.episodes.append(joined.episode)
        joined.episode.ends_ms = end
        joined.episode.measures = {
            "driven_s": joined.ms / 1000,
            "stop_s": joined.stop.ms / 1000,
            "before_s": joined.stop.before / 1000,
        }

    def one_driver(self) -> bool:
        """Whether "every accepted fix from the restart to t_b carries one and the same driver"."""
        return self.driver is not None and (self.other is None or self.other < self.restart)
