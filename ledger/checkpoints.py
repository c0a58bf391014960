"""Checkpoints: the state of a partition's vehicles as of an offset, in slabs, append-only.

A checkpoint is written in one transaction of its own, apart from the batches. To restore is to load
the newest one and to read the log again from its offset, with writes off up to the position.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from ingest.log import LogError
from ledger.effect import Step
from ledger.positions import FenceError, Position

KEPT = 2
"""Checkpoints of a partition that are kept: should the newest be unreadable, there is one before."""


@dataclass(frozen=True, slots=True)
class Slab:
    """Packed state of some vehicles, by their permanent numbers."""

    vehicles: list[int]
    content: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """State as of an offset, under the registry version that counts there."""

    next_offset: int
    registry_version: int
    slabs: list[Slab]


def write(connection: psycopg.Connection, partition: int, position: Position, slabs: Sequence[Slab], step: Step) -> int:
    """Keep the state of a partition as of a position.

    Returns
    -------
    int
        Offset of the oldest checkpoint kept: frames before it are not needed any more.
    """
    where = (partition, position.next_offset)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO checkpoints (partition, next_offset, registry_version) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            (*where, position.registry_version),
        )
        if cursor.rowcount:
            with cursor.copy(
                "COPY state_slabs (partition, next_offset, slab, vehicles, content) FROM STDIN (FORMAT binary)"
            ) as target:
                target.set_types(("int2", "int8", "int4", "int4[]", "bytea"))
                for number, slab in enumerate(slabs):
                    target.write_row((*where, number, slab.vehicles, slab.content))
            step("slabs")
            cursor.execute(
                "DELETE FROM checkpoints WHERE partition = %s AND next_offset < ("
                "SELECT min(next_offset) FROM (SELECT next_offset FROM checkpoints WHERE partition = %s "
                "ORDER BY next_offset DESC LIMIT %s) AS kept)",
                (partition, partition, KEPT),
            )
        oldest = cursor.execute(
            "SELECT min(next_offset) FROM checkpoints WHERE partition = %s", (partition,)
        ).fetchone()
    step("checkpoint")
    return int(oldest[0]) if oldest else 0


def offsets(connection: psycopg.Connection, partition: int) -> list[int]:
    """Offsets of the checkpoints of a partition, newest first."""
    rows = connection.execute(
        "SELECT next_offset FROM checkpoints WHERE partition = %s ORDER BY next_offset DESC", (partition,)
    )
    return [offset for (offset,) in rows]


def read(connection: psycopg.Connection, partition: int, offset: int) -> Checkpoint:
    """One checkpoint.

    Raises
    ------
    FenceError
        It has gone meanwhile: another worker has made newer ones.
    """
    rows = connection.execute(
        "SELECT vehicles, content FROM state_slabs WHERE (partition, next_offset) = (%s, %s) ORDER BY slab",
        (partition, offset),
        binary=True,
    ).fetchall()
    row = connection.execute(
        "SELECT registry_version FROM checkpoints WHERE (partition, next_offset) = (%s, %s)", (partition, offset)
    ).fetchone()
    if row is None:
        raise FenceError(f"checkpoint {offset} of partition {partition} has gone: another worker has it")
    return Checkpoint(offset, int(row[0]), [Slab(vehicles, content) for vehicles, content in rows])


@contextmanager
def unless_overtaken(connection: psycopg.Connection, newest: Mapping[int, int]) -> Iterator[None]:
    """Tell frames that the log lacks from frames that another worker has trimmed, while it is being read.

    Parameters
    ----------
    newest : mapping of int
        Partition to the offset of its newest checkpoint, as far as is known; 0 for none.

    Raises
    ------
    FenceError
        In place of a `LogError`, where another worker has made a newer one.
    """
    try:
        yield
    except LogError as error:
        for partition, offset in () if error.passing else newest.items():
            if max(offsets(connection, partition), default=0) != offset:
                raise FenceError(f"partition {partition} has a newer checkpoint: another worker has it") from error
        raise
