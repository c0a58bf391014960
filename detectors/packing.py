"""Packing: vehicles' state as a value that means the same in any process and under any registry.

States refer to parameter sets and to fences by numbers that only their own engine understands. Packed,
they refer to the contents of those sets and to the ids of those fences, so that a slab of the ledger, or
the engine of another version of the registry, can take the vehicles up where they stand.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.engine import Engine
from detectors.kind import State
from ingest.batch import Bool, Int8, Int64
from ingest.fences import Fence

FORMAT = 1
"""Version of what `to_bytes` writes."""

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
        One a vehicle. What refers to a parameter set holds a row of `sets`, what refers to a fence an
        index into `fences` (-1: none).
    set_layout : str
        ``descr`` of the sets' dtype; empty where the table has no parameters.
    sets : bytes
        The distinct parameter sets that the rows refer to.
    fences : tuple of str
        Ids of the fences that the rows refer to.
    """

    version: int
    layout: str
    rows: bytes
    set_layout: str
    sets: bytes
    fences: tuple[str, ...]


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


def _bytes(rows: State) -> Int8:
    """The rows as bytes, (m, size), with their padding, which numpy else may leave out or make up."""
    return rows.view(np.uint8).reshape(len(rows), rows.dtype.itemsize)


def _records(rows: State) -> Iterator[State]:
    """The rows, and the records nested in them, as views."""
    yield rows
    for name in rows.dtype.names or ():
        if rows[name].dtype.names:
            yield from _records(rows[name])


def _references(rows: State) -> tuple[References, References]:
    """What refers to parameter sets (``set``) and to fences (``fence``, ``..._fence``); zeros refer to nothing."""
    sets: References = []
    fences: References = []
    for record in _records(rows):
        touched: Bool = np.asarray(record != np.zeros((), record.dtype))
        for name in record.dtype.names or ():
            if name == "set":
                sets.append((record[name], touched))
            elif name == "fence" or name.endswith("_fence"):
                fences.append((record[name], np.logical_and(touched, record[name] != -1)))
    return sets, fences


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


def _table(engine: Engine, name: str, at: Int64) -> Table:
    """One table of the vehicles in these rows of an engine."""
    table = engine.states[name]
    rows: State = _bytes(table)[at].view(table.dtype)[:, 0]
    sets, fences = _references(rows)
    used, inside = _referred(sets), _referred(fences)
    _renumber(sets, used, np.arange(len(used)))
    _renumber(fences, inside, np.arange(len(inside)))
    return Table(
        engine.versions[name],
        _layout(rows.dtype),
        rows.tobytes(),
        _set_layout(engine, name),
        engine.parameters[name].sets[used].tobytes() if name in engine.parameters else b"",
        tuple(engine.registry.fences[fence].id for fence in inside),
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


def _rows(engine: Engine, name: str, table: Table, vehicles: int) -> State:
    """Rows of a table that fits, all their references checked."""
    dtype = engine.states[name].dtype
    if len(table.rows) != vehicles * dtype.itemsize:
        raise ValueError(f"{name}: {len(table.rows)} bytes are not {vehicles} rows of {dtype.itemsize}")
    rows: State = np.frombuffer(bytearray(table.rows), dtype)
    sets, fences = _references(rows)
    size = engine.parameters[name].sets.dtype.itemsize if name in engine.parameters else 1
    if len(table.sets) % size:
        raise ValueError(f"{name}: {len(table.sets)} bytes are no parameter sets of {size}")
    for references, known in ((sets, len(table.sets) // size), (fences, len(table.fences))):
        numbers = _referred(references)
        if len(numbers) and not 0 <= numbers[0] <= numbers[-1] < known:
            raise ValueError(f"{name}: a reference to number {numbers[0]} or {numbers[-1]} of {known}")
    return rows


def _fence_numbers(engine: Engine, ids: Sequence[str]) -> list[int]:
    """Index of fences by id; one that is gone is kept by its id, of a kind that no rule asks for."""
    fences = engine.registry.fences
    known = {fence.id: at for at, fence in reversed(list(enumerate(fences)))}
    for fence in ids:
        if fence not in known:
            known[fence] = len(fences)
            fences.append(Fence(fence, "", "gone", math.nan, "", 0, 0, None))
    return [known[fence] for fence in ids]


def unpack(engine: Engine, rows: Int64, packed: Packed) -> frozenset[str]:
    """Put state into an engine.

    Parameter sets that its registry does not make are kept beside its own, so that a run goes on under the
    parameters of its first fix; of fences that its registry does not have the id is kept.

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
    for name, state in restored.items():
        sets, fences = _references(state)
        if sets:
            parameters = engine.parameters[name]
            kept = [parameters.keep(one) for one in np.frombuffer(fitting[name].sets, parameters.sets.dtype)]
            _renumber(sets, np.arange(len(kept)), kept)
        if fences:
            numbers = _fence_numbers(engine, fitting[name].fences)
            _renumber(fences, np.arange(len(numbers)), numbers)
        _bytes(engine.states[name])[rows] = _bytes(state)
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
    if packed.format != FORMAT or packed.vehicles < 0:
        raise ValueError(f"no packed state of format {FORMAT}: format {packed.format}, {packed.vehicles} vehicles")
    return packed
