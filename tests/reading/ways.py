"""Ways: how near a pair comes to a stop, and of several calls there which one it is."""

from dataclasses import dataclass
from math import floor, hypot

from .registry import Registry
from .sight import Pair, Sight
from .timetable import Due, Stop


@dataclass(slots=True)
class Near:
    """The point of the way from a to b that is nearest to a stop."""

    share: float
    distance: float
    east: float
    north: float

    @property
    def cut(self) -> float:
        """The share cut to [0, 1]."""
        return min(1.0, max(0.0, self.share))

    def along(self, due: Due) -> bool:
        """Whether the way and the direction of the call "have a scalar product > 0"."""
        return self.east * due.call.east + self.north * due.call.north > 0


def applies(registry: Registry, kind: str, classes: str, sight: Sight) -> bool:
    """Whether a kind applies at a fix: the vehicle is of a class of it, and not exempt."""
    row = sight.row
    return row is not None and row.letter in classes and not registry.exempt(kind, row, sight.t, sight.lon, sight.lat)


def near(stop: Stop, a: Sight, b: Sight) -> Near:
    """ "The *share* is -(A*W)/(W*W), where A is a's place and W the way from a to b (0 where W has no length)"."""
    (x, y), (to_x, to_y) = stop.plane(a.lon, a.lat), stop.plane(b.lon, b.lat)
    way_x, way_y = to_x - x, to_y - y
    square = way_x * way_x + way_y * way_y
    share = -(x * way_x + y * way_y) / square if square > 0 else 0.0
    cut = min(1.0, max(0.0, share))
    return Near(share, hypot(x + cut * way_x, y + cut * way_y), way_x, way_y)


def off(stop: Stop, sight: Sight) -> float:
    """How far a fix lies from a stop [m]."""
    return hypot(*stop.plane(sight.lon, sight.lat))


def moment(pair: Pair, share: float) -> int:
    """ "t_a + floor(share * dt)"."""
    return pair.a.t + floor(share * pair.dt)


def nearest(calls: list[Due], t: int) -> Due:
    """ "The one whose departure is nearest"."""
    return min(calls, key=lambda due: (abs(due.departs - t), *due.tie))
