"""Totals: V07 of rulebook §4, driving by buckets of ten minutes."""

from .episode import Episode
from .metric import DAY
from .parts import Part
from .registry import Registry
from .sight import Sight

BUCKET = 600_000
BUCKETS = 144


class Totals:
    """V07 of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes
        self.driven: dict[int, int] = {}
        self.drivers: dict[str, int] = {}  # the last bucket in which each was seen
        self.latest: Episode | None = None
        self.most = 0
        self.added = False

    def see(self, sight: Sight) -> None:
        """One accepted fix, "driving or not"."""
        if sight.driver is not None:
            self.drivers[sight.driver] = sight.t // BUCKET

    def drive(self, part: Part) -> None:
        """One piece of drive, "split exactly"."""
        self.added = True
        for bucket in range(part.start // BUCKET, (part.end - 1) // BUCKET + 1):
            inside = min(part.end, (bucket + 1) * BUCKET) - max(part.start, bucket * BUCKET)
            self.driven[bucket] = self.driven.get(bucket, 0) + inside

    def test(self, at: Sight) -> None:
        """ "Once per pair that adds drive, after all its pieces"."""
        added, self.added = self.added, False
        row, t = at.row, at.t
        if not added or row is None or not self.registry.applies("V07", "LCH", row, t, at.lon, at.lat):
            return
        first = t // BUCKET - BUCKETS + 1
        self.driven = {bucket: ms for bucket, ms in self.driven.items() if bucket >= first}
        total = sum(self.driven.values())
        if total <= self.registry.set("V07", row, t)["limit_ms"]:
            return
        if self.latest is None or t - self.latest.raised_ms >= DAY:
            lead = row.drivers >= 2 or sum(bucket >= first for bucket in self.drivers.values()) > 1
            self.latest = Episode("V07", t, t, t, 2 if lead else 3, lead, row)
            self.episodes.append(self.latest)
            self.most = total
        self.latest.ends_ms = t
        self.most = max(self.most, total)
        self.latest.measures["driven_s"] = self.most / 1000
