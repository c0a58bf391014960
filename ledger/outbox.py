"""Outbox: what has happened and those concerned are owed; read, numbered and marked in one transaction.

The row of ``feed_head`` is locked meanwhile, so that numbers are contiguous and follow the order of commits.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from detectors.episodes import SUPERSEDED_BY
from ledger.database import in_words, query

ARRIVED, ROUTED = "warnloop_outbox", "warnloop_feed"
"""Channels of NOTIFY: something was put into the outbox; something of it was routed (with the last feed number)."""

Row = dict[str, Any]
"""An event with what is told of it, as ``queries/inner/outbox_unrouted.sql`` names its columns."""


@contextmanager
def unrouted(connection: psycopg.Connection, most: int) -> Iterator[tuple[psycopg.Cursor[Any], list[Row]]]:
    """Events that nobody has been told of yet, oldest first, and the cursor of the transaction that tells them.

    Nobody else has them until the block ends; with an error in it they stay as they were.

    Raises
    ------
    DatabaseError
    """
    with in_words():
        if not connection.execute("SELECT FROM outbox WHERE routed_at IS NULL LIMIT 1").rowcount:
            yield connection.cursor(), []
            return
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM feed_head FOR UPDATE")  # a statement of its own: the next one sees all before
            kinds, graver = list(SUPERSEDED_BY), list(SUPERSEDED_BY.values())
            with connection.cursor(row_factory=dict_row) as rows:
                rows.execute(query("inner/outbox_unrouted"), {"superseded": kinds, "graver": graver, "most": most})
                found = rows.fetchall()
            yield cursor, found


def routed(cursor: psycopg.Cursor[Any], ids: Sequence[UUID]) -> int:
    """Give events their feed numbers, in this order, and tell whoever listens; returns the last number."""
    row = cursor.execute(query("inner/outbox_routed"), {"ids": list(ids)}).fetchone()
    assert row is not None, "feed_head has its row"  # noqa: S101 - made by the migration
    cursor.execute("SELECT pg_notify(%s, %s)", (ROUTED, str(row[0])))
    return int(row[0])


def listen(connection: psycopg.Connection) -> None:
    """Let a connection hear of what arrives and of what was routed."""
    with in_words():
        for channel in (ARRIVED, ROUTED):
            connection.execute(f"LISTEN {channel}".encode())


def wait(connection: psycopg.Connection, timeout_s: float) -> bool:
    """Wait until something is heard; whether it was."""
    with in_words():
        return bool(list(connection.notifies(timeout=timeout_s, stop_after=1)))
