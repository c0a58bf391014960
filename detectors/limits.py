"""Limits: an index column into dated parameter sets.

Every number a rule needs is a named default that a dated row of the registry may replace for a
class, a county, a company or a fence. The distinct sets of a group are rows of one structured array;
each fix carries the index of the set that holds for it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Bool, Int32, Int64
from ingest.registry import Override, Party, Registry
from ingest.table import RegistryError

Default = float | int | Mapping[str, float]
"""A number for all classes, or one for each class letter."""


Known = dict[tuple[str, float | None], NDArray[Any]]
"""Columns of parameter sets by name and the default that was asked with."""


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
    slot_of : callable
        The same for any vehicles, heard in this batch or not.
    known : dict
        Columns of `sets` that were asked for before.
    """

    sets: NDArray[np.void]
    index: Int32
    applies: Bool
    slot: Int32
    slot_of: Callable[[Int32], Int32] = lambda vehicle: vehicle
    known: Known = field(default_factory=dict)

    def parameter(self, name: str, default: float | None = None) -> NDArray[Any]:
        """Values of a parameter by set, (s,); the default for a group that does not have it."""
        asked = name, default
        if asked not in self.known:
            own = name in (self.sets.dtype.names or ()) or default is None
            self.known[asked] = np.ascontiguousarray(self.sets[name]) if own else np.full(len(self.sets), default)
        return self.known[asked]

    def at(self, name: str) -> NDArray[Any]:
        """What a parameter is at each fix, or at each driving piece, (n,) or (p,)."""
        return self.parameter(name).take(self.index)


def _dtype(defaults: Mapping[str, Default]) -> np.dtype[np.void]:
    return np.dtype([(name, "i8" if isinstance(value, int) else "f8") for name, value in defaults.items()])


class Parameters:
    """The parameter sets of one group over all parties of a registry and all of time.

    Parameters
    ----------
    fenced : bool
        Whether the group's rule goes by a fence, so that a row may name one.

    Attributes
    ----------
    sets : structured array, (s,)
        Those that the registry makes, then those that fixes in fences asked for, and that `keep` was given.
    alike : bool
        One set holds for all fixes.
    fenced : bool
        Some row names a fence.
    known : dict
        Columns of `sets`, for `Limits`.
    """

    def __init__(
        self, group: str, defaults: Mapping[str, Default], registry: Registry, *, fenced: bool = False
    ) -> None:
        self.registry = registry
        self.defaults = defaults
        self._rows = [row for row in registry.overrides if row.group == group]
        fences = {fence.id for fence in registry.fences} if fenced else None
        for row in self._rows:
            check_override(row, defaults, fences)
        self.breaks = np.array(sorted({at for row in self._rows for at in (row.from_ms, row.to_ms)}), np.int64)
        self._known: dict[tuple[float, ...], int] = {}
        self.known: Known = {}
        self.sets: NDArray[np.void] = np.zeros(0, _dtype(defaults))
        spans = len(self.breaks) + 1
        table = [self._set(party, span, "") for party in range(len(registry.parties)) for span in range(spans)]
        self.table = np.array(table, np.int32).reshape(len(registry.parties), spans)
        self._grow()
        named = sorted({row.fence for row in self._rows} - {""})
        self._names = ["", *named]
        ranks = {fence: rank for rank, fence in enumerate(self._names)}
        self._rank = np.array([*(ranks.get(fence.id, 0) for fence in registry.fences), 0], np.int32)
        self._inside: dict[int, int] = {}
        self.fenced = bool(named)
        self.alike = len(self.sets) == 1 and not named

    def _grow(self) -> None:
        """Let `sets` hold all that are known."""
        if len(self.sets) < len(self._known):
            self.sets = np.array(list(self._known), self.sets.dtype)
            self.known = {}

    def _set(self, party: int, span: int, fence: str) -> int:
        """Row of `sets` for a party between two breaks, in a fence or in none that counts."""
        moment = int(self.breaks[span - 1]) if span else None
        who = self.registry.parties[party]
        held = [
            row
            for row in self._rows
            if row.fence in ("", fence)
            and row.selects(who)
            and moment is not None
            and row.from_ms <= moment < row.to_ms
        ]
        return self._known.setdefault(self._values(who, held), len(self._known))

    def _values(self, party: Party, held: list[Override]) -> tuple[float, ...]:
        values = {
            name: default.get(party.kind, float("nan")) if isinstance(default, Mapping) else default
            for name, default in self.defaults.items()
        }
        values |= {row.name: row.value for row in sorted(held, key=lambda row: row.weight)}
        return tuple(values.values())

    def index(self, entry: Int32, time_ms: Int64, fence: Int32 | None = None) -> Int32:
        """Row of `sets` for fixes of these registry rows (-1 = none) at these times, (n,).

        Parameters
        ----------
        fence : int32, (n,), optional
            Row of ``registry.fences`` that the rule goes by at each fix; -1 where none.
        """
        if self.alike:
            return np.zeros(len(entry), np.int32)
        party = self.registry.entries.party[entry]
        span = np.searchsorted(self.breaks, time_ms, side="right")
        cell = party * self.table.shape[1] + span
        found: Int32 = np.take(self.table, cell)
        if fence is not None and self.fenced:
            rank = self._rank[fence]
            at = np.flatnonzero(rank)
            cells, back = np.unique(cell[at] * len(self._names) + rank[at], return_inverse=True)
            found[at] = np.array([self._in_fence(one) for one in cells.tolist()], np.int32)[back]
        return found

    def _in_fence(self, cell: int) -> int:
        """Row of `sets` for a party, a span and a fence, worked out when first asked for: few ever are."""
        if cell not in self._inside:
            place, rank = divmod(cell, len(self._names))
            self._inside[cell] = self._set(*divmod(place, self.table.shape[1]), self._names[rank])
            self._grow()
        return self._inside[cell]

    def keep(self, one: np.void) -> int:
        """Row of `sets` that holds these numbers; a new one where they are another registry's."""
        for known, own in enumerate(self.sets):
            if own.tobytes() == one.tobytes():
                return known
        row = self._known.setdefault(tuple(one.tolist()), len(self._known))
        self._grow()
        return row

    def columns(self, entry: Int32, time_ms: Int64, fence: Int32 | None = None) -> NDArray[np.void]:
        """Parameters that hold for fixes of these registry rows at these times, in these fences, (n,)."""
        index = self.index(entry, time_ms, fence)
        return self.sets[index]


MOST: Mapping[str, float] = {"reach_dm": 1_000, "alarms": 8}
"""What parameters may be at most where more could not be worked out: a road is kept in every cell it reaches, so many
alarms are remembered."""


def check_override(row: Override, defaults: Mapping[str, Default], fences: Collection[str] | None) -> None:
    """See that a row changes a parameter that there is, to a value it can take.

    Parameters
    ----------
    defaults : mapping
        The parameters of the row's group.
    fences : collection of str, optional
        Ids of fences that the row may name; None for a group that goes by none.

    Raises
    ------
    RegistryError
    """
    if row.name not in defaults:
        row.row.fail("name", f"a parameter of {row.group}: {', '.join(defaults)}")
    whole, by_class = (isinstance(defaults[row.name], kind) for kind in (int, Mapping))
    if row.value < 0 or (whole and row.value != int(row.value)) or (by_class and row.value == 0):
        expected = "a number above 0" if by_class else "a whole number from 0" if whole else "a number from 0"
        raise RegistryError(row.row.path, row.row.line, "value", expected, row.value)
    if row.value > MOST.get(row.name, row.value):
        row.row.fail("value", f"a number up to {MOST[row.name]:g}")
    if row.fence and fences is None:
        row.row.fail("fence", f"nothing: {row.group} goes by no fence")
    if row.fence and fences is not None and row.fence not in fences:
        row.row.fail("fence", "the id of a fence of the registry")


ROAD_LIMIT: Mapping[str, Default] = {
    "cap_kmh": {"L": 100.0, "C": 100.0, "H": 80.0, "F": 100.0, "B": 100.0, "T": 120.0},
    "default_kmh": {"L": 100.0, "C": 100.0, "H": 80.0, "F": 90.0, "B": 60.0, "T": 120.0},
}
"""What a class may drive at most where a road is known, and where none is [km/h]. Source: rulebook §3."""
