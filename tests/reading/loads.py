"""Loads: whether a vehicle carries goods at a fix, as its terminal says or as its stands suggest (V27)."""

from .registry import Registry
from .sight import Sight
from .tally import day_of

EMPTY, TOLD, GUESSED = 0, 1, 2
SAYS = {0: False, 1: True, 3: True}  # "00 empty, 01 half, 11 full; 10 says nothing"


class Loads:
    """The load of one vehicle; it "follows all accepted fixes"."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.believed = False
        self.told = False
        self.day: int | None = None  # of the latest stand at a shipper's, unless a consignee's came after it

    def take(self, sight: Sight, applies: bool) -> int:
        """One accepted fix."""
        said = None if sight.status is None else SAYS.get(sight.status >> 8 & 3)
        self.believed = self.believed or said is True
        if said is not None:
            self.told = said
        shipper = applies and self.inside(sight, "shipper")
        if applies and sight.speed < self.registry.set("V27", sight.row, sight.t)["stand_kmh"]:
            if self.inside(sight, "consignee"):
                self.day = None
            elif shipper:
                self.day = day_of(sight.t)
        if self.believed:
            return TOLD if self.told else EMPTY
        return GUESSED if self.day == day_of(sight.t) and not shipper else EMPTY

    def inside(self, sight: Sight, kind: str) -> bool:
        """Inside a fence of this kind, for the vehicle's class."""
        row = sight.row
        held = row and any(self.registry.fences.holding(kind, row.letter, sight.t, sight.lon, sight.lat))
        return bool(held)
