"""Service: V23, V32, V33, V34, what was promised by timetables and stations."""

from .episode import Episode
from .irregular import Passages
from .metric import DAY
from .positions import Fix
from .registry import Registry
from .sight import Pair, Sight, pair_of
from .skipped import Skipped
from .stations import Stations
from .tally import NOTHING, Mark, Tally, day_of
from .values import shown_moment
from .ways import applies


class Hours(Tally):
    """V23."""

    def judge(self, sight: Sight) -> Mark:
        """ "The vehicle has a trip on service day d; for none of the service days s lies t in [...]"."""
        row, t = sight.row, sight.t
        if row is None or not applies(self.registry, "V23", "BL", sight):
            return NOTHING
        who, today, table = (row.plate, row.plate_color), day_of(t), self.registry.timetable
        if not table.runs(who, today) or self.registry.papers.holding("permits", who, t, "dispatch"):
            return NOTHING
        rules = self.registry.set("V23", row, t)
        for day in range(today - 2 * DAY, today + 2 * DAY, DAY):
            first, last = table.served(who, day)
            if first - rules["before_ms"] <= t <= last + rules["after_ms"]:
                return NOTHING
        first, last = table.served(who, today)
        return Mark(1, 1, {"first_departure": shown_moment(first), "last_arrival": shown_moment(last)})


class Service:
    """The four kinds of one vehicle; V33 is judged when all is read."""

    def __init__(self, registry: Registry, episodes: list[Episode], holder: tuple[str, int]) -> None:
        self.previous: Sight | None = None
        self.hours = Hours("V23", registry, episodes)
        self.stations, self.skipped = Stations(registry, episodes), Skipped(registry, episodes)
        self.passages = Passages(registry, episodes, holder)

    def hear(self, fix: Fix) -> None:
        """One located fix, heard of "by [its] receipt where known, else by [its] own time" (V13)."""
        heard = fix.time if fix.received is None else fix.received
        if heard is not None:
            self.passages.heard.append(heard)

    def take(self, sight: Sight) -> None:
        """One accepted fix."""
        pair: Pair | None = None if self.previous is None else pair_of(self.previous, sight)
        self.previous = sight
        self.hours.take(sight, pair, self.hours.judge(sight))
        self.stations.take(sight, pair)
        self.skipped.take(sight, pair)
        self.passages.take(sight, pair)
