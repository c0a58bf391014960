"""Track: a hand-made journey for tests, in legs whose kind (drive or stop) is plain to see."""

from datetime import datetime
from math import pi

from .fences import Fence
from .metric import EARTH_M
from .positions import Fix
from .registry import Registry, Row
from .replay import Reading, replay_fixes
from .values import EPOCH, MILLISECOND

DEGREES_PER_DM = 0.1 * 180 / (pi * EARTH_M)  # along a meridian
MIN = 60_000
HOUR = 3_600_000
ROUND_DM = 10_000  # 1 km a minute: 60 km/h


def at(words: str) -> int:
    """Epoch ms of a Beijing time, "2026-03-10T08:00:00"; a clock alone is on 10 March 2026."""
    full = words if "T" in words else f"2026-03-10T{words}"
    return (datetime.fromisoformat(full + "+08:00") - EPOCH) // MILLISECOND


class Track:
    """The speed of a fix rules the pair after it: each leg sets the speed of the fix it sets out from."""

    def __init__(self, begin: int, driver: str | None = None, plate: str = "A1") -> None:
        self.t, self.dm, self.driver, self.plate = begin, 0, driver, plate
        self.fixes: list[Fix] = []
        self.put(begin - 1)  # the candidate: unconfirmed
        self.put(begin)  # the first accepted fix

    def put(self, t: int) -> Fix:
        """One standing fix."""
        lat = 25.0 + self.dm * DEGREES_PER_DM
        fix = Fix(self.plate, 2, t, 110.0, lat, 0.0, driver=self.driver)
        self.fixes.append(fix)
        return fix

    def leg(self, ms: int, dm: int, speed: float) -> "Track":
        """One pair."""
        self.fixes[-1].speed_kmh = speed
        self.t += ms
        self.dm += dm
        self.put(self.t)
        return self

    def drive(self, ms: int, dm_a_minute: int = ROUND_DM) -> "Track":
        """Pairs of a minute (and a shorter last one) at speed 60: all drive."""
        while ms > 0:
            step = min(ms, MIN)
            self.leg(step, dm_a_minute * step // MIN, 60.0)
            ms -= step
        return self

    def stand(self, ms: int) -> "Track":
        """Pairs of a minute (and a shorter last one) at speed 0: all stop."""
        while ms > 0:
            step = min(ms, MIN)
            self.leg(step, 0, 0.0)
            ms -= step
        return self

    def gap(self, ms: int, dm: int) -> "Track":
        """One pair of more than 5 minutes; after more than an hour a candidate comes first."""
        self.t += ms
        self.dm += dm
        if ms > HOUR:
            self.put(self.t - 1)
        self.put(self.t)
        return self

    def change(self, driver: str | None, ms: int = MIN) -> "Track":
        """A standing pair at whose end another driver is there."""
        self.driver = driver
        return self.leg(ms, 0, 0.0)

    def read(self, row: Row | None = None, registry: Registry | None = None) -> Reading:
        """Replay it; a lorry of class L without fences unless told."""
        return replay_fixes(self.fixes, registry or Registry([row or Row("A1", "L")]))

    def found(self, kind: str, row: Row | None = None, registry: Registry | None = None) -> list[tuple[int, ...]]:
        """(begins, raised, ends, severity, lead) of the episodes of a kind."""
        return brief(self.read(row, registry), kind)


def brief(reading: Reading, kind: str) -> list[tuple[int, ...]]:
    """(begins, raised, ends, severity, lead) of the episodes of a kind."""
    keys = ("begins_ms", "raised_ms", "ends_ms", "severity", "lead")
    return [tuple(int(str(int(bool(e[k])) if k == "lead" else e[k])) for k in keys)
            for e in reading.episodes if e["kind"] == kind]  # fmt: skip


def square(kind: str, limit: float, classes: str = "", south: float = 20, north: float = 30) -> Fence:
    """A fence from 100 to 120 degrees east."""
    ring = [(100.0, south), (120.0, south), (120.0, north), (100.0, north), (100.0, south)]
    return Fence(kind, kind, limit, classes, [[ring]])
