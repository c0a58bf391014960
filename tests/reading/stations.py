"""Stations: V32, visits of one vehicle."""

from dataclasses import dataclass
from math import isinf

from .episode import Episode
from .fences import Fence
from .parameters import Set
from .registry import Registry
from .sight import Pair, Sight
from .values import shown_moment
from .ways import applies


@dataclass(slots=True)
class Visit:
    """ "Let a be its latest fix inside that same fence"."""

    fence: Fence
    rules: Set
    first: int
    a: Sight
    out: int = 0
    since: int | None = None  # of the series of slow fixes inside
    stayed: bool = False


class Stations:
    """V32 of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes
        self.visit: Visit | None = None

    def take(self, sight: Sight, pair: Pair | None) -> None:
        """One accepted fix and the pair that ends there."""
        if not applies(self.registry, "V32", "L", sight):
            self.visit = None  # "ends the visit without a verdict"
            return
        visit = self.visit
        if visit is None:
            self.begin(sight)
        elif self.station(sight) is visit.fence:
            self.inside(visit, sight)
        else:
            visit.since = None
            if sight.speed >= visit.rules["slow_kmh"]:
                visit.out += pair.dm if pair is not None else 0
            if visit.out >= visit.rules["leave_dm"]:
                self.leave(visit, sight)

    def station(self, sight: Sight) -> Fence | None:
        """ "Of several the one with the least `limit_kmh`, none counting as 0, of equal ones the first in the file"."""
        here = [
            fence
            for fence in self.registry.fences.fences
            if fence.kind == "station" and fence.applies("L", sight.t) and fence.holds(sight.lon, sight.lat)
        ]
        return min(here, key=lambda fence: 0 if isinf(fence.limit_kmh) else fence.limit_kmh, default=None)

    def begin(self, sight: Sight) -> None:
        """A visit "begins at a fix inside it"."""
        self.visit, fence = None, self.station(sight)
        if fence is not None:
            self.visit = Visit(fence, self.registry.set("V32", sight.row, sight.t), sight.t, sight)
            self.inside(self.visit, sight)

    def inside(self, visit: Visit, sight: Sight) -> None:
        """A fix inside."""
        visit.a, visit.out = sight, 0
        if sight.speed >= visit.rules["slow_kmh"]:
            visit.since = None
        elif visit.since is None:
            visit.since = sight.t
        elif sight.t >= visit.since + visit.rules["stay_ms"]:
            visit.stayed = True

    def leave(self, visit: Visit, c: Sight) -> None:
        """ "At the first fix c with out >= `leave_dm` the visit is over"."""
        row = c.row
        assert row is not None
        a, since = visit.a, int(visit.a.t - visit.rules["window_ms"])
        records = self.registry.papers.of("exits", (row.plate, row.plate_color))
        kept = any(one.cells["station"] == visit.fence.id and since <= one.begin <= c.t for one in records)
        if visit.stayed and not kept:
            lead = c.t - a.t > visit.rules["gap_ms"]
            found = Episode("V32", a.t, c.t, c.t, 2 if lead else 3, lead, row)
            found.measures = {
                "fence": visit.fence.id,
                "inside_s": (a.t - visit.first) / 1000,
                "record_since": shown_moment(since),
            }
            self.episodes.append(found)
        self.begin(c)
