"""Packing: vehicles' state as a value that means the same in any process and under any registry.

States refer to parameter sets and to fences, roads and routes by numbers that only their own engine
understands. Packed, they refer to the contents of those sets and to the ids of those places, so that a slab of
the ledger, or the engine of another version of the registry, can take the vehicles up where they stand.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.engine import Engine
from detectors.found import PLACES
from detectors.kind import State
from detectors.state import as_bytes
from ingest.batch import Bool, Int64
from ingest.fences import Fence

FORMAT = 2
"""Version of what `to_bytes` writes; the one before had a row for each vehicle in every table."""

GONE = "gone"
"""Kind of a place that the registry does not have any more: it has a name and no shape."""

MOST_BYTES = 1 << 30
"""What `from_bytes` unfolds at most [B]."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of state.

    Attributes
    ----------
    version : int
        Of the rule (`Kind.version`), or of what the gate or the activity remembers.
    layout : str
        ``descr`` of the rows' dtype.
    rows : bytes
        Of the vehicles that the table holds something of. What refers to a parameter set holds a row of `sets`,
        what refers to a fence, a road or a route an index into `fences`, `roads` or `routes` (-1: none).
    set_layout : str
        ``descr`` of the sets' dtype; empty where the table has no parameters.
    sets : bytes
        The distinct parameter sets that the rows refer to.
    fences, roads, routes : tuple of str
        Ids of the places that the rows refer to.
    at : bytes, optional
        Which vehicle each row is of, as int32 from 0 up; None where there is one a vehicle.
    """

    version: int
    layout: str
    rows: bytes
    set_layout: str
    sets: bytes
    fences: tuple[str, ...]
    roads: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    at: bytes | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """State of m vehicles, in an order that only the caller knows.

    Attributes
    ----------
    format : int
        `FORMAT`.
    vehicles : int
        m.
    tables : dict
        By name: ``gate``, ``activity`` and the codes of kinds.
    """

    format: int
    vehicles: int
    tables: dict[str, Table]


References = list[tuple[NDArray[np.int32], Bool]]
"""Fields that refer to something, as views, and where they do."""


def _records(rows: State) -> Iterator[State]:
    """The rows, and the records nested in them, as views."""
    yield rows
    for name in rows.dtype.names or ():
        if rows[name].dtype.names:
            yield from _records(rows[name])


def _references(rows: State) -> dict[str, References]:
    """What refers to parameter sets (``set``) and to places (``fence``, ``..._fence``); zeros refer to nothing."""
    found: dict[str, References] = {name: [] for name in ("set", *PLACES)}
    for record in _records(rows):
        touched: Bool = np.asarray(record != np.zeros((), record.dtype))
        for name in record.dtype.names or ():
            what = name.rsplit("_", 1)[-1]
            if name == "set":
                found["set"].append((record[name], touched))
            elif what in PLACES:
                found[what].append((record[name], np.logical_and(touched, record[name] != -1)))
    return found


def _referred(references: References) -> Int64:
    """The distinct numbers that references hold, in order."""
    numbers = [field[holds].astype(np.int64) for field, holds in references]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *numbers]))


def _renumber(references: References, old: Int64, new: Sequence[int] | Int64) -> None:
    """Let references that hold ``old[i]``, in order, hold ``new[i]``."""
    for field, holds in references:
        field[holds] = np.asarray(new, np.int64)[np.searchsorted(old, field[holds])]


def _layout(dtype: np.dtype[np.void]) -> str:
    return str(dtype.descr)


def _set_layout(engine: Engine, name: str) -> str:
    return _layout(engine.parameters[name].sets.dtype) if name in engine.parameters else ""


def _table(engine: Engine, name: str, vehicles: Int64) -> Table:
    """One table of these vehicles of an engine."""
    rows: State = engine.states.rows(name, vehicles)
    at = np.flatnonzero(as_bytes(rows).any(axis=1))
    rows = as_bytes(rows)[at].view(rows.dtype)[:, 0]
    references = _references(rows)
    used = {what: _referred(found) for what, found in references.items()}
    for what, found in references.items():
        _renumber(found, used[what], np.arange(len(used[what])))
    ids = {
        plural: tuple(getattr(engine.registry, plural)[number].id for number in used[what])
        for what, plural in PLACES.items()
    }
    return Table(
        engine.versions[name],
        _layout(rows.dtype),
        rows.tobytes(),
        _set_layout(engine, name),
        engine.parameters[name].sets[used["set"]].tobytes() if name in engine.parameters else b"",
        **ids,
        at=at.astype(np.int32).tobytes(),
    )


def pack(engine: Engine, rows: Int64) -> Packed:
    """Take state out of an engine, which keeps it.

    Parameters
    ----------
    engine : Engine
        Between two batches.
    rows : int64, (m,)
        Its rows of the vehicles.
    """
    engine.states.reserve(len(engine.registry.vehicles))
    return Packed(FORMAT, len(rows), {name: _table(engine, name, rows) for name in engine.states})


def _fits(engine: Engine, name: str, table: Table) -> bool:
    """Whether the engine has the table, of this version and layout."""
    return (
        name in engine.versions
        and table.version == engine.versions[name]
        and table.layout == _layout(engine.states[name].dtype)
        and table.set_layout == _set_layout(engine, name)
    )


def _rows(engine: Engine, name: str, table: Table, vehicles: int) -> tuple[State, Int64]:
    """Rows of a table that fits, and whose they are; all their references checked."""
    dtype = engine.states[name].dtype
    if table.at is not None and len(table.at) % 4:
        raise ValueError(f"{name}: {len(table.at)} bytes are no numbers of vehicles")
    at = np.arange(vehicles) if table.at is None else np.frombuffer(table.at, np.int32).astype(np.int64)
    if len(table.rows) != len(at) * dtype.itemsize:
        raise ValueError(f"{name}: {len(table.rows)} bytes are not {len(at)} rows of {dtype.itemsize}")
    if len(at) and (at[0] < 0 or at[-1] >= vehicles or (np.diff(at) <= 0).any()):
        raise ValueError(f"{name}: rows of vehicles {at[0]} to {at[-1]} of {vehicles}, or not in order")
    rows: State = np.frombuffer(bytearray(table.rows), dtype)
    size = engine.parameters[name].sets.dtype.itemsize if name in engine.parameters else 1
    if len(table.sets) % size:
        raise ValueError(f"{name}: {len(table.sets)} bytes are no parameter sets of {size}")
    there = {what: len(getattr(table, plural)) for what, plural in PLACES.items()} | {"set": len(table.sets) // size}
    for what, references in _references(rows).items():
        numbers = _referred(references)
        if len(numbers) and not 0 <= numbers[0] <= numbers[-1] < there[what]:
            raise ValueError(f"{name}: a reference to {what} {numbers[0]} or {numbers[-1]} of {there[what]}")
    return rows, at


def _place_numbers(places: list[Fence], ids: Sequence[str]) -> list[int]:
    """Index of fences, roads or routes by id; one that is gone is kept by its id, of a kind that no rule asks for."""
    known = {place.id: at for at, place in reversed(list(enumerate(places)))}
    for place in ids:
        if place not in known:
            known[place] = len(places)
            places.append(Fence(place, "", GONE, math.nan, "", 0, 0, None))
    return [known[place] for place in ids]


def unpack(engine: Engine, rows: Int64, packed: Packed) -> frozenset[str]:
    """Put state into an engine.

    Parameter sets that its registry does not make are kept beside its own, so that a run goes on under the
    parameters of its first fix; of fences, roads and routes that its registry does not have the id is kept.

    Parameters
    ----------
    engine : Engine
        Between two batches.
    rows : int64, (m,)
        Its rows of the packed vehicles, in their order; no two alike, not used so far.
    packed : Packed
        Of any engine.

    Returns
    -------
    frozenset of str
        Tables that are left as they were: those that the engine does not have, has in another version or
        layout, or that were not packed.

    Raises
    ------
    ValueError
        Another number of vehicles, or a table that contradicts itself; the engine is untouched.
    """
    if len(rows) != packed.vehicles:
        raise ValueError(f"{packed.vehicles} vehicles cannot go into {len(rows)} rows")
    fitting = {name: table for name, table in packed.tables.items() if _fits(engine, name, table)}
    restored = {name: _rows(engine, name, table, len(rows)) for name, table in fitting.items()}
    engine.states.reserve(len(engine.registry.vehicles))
    for name, (state, at) in restored.items():
        table, references = fitting[name], _references(state)
        if references["set"]:
            parameters = engine.parameters[name]
            kept = [parameters.keep(one) for one in np.frombuffer(table.sets, parameters.sets.dtype)]
            _renumber(references["set"], np.arange(len(kept)), kept)
        for what, plural in PLACES.items():
            if references[what]:
                numbers = _place_numbers(getattr(engine.registry, plural), getattr(table, plural))
                _renumber(references[what], np.arange(len(numbers)), numbers)
        engine.states.put(name, rows[at], state)
    return frozenset({*engine.states, *packed.tables} - restored.keys())


def to_bytes(packed: Packed) -> bytes:
    """Write what was packed: msgpack, compressed by zlib."""
    return zlib.compress(msgspec.msgpack.encode(packed), 1)


def from_bytes(data: bytes) -> Packed:
    """Read what `to_bytes` wrote.

    Raises
    ------
    ValueError
        It is anything else, or unfolds to more than `MOST_BYTES`.
    """
    unfolding = zlib.decompressobj()
    try:
        packed = msgspec.msgpack.decode(unfolding.decompress(data, MOST_BYTES), type=Packed)
    except (zlib.error, msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"no packed state: {error}") from error
    if not unfolding.eof or unfolding.unused_data:
        raise ValueError("no packed state: cut off, or with something behind it")
    if packed.format not in (1, FORMAT) or packed.vehicles < 0:
        raise ValueError(f"no packed state of format {FORMAT}: format {packed.format}, {packed.vehicles} vehicles")
    return packed
