"""Positions: up to where the log has had its effect; the fence that keeps the effect exactly once.

A position moves in the transaction of what it stands for, from where its writer believed it to be.
A writer that has been overtaken (a worker that was paused while another took its partition) finds
that it has moved: its transaction is rolled back whole.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from ingest.batch import MISSING_MS


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition stands.

    Attributes
    ----------
    next_offset : int
        Of the first frame without effect.
    registry_version : int
        Version that counts for it; 0 where nobody is registered.
    tick_ms : int
        Latest tick before it [ms]; ``MISSING_MS`` for none.
    """

    next_offset: int = 0
    registry_version: int = 0
    tick_ms: int = MISSING_MS


class FenceError(RuntimeError):
    """Another writer has been here: what was to be written is not ours to write."""


def read(connection: psycopg.Connection, partition: int) -> Position:
    """Position of a partition; the beginning for one that never moved."""
    row = connection.execute(
        "SELECT next_offset, registry_version, tick_ms FROM positions WHERE partition = %s", (partition,)
    ).fetchone()
    return Position(*row) if row else Position()


def move(cursor: psycopg.Cursor[Any], partition: int, before: Position, after: Position) -> None:
    """Move a partition's position.

    Raises
    ------
    FenceError
        It is not where it was believed to be.
    """
    if before == Position():
        cursor.execute("INSERT INTO positions (partition) VALUES (%s) ON CONFLICT DO NOTHING", (partition,))
    cursor.execute(
        "UPDATE positions SET next_offset = %s, registry_version = %s, tick_ms = %s "
        "WHERE partition = %s AND next_offset = %s",
        (after.next_offset, after.registry_version, after.tick_ms, partition, before.next_offset),
    )
    if cursor.rowcount != 1:
        raise FenceError(f"partition {partition} is no longer at {before.next_offset}: another worker has it")
