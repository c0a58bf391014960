"""State: what is remembered per vehicle between batches, kept only where something needs it.

What every vehicle needs (the gate, the activity) has a row a vehicle. What kinds remember has a row, a
*slot*, only for vehicles that may ever be of their classes; kinds for the same classes share their slots.
Where the slots lie means nothing: no result depends on it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Bool, Int8, Int32, Int64
from ingest.registry import CLASSES

Rows = NDArray[np.void]


def letters_of(classes: str) -> int:
    """Class letters as bits, by their place in ``registry.CLASSES``."""
    return sum(1 << CLASSES.index(letter) for letter in classes)


class _Slots:
    """Which vehicle has which slot; freed ones are given out again before there are more."""

    def __init__(self) -> None:
        self.of: Int32 = np.zeros(0, np.int32)
        self.end = 0
        self.free: Int32 = np.zeros(0, np.int32)

    @property
    def used(self) -> int:
        """How many vehicles have one."""
        return self.end - len(self.free)

    def give(self, vehicles: Int64) -> None:
        """Let these vehicles, no two alike, have slots; those that have one keep it."""
        without = vehicles[self.of[vehicles] < 0]
        again = min(len(without), len(self.free))
        fresh = np.arange(self.end, self.end + len(without) - again, dtype=np.int32)
        self.of[without] = np.concatenate([self.free[len(self.free) - again :], fresh])
        self.free = self.free[: len(self.free) - again]
        self.end += len(fresh)

    def take(self, vehicles: Int64) -> Int32:
        """Take the slots of these vehicles, no two alike; returns them."""
        slots = self.of[vehicles]
        slots = slots[slots >= 0]
        self.of[vehicles] = -1
        self.free = np.concatenate([self.free, slots])
        return slots


class States:
    """Tables of state by name, growing with the vehicles; new rows are zeros.

    Parameters
    ----------
    layout : mapping
        Name of a table to the dtype of its rows.
    classes : mapping
        Name of a table to the class letters of the vehicles that it is kept for; of a table that is not
        named, every vehicle has a row.
    """

    def __init__(self, layout: Mapping[str, np.dtype[np.void]], classes: Mapping[str, str] | None = None) -> None:
        self._tables: dict[str, Rows] = {name: np.zeros(0, dtype) for name, dtype in layout.items()}
        self._letters = {name: letters_of(found) for name, found in (classes or {}).items()}
        self._slots = {letters: _Slots() for letters in sorted(set(self._letters.values()))}
        self._heard: Bool = np.zeros(0, np.bool_)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __getitem__(self, name: str) -> Rows:
        """The rows of a table, by vehicle or by slot."""
        return self._tables[name]

    def _grow(self, names: Iterable[str], rows: int) -> None:
        for name in names:
            table = self._tables[name]
            if len(table) < rows:
                grown = np.zeros(max(rows, len(table) * 3 // 2), table.dtype)
                grown[: len(table)] = table
                self._tables[name] = grown

    def reserve(self, vehicles: int) -> None:
        """Make room for this many vehicles."""
        self._grow(self._tables.keys() - self._letters.keys(), vehicles)
        if len(self._heard) < vehicles:
            more = max(vehicles, len(self._heard) * 3 // 2) - len(self._heard)
            self._heard = np.concatenate([self._heard, np.zeros(more, np.bool_)])
            for slots in self._slots.values():
                slots.of = np.concatenate([slots.of, np.full(more, -1, np.int32)])

    def hear(self, vehicle: Int32, letters: Int8) -> None:
        """Let vehicles of a batch have the slots that their classes need.

        Parameters
        ----------
        vehicle : int32, (n,)
        letters : uint8, (v,)
            Classes that a vehicle is registered with at any time, as bits; none for vehicles from v on.
        """
        known = self._heard[vehicle]
        if known.all():
            return
        new = np.unique(vehicle[~known]).astype(np.int64)
        self._heard[new] = True
        new = new[new < len(letters)]
        for wanted in self._slots:
            self._give(wanted, new[(letters[new] & wanted) != 0])

    def _give(self, letters: int, vehicles: Int64) -> None:
        slots = self._slots[letters]
        slots.give(vehicles)
        self._grow([name for name, own in self._letters.items() if own == letters], slots.end)

    def slots(self, name: str, vehicle: Int32 | Int64) -> NDArray[Any]:
        """Row of the table for each fix's vehicle, (n,); -1 where it keeps none."""
        return self._slots[self._letters[name]].of[vehicle] if name in self._letters else vehicle

    def rows(self, name: str, vehicles: Int64) -> Rows:
        """What a table holds of these vehicles, (m,), copied; zeros where it keeps nothing."""
        slots, table = self.slots(name, vehicles), self._tables[name]
        found = np.zeros(len(vehicles), table.dtype)
        as_bytes(found)[slots >= 0] = as_bytes(table)[slots[slots >= 0]]
        return found

    def put(self, name: str, vehicles: Int64, rows: Rows) -> None:
        """Let a table hold these rows of these vehicles, no two alike; for zeros no slot is given."""
        if name in self._letters:
            self._give(self._letters[name], vehicles[as_bytes(rows).any(axis=1)])
        slots = self.slots(name, vehicles)
        as_bytes(self._tables[name])[slots[slots >= 0]] = as_bytes(rows)[slots >= 0]

    def forget(self, vehicles: Int64) -> None:
        """Drop all that is remembered of these vehicles, no two alike; their slots are free for others."""
        taken = {letters: slots.take(vehicles) for letters, slots in self._slots.items()}
        for name, table in self._tables.items():
            as_bytes(table)[taken[self._letters[name]] if name in self._letters else vehicles] = 0
        self._heard[vehicles] = False

    def bytes_of(self, letter: str) -> int:
        """What a vehicle of a class takes in memory, with the numbers of its slots [B]."""
        bit = letters_of(letter)
        kept = (name for name in self._tables if self._letters.get(name, bit) & bit)
        return sum(self._tables[name].dtype.itemsize for name in kept) + 4 * len(self._slots) + 1

    def bytes_held(self, vehicles: int) -> int:
        """What is in use when there are this many vehicles [B]."""
        numbers = vehicles * (4 * len(self._slots) + 1)
        used = {name: self._slots[letters].used for name, letters in self._letters.items()}
        return numbers + sum(table.dtype.itemsize * used.get(name, vehicles) for name, table in self._tables.items())


def as_bytes(rows: Rows) -> Int8:
    """Rows as bytes, (m, size), with their padding, which numpy else may leave out or make up."""
    return rows.view(np.uint8).reshape(len(rows), rows.dtype.itemsize)
