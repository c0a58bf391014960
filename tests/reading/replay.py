"""Replay: every fix of a file through its vehicle's gate and detectors, one at a time."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .driving import Driving
from .episode import Episode, supersede
from .gate import DRIFT, Accepted, Gate
from .holds import Holds
from .irregular import close
from .metric import decimetres, jumps
from .missing import Missing
from .online import Clock, Online, close_days
from .places import Places
from .positions import Fix, Positions
from .registry import Registry, Row
from .road_lines import Road
from .roads import Matcher, Seen
from .service import Service
from .sight import Sight
from .stays import Standing

ACCEPTED = "accepted"
UNKNOWN_VEHICLE = "unknown_vehicle"


@dataclass(slots=True)
class Reading:
    """Episodes sorted by (plate, plate_color, kind, begins_ms), and how many fixes met which fate."""

    episodes: list[dict[str, object]]
    counts: dict[str, int]


class Vehicle:
    """One vehicle's state: "depends on its own fixes, the registry and the ticks only"."""

    def __init__(self, registry: Registry, holder: tuple[str, int]) -> None:
        self.registry = registry
        self.episodes: list[Episode] = []
        self.gate = Gate()
        self.holds = Holds(registry, self.episodes)
        self.driving = Driving(registry, self.episodes)
        self.missing = Missing(registry, self.episodes)
        self.places = Places(registry, self.episodes)
        self.standing = Standing(registry, self.episodes, holder)
        self.service = Service(registry, self.episodes, holder)
        self.online = Online(registry, self.episodes, holder)
        self.matcher = Matcher(registry)
        self.last: Accepted | None = None

    def take(self, fix: Fix, found: Accepted | str, counts: Counter[str]) -> None:
        """One fix in arrival order, and what the gate said of it."""
        self.online.hear(fix, found)
        if not isinstance(found, str) or found == DRIFT:
            self.service.hear(fix)
        if isinstance(found, str):
            counts[found] += 1
            return
        counts[ACCEPTED] += 1
        row = self.registry.row(fix.plate, fix.plate_color, found.t)
        if row is None:
            counts[UNKNOWN_VEHICLE] += 1
        road = self.on_road(fix, found, row)
        sight = Sight(found.t, found.lon, found.lat, found.speed, found.driver, row, found.status, road)
        self.holds.take(sight)
        self.driving.take(sight)
        self.missing.take(sight)
        self.places.take(sight)
        self.standing.take(sight)
        self.service.take(sight)
        self.online.take(sight)

    def on_road(self, fix: Fix, now: Accepted, row: Row | None) -> Road | None:
        """The road line it is on."""
        before, self.last = self.last, now
        dt = None if before is None else now.t - before.t
        jump = before is not None and jumps(decimetres(before.lon, before.lat, now.lon, now.lat), now.t - before.t)
        return self.matcher.take(Seen(now.t, now.lon, now.lat, now.speed, fix.heading_deg, row, dt, jump))


def replay_fixes(fixes: Iterable[Fix], registry: Registry) -> Reading:
    """Fixes in memory, in arrival order."""
    vehicles: dict[tuple[str, int], Vehicle] = {}
    counts: Counter[str] = Counter()
    clock = Clock()
    for fix in fixes:
        key = fix.plate, fix.plate_color
        vehicle = vehicles.get(key)
        if vehicle is None:
            vehicle = vehicles[key] = Vehicle(registry, key)
        found = vehicle.gate.take(fix)
        clock.hear(fix, found, (one.online for one in vehicles.values()))
        vehicle.take(fix, found, counts)
    close([vehicle.service.passages for vehicle in vehicles.values()])
    vehicles = {key: Vehicle(registry, key) for key in registry.rows} | vehicles
    close_days(registry, {key: vehicle.online for key, vehicle in vehicles.items()})
    shown = []
    for key in sorted(vehicles):
        episodes = vehicles[key].episodes
        supersede(episodes)
        shown += [e.shown() for e in sorted(episodes, key=lambda e: (e.kind, e.begins_ms))]
    return Reading(shown, dict(counts))


def replay(positions: Path, registry: Path) -> Reading:
    """A positions file against a registry folder."""
    lines = Positions(positions)
    reading = replay_fixes(lines, Registry.read(registry))
    for reason, n in lines.rejects.items():
        reading.counts[reason] = reading.counts.get(reason, 0) + n
    return reading


def main(arguments: list[str]) -> int:
    """`python -m tests.reading.replay POSITIONS REGISTRY`: episodes to stdout, counts to stderr."""
    if len(arguments) != 2:
        print(main.__doc__, file=sys.stderr)
        return 2
    reading = replay(Path(arguments[0]), Path(arguments[1]))
    for episode in reading.episodes:
        print(json.dumps(episode))
    print(json.dumps(reading.counts), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
