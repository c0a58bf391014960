"""State: what is remembered per vehicle between batches, kept only where something needs it.

What every vehicle needs (the gate, the activity) has a row a vehicle. What kinds remember has a row, a *slot*, only
for vehicles that may ever be of their classes; kinds for the same classes share their slots. Of a *sparse* kind, a
vehicle has a slot only while its row is not all zeros: most vehicles do nothing that it would have to remember. Where
slots lie means nothing: no result depends on it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Bool, Int8, Int32, Int64
from ingest.kernel import kernel
from ingest.registry import CLASSES

Rows = NDArray[np.void]


def letters_of(classes: str) -> int:
    """Class letters as bits, by their place in ``registry.CLASSES``."""
    return sum(1 << CLASSES.index(letter) for letter in classes)


class Present(NamedTuple):
    """The vehicles of a batch of n fixes, by vehicle, (u,).

    Attributes
    ----------
    vehicle : int32, (u,)
        Each once.
    letters : uint8, (u,)
        Classes that it is registered with at any time, as bits; none for one that the registry does not know.
    number : int32, (columns, u)
        Its slots, from 1 up; 0 for none.
    run : int64, (n,)
        Which of them each fix is of.
    """

    vehicle: Int32
    letters: Int8
    number: Int32
    run: Int64

    def of(self, letters: str) -> Bool:
        """Which are ever registered with one of these classes, (u,)."""
        found: Bool = (self.letters & letters_of(letters)) != 0
        return found

    def only(self, kept: Bool) -> tuple["Present", Int64]:
        """Those that are kept, (u,), and the rows of their fixes in the batch."""
        which = np.flatnonzero(kept)
        rows = np.flatnonzero(kept.take(self.run))
        run = (np.cumsum(kept) - 1).take(self.run.take(rows))
        return Present(self.vehicle.take(which), self.letters.take(which), self.number.take(which, axis=1), run), rows


class _Pool:
    """Slots that are in use, and those that are free: these are given out again before there are more."""

    def __init__(self, letters: int) -> None:
        self.letters = letters
        self.end = 0
        self.free: Int32 = np.zeros(0, np.int32)

    @property
    def used(self) -> int:
        """How many are in use."""
        return self.end - len(self.free)

    def give(self, count: int) -> Int32:
        """That many slots."""
        again = min(count, len(self.free))
        fresh = np.arange(self.end, self.end + count - again, dtype=np.int32)
        given = np.concatenate([self.free[len(self.free) - again :], fresh])
        self.free = self.free[: len(self.free) - again]
        self.end += len(fresh)
        return given

    def take(self, slots: Int32) -> None:
        """Take slots back."""
        self.free = np.concatenate([self.free, slots])


class States:
    """Tables of state by name, growing with the vehicles; new rows are zeros.

    Parameters
    ----------
    layout : mapping
        Name of a table to the dtype of its rows.
    classes : mapping
        Name of a table to the class letters of the vehicles that it is kept for; of a table that is not
        named, every vehicle has a row.
    sparse : collection of str
        Tables in which a vehicle has a slot only while there is something in it.
    """

    def __init__(
        self,
        layout: Mapping[str, np.dtype[np.void]],
        classes: Mapping[str, str] | None = None,
        sparse: Collection[str] = (),
    ) -> None:
        self._tables: dict[str, Rows] = {name: np.zeros(0, dtype) for name, dtype in layout.items()}
        pools: dict[tuple[int, str], _Pool] = {}
        self._pool: dict[str, _Pool] = {}
        self._column: dict[str, int] = {}
        for name, letters in (classes or {}).items():
            key = letters_of(letters), name if name in sparse else ""
            self._pool[name] = pools.setdefault(key, _Pool(key[0]))
            self._column[name] = list(pools).index(key)
        self._sparse = frozenset(sparse)
        self._shared = [(column, pool) for column, (key, pool) in enumerate(pools.items()) if not key[1]]
        self._number: Int32 = np.zeros((0, len(pools)), np.int32)
        self._heard: Bool = np.zeros(0, np.bool_)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __getitem__(self, name: str) -> Rows:
        """The rows of a table, by vehicle or by slot."""
        return self._tables[name]

    def _grow(self, names: Iterable[str], rows: int) -> None:
        for name in names:
            self._tables[name] = _grown(self._tables[name], rows)

    def reserve(self, vehicles: int) -> None:
        """Make room for this many vehicles."""
        self._grow(self._tables.keys() - self._pool.keys(), vehicles)
        self._number, self._heard = _grown(self._number, vehicles), _grown(self._heard, vehicles)

    def present(self, vehicle: Int32, letters: Int8) -> Present:
        """Look up the vehicles of a batch; those that are new get the slots that their classes need.

        Parameters
        ----------
        vehicle : int32, (n,)
            In order.
        letters : uint8, (v,)
            Classes that a vehicle is registered with at any time, as bits; none for vehicles from v on.
        """
        first = np.ones(len(vehicle), np.bool_)
        np.not_equal(vehicle[1:], vehicle[:-1], out=first[1:])
        who = vehicle[first]
        bits = np.append(letters, np.uint8(0))[np.minimum(who, len(letters))]
        new = np.flatnonzero(~self._heard[who])
        if len(new):
            self._heard[who[new]] = True
            for column, pool in self._shared:
                self._give(column, pool, who[new[(bits[new] & pool.letters) != 0]])
        return Present(who, bits, np.ascontiguousarray(np.take(self._number, who, axis=0).T), np.cumsum(first) - 1)

    def _give(self, column: int, pool: _Pool, vehicles: Int32 | Int64) -> None:
        """Let these vehicles, no two alike, have slots; those that have one keep it."""
        without = vehicles[self._number[vehicles, column] == 0]
        if len(without):
            self._number[without, column] = pool.give(len(without)) + 1
            self._grow([name for name, own in self._pool.items() if own is pool], pool.end)

    def lend(self, name: str, present: Present) -> Int32:
        """Row of the table for each vehicle of a batch, (u,); -1 where it keeps none.

        In a sparse table a vehicle without a slot has a row of zeros behind them, until `settle`.
        """
        slots: Int32 = present.number[self._column[name]] - 1
        if name in self._sparse:
            pool = self._pool[name]
            without = np.flatnonzero((slots < 0) & ((present.letters & pool.letters) != 0))
            slots[without] = np.arange(pool.end, pool.end + len(without), dtype=np.int32)
            self._grow([name], pool.end + len(without))
        return slots

    def keeps(self, name: str, present: Present) -> Bool:
        """Which vehicles of a batch, as it began, something is remembered of in a sparse table, (u,)."""
        kept: Bool = present.number[self._column[name]] > 0
        return kept

    def settle(self, name: str, present: Present, slots: Int32) -> None:
        """After a batch: keep what was lent of a sparse table where there is something in it now, else free it."""
        if name not in self._sparse:
            return
        table, pool, column = self._tables[name], self._pool[name], self._column[name]
        idle, kept = _turned(_words(table), slots, pool.end)
        if len(idle):
            self._number[present.vehicle[idle], column] = 0
            pool.take(slots[idle])
        if len(kept):
            rows = as_bytes(table)[slots[kept]]
            as_bytes(table)[slots[kept]] = 0
            given = pool.give(len(kept))
            as_bytes(table)[given] = rows
            self._number[present.vehicle[kept], column] = given + 1

    def slots(self, name: str, vehicles: Int32 | Int64) -> NDArray[Any]:
        """Row of the table for each vehicle, (m,); -1 where it keeps none."""
        return self._number[vehicles, self._column[name]] - 1 if name in self._pool else vehicles

    def rows(self, name: str, vehicles: Int64) -> Rows:
        """What a table holds of these vehicles, (m,), copied; zeros where it keeps nothing."""
        slots, table = self.slots(name, vehicles), self._tables[name]
        found = np.zeros(len(vehicles), table.dtype)
        as_bytes(found)[slots >= 0] = as_bytes(table)[slots[slots >= 0]]
        return found

    def put(self, name: str, vehicles: Int64, rows: Rows) -> None:
        """Let a table hold these rows of these vehicles, no two alike; for zeros no slot is given."""
        if name in self._pool:
            self._give(self._column[name], self._pool[name], vehicles[as_bytes(rows).any(axis=1)])
        slots = self.slots(name, vehicles)
        as_bytes(self._tables[name])[slots[slots >= 0]] = as_bytes(rows)[slots >= 0]

    def forget(self, vehicles: Int64) -> None:
        """Drop all that is remembered of these vehicles, no two alike; their slots are free for others."""
        for name, table in self._tables.items():
            slots = self.slots(name, vehicles)
            as_bytes(table)[slots[slots >= 0]] = 0
        for column, pool in {self._column[name]: pool for name, pool in self._pool.items()}.items():
            slots = self._number[vehicles, column] - 1
            pool.take(slots[slots >= 0])
        self._number[vehicles] = 0
        self._heard[vehicles] = False

    def bytes_of(self, letter: str, *, idle: bool = False) -> int:
        """What a vehicle of a class takes in memory, with the numbers of its slots [B].

        Parameters
        ----------
        letter : str
        idle : bool
            Nothing is in its sparse tables; else in all.
        """
        bit, left_out = letters_of(letter), self._sparse if idle else frozenset()
        kept = (name for name in self._tables if name not in self._pool or self._pool[name].letters & bit)
        return sum(self._tables[name].dtype.itemsize for name in kept if name not in left_out) + self._numbers

    @property
    def _numbers(self) -> int:
        """What the numbers of a vehicle's slots take [B]."""
        return 4 * int(self._number.shape[1]) + 1

    def bytes_held(self, vehicles: int) -> int:
        """What is in use when there are this many vehicles [B]."""
        used = {name: pool.used for name, pool in self._pool.items()}
        held = sum(table.dtype.itemsize * used.get(name, vehicles) for name, table in self._tables.items())
        return held + vehicles * self._numbers


def as_bytes(rows: Rows) -> Int8:
    """Rows as bytes, (m, size), with their padding, which numpy else may leave out or make up."""
    return rows.view(np.uint8).reshape(len(rows), rows.dtype.itemsize)


def _words(rows: Rows) -> NDArray[Any]:
    """Rows as words of 8 bytes, (m, words), or as bytes where that does not come out even."""
    return as_bytes(rows).view(np.int64) if rows.dtype.itemsize % 8 == 0 else as_bytes(rows)


def _grown(table: NDArray[Any], rows: int) -> NDArray[Any]:
    """The table, with zeros behind it where it has fewer rows."""
    if len(table) >= rows:
        return table
    grown = np.zeros((max(rows, len(table) * 3 // 2), *table.shape[1:]), table.dtype)
    grown[: len(table)] = table
    return grown


@kernel
def _turned(words: NDArray[Any], slots: Int32, end: int) -> tuple[Int32, Int32]:
    """Which of these rows, none of row -1, are below `end` and hold nothing but zeros, and which are not and do."""
    found = np.empty(len(slots), np.int32)
    idle, kept = 0, len(slots)
    for at in range(len(slots)):
        if slots[at] < 0:
            continue
        holds = False
        for word in range(words.shape[1]):
            if words[slots[at], word] != 0:
                holds = True
                break
        if slots[at] < end and not holds:
            found[idle] = at
            idle += 1
        elif slots[at] >= end and holds:
            kept -= 1
            found[kept] = at
    return found[:idle], found[kept:][::-1]
