"""Implementations of the log, as the conformance suite drives them: open one, take it away, cut it off.

Another implementation joins by a class like `Table`, a line in ``OPENERS``, one in ``EACH`` and one in the fixture
``implementation``; neither the protocol nor a test changes for it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from ingest.log import Log, LogReader
from ledger.tablelog import TableLog, TableLogReader

PARTITIONS = 5
BEAT_S = 0.25


class Implementation(Protocol):
    """A fresh log of ``PARTITIONS`` partitions."""

    name: str
    address: str
    """What `open_log` in another process needs."""

    short_patience_s: float
    """The shortest patience with hung readers that can be asked for [s]."""
    release_s: float
    """Time in which partitions of a reader that left or died are others' [s]."""
    settle_s: float
    """Time in which partitions have moved, whatever happened before [s]."""
    far: str
    """What trouble says is out of reach."""
    wake_s: float
    """Time in which a frame wakes a reader that waits [s]."""
    most_poll_frames: int
    most_poll_bytes: int
    """Most that a poll delivers for each partition that is read."""

    def open(self, *, patience_s: float = 30.0, hurried: bool = True) -> Log:
        """Another user of the log; a hurried one lets partitions move more often, where that can be set."""

    def open_small(self, most_held_bytes: int) -> Log | None:
        """A user for whom a partition that holds so many bytes is full; none where a log has no such bound."""

    def cut(self, who: Log | LogReader) -> None:
        """Cut the connection of one user or reader, which does not know yet."""

    def outage(self) -> AbstractContextManager[None]:
        """Have the log out of everybody's reach."""

    def check(self) -> None:
        """Look into what is stored, after a test."""


def backend(who: Log | LogReader) -> int:
    """Process of the database that serves a user of a table log."""
    assert isinstance(who, TableLog | TableLogReader)
    connection = who._connection
    assert connection is not None
    return connection.info.backend_pid


@dataclass
class Table:
    """The embedded log."""

    address: str
    name: str = "table"
    short_patience_s: float = 1.0
    release_s: float = 2.5
    settle_s: float = 5.0
    far: str = "database"
    wake_s: float = 0.25
    most_poll_frames: int = 512
    most_poll_bytes: int = 5 << 20

    def __post_init__(self) -> None:
        TableLog.create(self.address, PARTITIONS)

    def open(self, *, patience_s: float = 30.0, hurried: bool = True) -> TableLog:
        if hurried:
            return TableLog(self.address, patience_s=patience_s, beat_s=BEAT_S)
        return TableLog(self.address, patience_s=patience_s)

    def open_small(self, most_held_bytes: int) -> TableLog:
        return TableLog(self.address, most_held_bytes=most_held_bytes, beat_s=BEAT_S)

    def cut(self, who: Log | LogReader) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            assert connection.execute("SELECT pg_terminate_backend(%s, 5000)", (backend(who),)).fetchone() == (True,)

    @contextmanager
    def outage(self) -> Iterator[None]:
        url = urlsplit(self.address)
        name = url.path.removeprefix("/")
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with psycopg.connect(url._replace(path="/postgres").geturl(), autocommit=True) as connection:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            try:
                yield
            finally:
                connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))

    def check(self) -> None:
        with psycopg.connect(self.address) as connection:
            wrong = connection.execute("""
                SELECT head.*, stored.*
                FROM log_partitions AS head
                CROSS JOIN LATERAL (
                    SELECT count(*), coalesce(sum(octet_length(content)), 0) AS bytes, min(frame_offset) AS lowest,
                           max(frame_offset) AS highest
                    FROM log_frames WHERE log_frames.partition = head.partition
                ) AS stored
                WHERE count <> next_offset - first_offset OR bytes <> held_bytes
                   OR (count > 0 AND (lowest <> first_offset OR highest <> next_offset - 1))
            """).fetchall()
        assert wrong == []


def open_log(name: str, address: str, patience_s: float) -> Log:
    """Open a log whose implementation is known by name, in whatever process."""
    return OPENERS[name](address, patience_s)


OPENERS: dict[str, Callable[[str, float], Log]] = {
    "table": lambda address, patience_s: TableLog(address, patience_s=patience_s, beat_s=BEAT_S)
}
