"""Small hours: V09 of rulebook §4, one per night."""

from dataclasses import dataclass, field

from .episode import Episode
from .metric import DAY, HOUR, ZONE, overlap
from .parameters import Set
from .parts import Part
from .registry import Registry
from .sight import Sight


@dataclass(slots=True)
class Night:
    """ "drive ms inside [02:00, 05:00) and decimetres" of one night."""

    begins_at: int  # its 02:00
    ms: int = 0
    dm: int = 0
    begin: int | None = None
    end: int = 0
    rules: Set = field(default_factory=dict)
    episode: Episode | None = None


class SmallHours:
    """V09 of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry = registry
        self.episodes = episodes
        self.night = Night(0)

    def drive(self, part: Part, at: Sight) -> None:
        """A pair's drive (no gap-drive), applied at a pair whose later fix is `at`: that fix decides."""
        if not self.eligible(at):
            return
        two = (part.start + ZONE) // DAY * DAY - ZONE + 2 * HOUR
        while two < part.end:
            inside = overlap(part.start, part.end, two, two + 3 * HOUR)
            if inside > 0:
                self.add(two, part, inside)
                self.test(at)
            two += DAY

    def add(self, two: int, part: Part, inside: int) -> None:
        """ "⌊D × inside ÷ drive⌋ of each pair"."""
        if self.night.begins_at != two:
            self.night = Night(two)
        night = self.night
        if night.begin is None:
            night.begin = max(part.start, two)
            night.rules = self.registry.set("V09", part.sets.row, part.sets.t)
        night.ms += inside
        night.dm += part.dm * inside // part.ms
        night.end = min(part.end, two + 3 * HOUR)

    def test(self, at: Sight) -> None:
        """ "Opens when ms >= 600 000 or decimetres >= 50 000"; "4 when drive inside > 3 600 000"."""
        night, rules = self.night, self.night.rules
        if night.begin is None or at.row is None:
            return
        if night.episode is None:
            if night.ms < rules["open_ms"] and night.dm < rules["open_dm"]:
                return
            night.episode = Episode("V09", night.begin, at.t, night.end, 3, False, at.row)
            self.episodes.append(night.episode)
        night.episode.ends_ms = night.end
        if night.ms > rules["severe_ms"]:
            night.episode.severity = 4
        night.episode.measures["drive_s"] = night.ms / 1000
        night.episode.measures["distance_m"] = night.dm / 10

    def eligible(self, sight: Sight) -> bool:
        """ "L C, not `small_hours_exempt`", and without a `relay` permit that holds."""
        row = sight.row
        if row is None or row.small_hours_exempt:
            return False
        if not self.registry.applies("V09", "LC", row, sight.t, sight.lon, sight.lat):
            return False
        return not self.registry.papers.holding("permits", (row.plate, row.plate_color), sight.t, "relay")
