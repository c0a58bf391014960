"""Tail: fixes as they become durable, read by their place in the log; for the map, never for verdicts."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from ingest.gate import Verdict
from ingest.registry import Vehicle
from ledger.database import in_words, query
from ledger.fixes import CHUNK_FIXES, FIXES

BACK_MS = 86_400_000
"""Gateways' clocks may differ by so much: bounds how far back a partition of the table is looked into [ms]."""

AHEAD_MS = 300_000
"""A fix from further ahead is a clock that lies [ms]."""


class Tail:
    """Follows the table of fixes.

    Parameters
    ----------
    connection : psycopg.Connection
        In autocommit mode.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._read: dict[int, tuple[int, int]] = {}  # partition to place behind the last fix: offset, newest logged_ms

    def begin(self, now_ms: int) -> NDArray[np.void]:
        """Last accepted fix of every vehicle in the day before; what follows them is for `poll`.

        Raises
        ------
        DatabaseError
        """
        with in_words(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self._read = {partition: (offset, now_ms) for partition, offset in self._heads()}
            return self._copied("inner/live_last", (now_ms - BACK_MS, now_ms + AHEAD_MS))

    def poll(self, now_ms: int) -> Iterator[NDArray[np.void]]:
        """Accepted fixes that have become durable since, in chunks, each partition in its order.

        Raises
        ------
        DatabaseError
        """
        with in_words():
            heads = self._heads()
        for partition, head in heads:
            offset, logged_ms = self._read.get(partition, (0, now_ms))
            row = -1
            while offset < head:
                with in_words():
                    place = (partition, logged_ms - BACK_MS, head, offset, row, CHUNK_FIXES)
                    rows = self._copied("inner/fixes_read", place)
                if len(rows):
                    logged_ms = max(logged_ms, int(rows["logged_ms"].max()))
                    yield rows[(rows["verdict"] == Verdict.ACCEPTED) & (rows["time_ms"] <= now_ms + AHEAD_MS)]
                if len(rows) < CHUNK_FIXES:
                    break
                offset, row = int(rows["log_offset"][-1]), int(rows["log_row"][-1])
            self._read[partition] = (head, logged_ms)

    def open_severities(self) -> list[tuple[int, int]]:
        """Vehicle and severity of its gravest open violation."""
        with in_words():
            return self._connection.execute(query("inner/live_open")).fetchall()

    def vehicles(self, after: int) -> list[tuple[int, Vehicle]]:
        """Vehicles with numbers above one, by number."""
        with in_words():
            found = self._connection.execute(query("inner/live_vehicles"), {"after": after})
            return [(number, Vehicle(plate, color)) for number, plate, color in found]

    def _heads(self) -> list[tuple[int, int]]:
        return self._connection.execute(query("inner/live_heads")).fetchall()

    def _copied(self, name: str, parameters: tuple[Any, ...]) -> NDArray[np.void]:
        with self._connection.cursor() as cursor, cursor.copy(query(name), parameters) as source:
            content = b"".join(bytes(part) for part in source)
        return FIXES.parse(content)


def feed_number(connection: psycopg.Connection) -> int:
    """Last number of the feed.

    Raises
    ------
    DatabaseError
    """
    with in_words():
        row = connection.execute("SELECT number FROM feed_head").fetchone()
    return int(row[0]) if row else 0
