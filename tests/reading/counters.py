"""Counters: C4 and C2 of rulebook §4, with the episodes V05 and V06 they open."""

from dataclasses import dataclass, field

from .episode import Episode
from .metric import HOUR, night_cuts, night_of, overlap
from .parameters import Set
from .parts import GAP_DRIVE, Part
from .registry import Registry, Row
from .sight import Sight

CLASSES = {"V05": "LCHFBT", "V06": "LC"}


@dataclass(slots=True)
class Counter:
    """Driving in ms since `begin`, "start of the counter's first drive" (None: no drive yet)."""

    kind: str
    ms: int = 0
    gap_ms: int = 0  # of it gap-drive
    certain_ms: int = 0  # what it is where every gap is read as a rest
    begin: int | None = None
    end: int = 0  # "end of its last drive"
    night: int | None = None  # C2: the 22:00 that began its night
    unknown: bool = False  # an unknown part >= 20 min lies after its first drive
    rules: Set = field(default_factory=dict)  # "keep those of ... the pair in which their first drive begins"
    episode: Episode | None = None

    def add(self, registry: Registry, part: Part, start: int, end: int) -> None:
        """One piece of drive."""
        if self.begin is None:
            self.begin = start
            self.rules = registry.set(self.kind, part.sets.row, part.sets.t)
        self.ms += end - start
        self.end = end
        if part.what == GAP_DRIVE:
            self.gap_ms += end - start
        else:
            self.certain_ms += end - start

    def stand(self, ms: int) -> None:
        """A short stop; read as rests, gaps leave no drive before it where nothing is certain yet."""
        self.ms += ms
        if self.certain_ms > 0:
            self.certain_ms += ms


def fresh_c4() -> Counter:
    """C4 without any drive."""
    return Counter("V05")


def fresh_c2() -> Counter:
    """C2 without any drive."""
    return Counter("V06")


@dataclass(slots=True)
class Counters:
    """The present C4 and C2, which restart together."""

    restart: int  # "rest's end, driver change, or the first fix"
    before: bool = True  # a resumed counter: one and the same driver also before it was laid aside
    c4: Counter = field(default_factory=fresh_c4)
    c2: Counter = field(default_factory=fresh_c2)

    @property
    def has_drive(self) -> bool:
        """C2 never has drive without C4."""
        return self.c4.begin is not None

    def short_stop(self, start: int, end: int) -> None:
        """ "S < 300 000 counts as driving: added to C4 (and to C2 for its part inside the night ...)"."""
        self.c4.stand(end - start)
        if self.c2.begin is not None and self.c2.night is not None:
            self.c2.stand(overlap(start, end, self.c2.night, self.c2.night + 8 * HOUR))

    def unknown_part(self) -> None:
        """ "an unknown part >= 1 200 000 lies after the counter's first drive"."""
        for counter in (self.c4, self.c2):
            if counter.begin is not None:
                counter.unknown = True
            counter.certain_ms = 0

    def drive(self, registry: Registry, part: Part, judge: "Judge") -> None:
        """ "cut at 22:00 and 06:00 and the pieces applied in time order", tested after each."""
        for start, end in night_cuts(part.start, part.end):
            self.c4.add(registry, part, start, end)
            judge.test(registry, self.c4)
            night = night_of(start)
            if start >= night + 8 * HOUR:
                continue  # by day
            if self.c2.night != night:  # "it restarts (and V06 closes) at each 22:00"
                self.c2 = Counter("V06", night=night)
            self.c2.add(registry, part, start, end)
            judge.test(registry, self.c2)


@dataclass(slots=True)
class Judge:
    """Tests a counter at the pair that applies its drive."""

    at: Sight  # the later fix of that pair
    basis: str
    episodes: list[Episode]

    def test(self, registry: Registry, counter: Counter) -> None:
        """ "Opens when C4 > 14 400 000 ... `raised_ms` = t_b of the pair that applied it"."""
        row, at = self.at.row, self.at
        if row is None or not registry.applies(counter.kind, CLASSES[counter.kind], row, at.t, at.lon, at.lat):
            return
        limit = counter.rules["limit_ms"]
        if counter.ms <= limit or counter.begin is None:
            return
        doubt = self.doubt(counter, row)
        episode = counter.episode
        if episode is None:
            episode = counter.episode = Episode(
                counter.kind, counter.begin, self.at.t, counter.end, 2 if doubt else 3, doubt, row
            )
            episode.measures["basis"] = self.basis
            self.episodes.append(episode)
        episode.ends_ms = counter.end
        episode.measures["excess_s"] = (counter.ms - limit) / 1000
        episode.measures["driven_s"] = counter.ms / 1000
        episode.measures["certain_s"] = counter.certain_ms / 1000
        severe = counter.rules.get("severe_ms")  # V05 alone: "4 when C4 > 18 000 000"
        if severe is not None and counter.ms > severe and not episode.lead and not doubt:
            episode.severity = 4

    def doubt(self, counter: Counter, row: Row) -> bool:
        """§6: what makes V05, V06 a lead, and later bars a rise."""
        return (
            counter.ms - counter.gap_ms <= counter.rules["limit_ms"]
            or counter.unknown
            or (self.basis == "vehicle" and row.drivers >= 2)
        )
