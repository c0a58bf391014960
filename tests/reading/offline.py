"""Offline: V12 of rulebook §5 and V11 by the ticks, of one vehicle."""

from dataclasses import dataclass, replace

from .episode import Episode
from .registry import Registry
from .sight import Pair, Sight

MINUTE = 60_000


class Moved:
    """V12."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes

    def take(self, pair: Pair | None) -> None:
        """ "class, registration and parameters are those of the pair's later fix"."""
        if pair is None or (row := pair.b.row) is None:
            return
        if not self.registry.applies("V12", "LCHF", row, pair.b.t, pair.b.lon, pair.b.lat):
            return
        rules = self.registry.set("V12", row, pair.b.t)
        hazmat = "hazmat_" if row.letter == "H" else ""
        least, beyond = rules[f"{hazmat}least_gap_ms"], rules[f"{hazmat}beyond_dm"]
        if pair.dt < least or pair.dm <= beyond:
            return
        lead = pair.dt > rules["doubtful_ms"]
        severity = 2 if lead else 4 if hazmat else 3
        found = Episode("V12", pair.a.t, pair.b.t, pair.b.t, severity, lead, row)
        found.measures = {"gap_s": pair.dt / 1000, "distance_m": pair.dm / 10}
        found.measures |= {"limit_gap_s": least / 1000, "limit_distance_m": beyond / 10, "provisional": True}
        self.episodes.append(found)


@dataclass(slots=True)
class Watch:
    """What an accepted fix of a moving vehicle begins."""

    since: Sight
    silence: float


class Silence:
    """V11."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes
        self.watch: Watch | None = None
        self.open: Episode | None = None

    def accepted(self, sight: Sight) -> None:
        """ "Every accepted fix ends the watch of the one before and may begin its own"."""
        if self.open is not None:
            self.open.ends_ms = sight.t
            silent = max(sight.t, self.open.raised_ms) - self.open.begins_ms
            self.open.measures["silent_s"] = silent / 1000
            name_owner(self.registry, self.open)
        self.open, self.watch = None, None
        row = sight.row
        if row is None or not self.registry.applies("V11", "LCHBF", row, sight.t, sight.lon, sight.lat):
            return
        rules = self.registry.set("V11", row, sight.t)
        off = sight.status is not None and sight.status & 1 == 0
        if sight.speed < rules["moving_kmh"] or off:
            return
        if any(self.registry.fences.holding("coverage_hole", row.letter, sight.t, sight.lon, sight.lat)):
            return
        self.watch = Watch(sight, rules["hazmat_silence_ms" if row.letter == "H" else "silence_ms"])

    def online(self, t: int) -> None:
        """A fix refused as `no_fix` or `drift` "with a time later than t ends it as well"."""
        if self.watch is not None and t > self.watch.since.t:
            self.watch = None

    def ticks(self, first: int, last: int) -> None:
        """One tick a minute from `first` to `last`."""
        watch = self.watch
        if watch is None or watch.since.row is None:
            return
        t, row = watch.since.t, watch.since.row
        bound = t + watch.silence
        tick = first if first > bound else first + int((bound - first) // MINUTE + 1) * MINUTE
        if tick > last:
            return
        self.watch = None
        found = Episode("V11", t, tick, t, 3 if row.letter == "H" else 2, False, row)
        found.measures = {"silent_s": (tick - t) / 1000, "limit_s": watch.silence / 1000}
        name_owner(self.registry, found)
        self.open = found
        self.episodes.append(found)


def name_owner(registry: Registry, episode: Episode) -> None:
    """Company and county "of the registry row at `raised_ms`; where none holds then, of that at `ends_ms`"."""
    plate, color = episode.row.plate, episode.row.plate_color
    row = registry.row(plate, color, episode.raised_ms) or registry.row(plate, color, episode.ends_ms)
    episode.row = row or replace(episode.row, company="", county="")
