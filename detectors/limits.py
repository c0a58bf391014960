"""Limits: an index column into dated parameter sets.

Every number a rule needs is a named default that a dated row of the registry may replace for a
class, a county or a company. The distinct sets of a group are rows of one structured array; each
fix carries the index of the set that holds for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Bool, Int32, Int64
from ingest.registry import Override, Party, Registry
from ingest.table import RegistryError

Default = float | int | Mapping[str, float]
"""A number for all classes, or one for each class letter."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Parameter sets of a group, and which one holds for each fix.

    Attributes
    ----------
    sets : structured array, (s,)
        One field a parameter, int64 or float64 as its default.
    index : int32, (n,) or (p,)
        Row of `sets` for each fix, or for each driving piece.
    applies : bool, (n,)
        Where the vehicle is of a class that the rule is for.
    slot : int32, (n,)
        Row of the kind's state for the vehicle of each fix; -1 where it keeps none for that vehicle: such
        a fix is passed over.
    """

    sets: NDArray[np.void]
    index: Int32
    applies: Bool
    slot: Int32

    def parameter(self, name: str, default: float | None = None) -> NDArray[Any]:
        """Values of a parameter by set, (s,); the default for a group that does not have it."""
        if default is not None and name not in (self.sets.dtype.names or ()):
            return np.full(len(self.sets), default)
        return np.ascontiguousarray(self.sets[name])


def _dtype(defaults: Mapping[str, Default]) -> np.dtype[np.void]:
    return np.dtype([(name, "i8" if isinstance(value, int) else "f8") for name, value in defaults.items()])


class Parameters:
    """The parameter sets of one group over all parties of a registry and all of time.

    Attributes
    ----------
    sets : structured array, (s,)
        Those that the registry makes, then those that `keep` was given.
    alike : bool
        One set holds for all fixes.
    """

    def __init__(self, group: str, defaults: Mapping[str, Default], registry: Registry) -> None:
        self.registry = registry
        self.defaults = defaults
        rows = [row for row in registry.overrides if row.group == group]
        for row in rows:
            self._check(row)
        self.breaks = np.array(sorted({row.from_ms for row in rows} | {row.to_ms for row in rows}), np.int64)
        parties = registry.parties
        known: dict[tuple[float, ...], int] = {}
        table = np.empty((len(parties), len(self.breaks) + 1), np.int32)
        for at, party in enumerate(parties):
            chosen = [row for row in rows if row.selects(party)]
            for span in range(len(self.breaks) + 1):
                moment = int(self.breaks[span - 1]) if span else None
                held = [row for row in chosen if moment is not None and row.from_ms <= moment < row.to_ms]
                table[at, span] = known.setdefault(self._values(party, held), len(known))
        self.table = table
        self.sets: NDArray[np.void] = np.array(list(known), _dtype(defaults))
        self.alike = len(known) == 1

    def _check(self, row: Override) -> None:
        if row.name not in self.defaults:
            expected = f"a parameter of {row.group}: {', '.join(self.defaults)}"
            raise RegistryError(row.row.path, row.row.line, "name", expected, row.name)
        whole, by_class = (isinstance(self.defaults[row.name], kind) for kind in (int, Mapping))
        if row.value < 0 or (whole and row.value != int(row.value)) or (by_class and row.value == 0):
            expected = "a number above 0" if by_class else "a whole number from 0" if whole else "a number from 0"
            raise RegistryError(row.row.path, row.row.line, "value", expected, row.value)

    def _values(self, party: Party, held: list[Override]) -> tuple[float, ...]:
        values = {
            name: default.get(party.kind, float("nan")) if isinstance(default, Mapping) else default
            for name, default in self.defaults.items()
        }
        values |= {row.name: row.value for row in sorted(held, key=lambda row: row.weight)}
        return tuple(values.values())

    def index(self, entry: Int32, time_ms: Int64) -> Int32:
        """Row of `sets` for fixes of these registry rows (-1 = none) at these times, (n,)."""
        if self.alike:
            return np.zeros(len(entry), np.int32)
        party = self.registry.entries.party[entry]
        if not len(self.breaks):
            return np.take(self.table[:, 0], party)
        span = np.searchsorted(self.breaks, time_ms, side="right")
        return np.take(self.table, party * self.table.shape[1] + span)

    def keep(self, one: np.void) -> int:
        """Row of `sets` that holds these numbers; a new one where they are another registry's."""
        for known, own in enumerate(self.sets):
            if own.tobytes() == one.tobytes():
                return known
        self.sets = np.append(self.sets, np.array([one], self.sets.dtype))
        return len(self.sets) - 1

    def columns(self, entry: Int32, time_ms: Int64) -> NDArray[np.void]:
        """Parameters that hold for fixes of these registry rows at these times, (n,)."""
        return self.sets[self.index(entry, time_ms)]


ROAD_LIMIT: Mapping[str, Default] = {
    "cap_kmh": {"L": 100.0, "C": 100.0, "H": 80.0, "F": 100.0, "B": 100.0, "T": 120.0},
    "default_kmh": {"L": 100.0, "C": 100.0, "H": 80.0, "F": 90.0, "B": 60.0, "T": 120.0},
}
"""What a class may drive at most where a road is known, and where none is [km/h]. Source: rulebook §3."""
