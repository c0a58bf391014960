"""Sight: an accepted fix with what the registry knows of it at its time."""

from dataclasses import dataclass

from .metric import decimetres, jumps
from .registry import Row
from .road_lines import Road


@dataclass(slots=True)
class Sight:
    """An accepted fix and the vehicle's registry row at its time (None: vehicle unknown then)."""

    t: int
    lon: float
    lat: float
    speed: float
    driver: str | None
    row: Row | None
    status: int | None = None
    road: Road | None = None

    def of_class(self, classes: str) -> bool:
        """ "looked up at the fix"."""
        return self.row is not None and self.row.letter in classes


@dataclass(slots=True)
class Pair:
    """ "two consecutive accepted fixes a, b; Δt = t_b − t_a"."""

    a: Sight
    b: Sight
    dt: int
    dm: int
    jumps: bool


def pair_of(a: Sight, b: Sight) -> Pair:
    """ "Where a pair still jumps, its D is taken as 0 everywhere"."""
    dt = b.t - a.t
    dm = decimetres(a.lon, a.lat, b.lon, b.lat)
    jump = jumps(dm, dt)
    return Pair(a, b, dt, 0 if jump else dm, jump)
