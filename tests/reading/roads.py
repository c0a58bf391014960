"""Roads: which road line a vehicle is on (docstring of `detectors.roads`), fix by fix."""

from dataclasses import dataclass
from itertools import pairwise
from math import atan2, cos, degrees, floor, radians

from .parameters import Set
from .registry import Registry, Row
from .road_lines import Road
from .routes import from_lines


def tenths(angle: float) -> int:
    """ "In [0, 3600) tenths of a degree, rounded half up, 3600 being 0"."""
    return floor(angle * 10 + 0.5) % 3600


def fits(a: tuple[float, float], b: tuple[float, float], heading: int, turn: int, *, oneway: bool) -> bool:
    """ "A near segment must also run its way"."""
    bearing = tenths(degrees(atan2((b[0] - a[0]) * cos(radians(a[1])), b[1] - a[1])) % 360)
    apart = abs(bearing - heading)
    apart = min(apart, 3600 - apart)
    return apart <= turn or (not oneway and 1800 - apart <= turn)


@dataclass(slots=True)
class Seen:
    """An accepted fix, with what matching asks of it; dt is None for a vehicle's first."""

    t: int
    lon: float
    lat: float
    speed: float
    heading: float | None
    row: Row | None
    dt: int | None
    jump: bool


class Matcher:
    """One vehicle's way through the roads."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.roads = registry, registry.roads
        self.on: Road | None = None
        self.challenger: Road | None = None
        self.count = 0

    def take(self, seen: Seen) -> Road | None:
        """The road it is on at this fix: "what is remembered after it"."""
        rules = self.registry.set("road_match", seen.row, seen.t)
        if seen.row is None or seen.dt is None or seen.dt > rules["gap_ms"] or seen.jump:
            self.on = self.challenger = None
            self.count = 0
        near = {} if seen.row is None else self.candidates(seen, seen.row.letter, rules)
        best = min(near, key=lambda number: (near[number], number), default=None)
        if self.on is not None and self.on.number not in near:
            self.on = None
        if self.on is not None and best is not None and near[self.on.number] - near[best] <= rules["nearer_dm"]:
            best = None
        if best is None:
            self.challenger, self.count = None, 0
            return self.on
        same = self.challenger is not None and self.challenger.number == best
        self.count = self.count + 1 if same else 1
        self.challenger = self.roads[best]
        if self.count >= rules["points"]:
            self.on, self.challenger, self.count = self.challenger, None, 0
        return self.on

    def candidates(self, seen: Seen, letter: str, rules: Set) -> dict[int, int]:
        """Distance of each candidate [dm], by its number."""
        turns = seen.heading is not None and seen.speed >= rules["heading_kmh"]
        found: dict[int, int] = {}
        for road in self.roads:
            if not road.applies(letter, seen.t):
                continue
            for line in road.lines:
                for a, b in pairwise(line):
                    if a == b:
                        continue
                    apart = from_lines(seen.lon, seen.lat, [[a, b]])
                    if apart > rules["reach_dm"]:
                        continue
                    if turns and seen.heading is not None:
                        turn = floor(rules["turn_deg"] * 10 + 0.5)
                        if not fits(a, b, tenths(seen.heading), turn, oneway="oneway" in road.tags):
                            continue
                    found[road.number] = min(apart, found.get(road.number, apart))
        return found
