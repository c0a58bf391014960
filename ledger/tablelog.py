"""The embedded log: frames as rows of the database, for a centre that runs no broker.

Offsets are given out under the row lock of the partition's head, which is held until commit: frames
become visible in the order of their offsets, so that a reader misses none.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import LiteralString, Self

import psycopg
from psycopg import errors

from ingest.log import MOST_FRAME_BYTES, Frame, LogError, NewFrame
from ledger.database import GROUP_LOCK, MEMBER_LOCK, DatabaseError, connect, explain, in_words, query

PARTITIONS = 8
"""Partitions of a new log, unless told otherwise."""

MOST_HELD_BYTES = 8 << 30
"""Frames that a partition may hold; beyond it appending is refused until readers have come further [B]."""

_POLL_FRAMES, _POLL_BYTES = 512, 4 << 20
"""Most that one poll takes from one partition."""

_PAUSE_S = 2
"""After how long the database ends a transaction whose process has stopped: others wait for its locks [s]."""

_CHANNEL = "warnloop_log"


@contextmanager
def _as_log_error() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        trouble = explain(error)
        passing = trouble.passing or isinstance(error, errors.IdleInTransactionSessionTimeout)
        raise LogError(str(trouble), passing=passing) from error
    except DatabaseError as error:
        raise LogError(str(error), passing=error.passing) from error


def _connect(url: str, *commands: LiteralString) -> psycopg.Connection:
    connection = connect(url)
    try:
        for command in (f"SET idle_in_transaction_session_timeout = '{_PAUSE_S}s'", *commands):
            connection.execute(command)
    except BaseException:
        connection.close()
        raise
    return connection


class TableLog:
    """A log in the tables ``log_*``.

    Parameters
    ----------
    url : str
        Database, migrated.
    most_held_bytes : int
        See ``MOST_HELD_BYTES``.
    patience_s : float
        After how long a reader that does nothing is taken for dead, though its session stands [s].
    beat_s : float
        How often a reader says that it lives, and partitions may move [s].

    Raises
    ------
    DatabaseError
        The database is out of reach.
    """

    def __init__(
        self, url: str, *, most_held_bytes: int = MOST_HELD_BYTES, patience_s: float = 30.0, beat_s: float = 1.0
    ) -> None:
        self.url, self.patience_s, self.beat_s = url, patience_s, beat_s
        self.most_held_bytes = most_held_bytes
        self._connection: psycopg.Connection | None = None
        self._appending = threading.Lock()
        with connect(url) as connection, in_words():
            found = connection.execute("SELECT count(*) FROM log_partitions").fetchone()
        assert found is not None  # noqa: S101 - count(*) always answers
        self._partitions = int(found[0])

    @staticmethod
    def create(url: str, partitions: int = PARTITIONS) -> None:
        """Make the log's partitions, unless it has some: their number is fixed for its life."""
        with connect(url) as connection, in_words():
            connection.execute(query("inner/log_create"), {"partitions": partitions})

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return self._partitions

    def append(self, frames: Sequence[NewFrame]) -> None:
        """Add frames in one transaction; durable when it returns."""
        by_partition: dict[int, list[NewFrame]] = {}
        for frame in frames:
            if not 0 <= frame.partition < self._partitions:
                raise ValueError(f"the log has partitions 0 to {self._partitions - 1}, not {frame.partition}")
            if len(frame.content) > MOST_FRAME_BYTES:
                raise ValueError(f"a frame holds at most {MOST_FRAME_BYTES} bytes, not {len(frame.content)}")
            by_partition.setdefault(frame.partition, []).append(frame)
        with self._appending, _as_log_error():
            if self._connection is None or self._connection.closed:
                self._connection = _connect(self.url)
            with self._connection.transaction():
                for partition, own in sorted(by_partition.items()):
                    self._append(self._connection, partition, own)

    def _append(self, connection: psycopg.Connection, partition: int, frames: Sequence[NewFrame]) -> None:
        done = connection.execute(
            query("inner/log_append"),
            {
                "partition": partition,
                "forms": [frame.form for frame in frames],
                "received_ms": [frame.received_ms for frame in frames],
                "contents": [frame.content for frame in frames],
                "count": len(frames),
                "bytes": sum(len(frame.content) for frame in frames),
                "most_bytes": self.most_held_bytes,
            },
        )
        if done.rowcount != len(frames):
            raise LogError(
                f"日志分区已满 partition {partition} of the log is full ({self.most_held_bytes} bytes are waiting): "
                "is `warnloop detect` running?",
                passing=True,
            )
        connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, str(partition)))

    def reader(self) -> "TableLogReader":
        """Join those who read the log."""
        with _as_log_error():
            return TableLogReader(self.url, self.patience_s, self.beat_s)

    def close(self) -> None:
        """Close the connection that appends."""
        with self._appending:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class TableLogReader:
    """One of those who share the partitions of a `TableLog`.

    It is alive while its session holds an advisory lock and it polls now and then.
    """

    def __init__(self, url: str, patience_s: float, beat_s: float) -> None:
        self.url, self.patience_s, self.beat_s = url, patience_s, beat_s
        self._left = False
        self.assigned: frozenset[int]
        self._next: dict[int, int]
        self._lose_all()
        self._connection = _connect(url, f"LISTEN {_CHANNEL}")

    def seek(self, partition: int, offset: int) -> None:
        """Deliver an assigned partition from this offset on."""
        if partition not in self.assigned:
            raise ValueError(f"partition {partition} is not assigned to this reader")
        self._check({partition: offset})
        self._next[partition] = offset

    def poll(self, timeout_s: float) -> list[Frame]:
        """Frames that follow; returns early when partitions have moved.

        Who finds its session cut has lost everything, and enters anew at the next call.
        """
        deadline, before = time.monotonic() + timeout_s, self.assigned
        try:
            with self._in_words():
                if self._connection.closed:
                    self._lose_all()
                    self._connection = _connect(self.url, f"LISTEN {_CHANNEL}")
                while True:
                    if self.assigned == before and time.monotonic() - self._beaten_at >= self.beat_s:
                        self._beat()
                        self._check(self._next)
                    frames = self._read()
                    left = deadline - time.monotonic()
                    if frames or self.assigned != before or left <= 0:
                        return frames
                    self._wait(max(0.0, min(left, self._beaten_at + self.beat_s - time.monotonic())))
        finally:
            if self._connection.closed:
                self._lose_all()

    def ends(self) -> Mapping[int, int]:
        """Offset behind the last frame of each assigned partition."""
        return {partition: end for partition, (_, end) in self._heads(list(self.assigned)).items()}

    def trim(self, partition: int, offset: int) -> None:
        """Drop the frames before an offset."""
        with self._in_words():
            self._connection.execute(query("inner/log_trim"), {"partition": partition, "offset": offset})

    def close(self) -> None:
        """Leave; a session that is cut leaves as well."""
        self._left, self.assigned = True, frozenset()
        if not self._connection.closed:
            with suppress(psycopg.Error):
                self._connection.execute("DELETE FROM log_members WHERE member = %s", (self._member,))
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lose_all(self) -> None:
        self.assigned, self._next = frozenset(), {}
        self._member, self._beaten_at = -1, -self.beat_s

    def _wait(self, timeout_s: float) -> None:
        for _ in self._connection.notifies(timeout=timeout_s, stop_after=1):
            pass

    def _check(self, wanted: Mapping[int, int]) -> None:
        """Refuse offsets whose frames are not there, or that are none."""
        heads = self._heads(list(wanted)) if wanted else {}
        for partition, offset in wanted.items():
            first, end = heads[partition]
            if not first <= offset <= end:
                raise LogError(
                    f"日志缺帧 partition {partition} of the log holds frames {first} to {end}, wanted from {offset}: "
                    "restore log and ledger from one backup",
                    passing=False,
                )

    def _heads(self, partitions: list[int]) -> dict[int, tuple[int, int]]:
        with self._in_words():
            rows = self._connection.execute(query("inner/log_heads"), {"partitions": partitions}).fetchall()
        return {partition: (first, end) for partition, first, end in rows}

    def _beat(self) -> None:
        """Say that this reader lives, bury the dead, take and give back partitions.

        Who finds itself buried has lost everything and enters anew at its next beat: between the two
        it has no partitions, so that nobody takes one that was lost and won again for one that stayed.
        """
        self._beaten_at = time.monotonic()
        self._wait(0)  # who always finds frames never waits otherwise: notices would pile up
        connection, lost = self._connection, False
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (GROUP_LOCK,))
            if self._member < 0:
                row = connection.execute("INSERT INTO log_members DEFAULT VALUES RETURNING member").fetchone()
                self._member = int(row[0]) if row else -1
                connection.execute("SELECT pg_advisory_lock(%s, %s)", (MEMBER_LOCK, self._member % (1 << 31)))
            else:
                lost = connection.execute(query("inner/log_beat"), {"member": self._member}).fetchone() is None
            if lost:
                mine: list[tuple[int]] = []
            else:
                buried = {"member": self._member, "patience_s": self.patience_s, "lock": MEMBER_LOCK}
                connection.execute(query("inner/log_bury"), buried)
                mine = connection.execute(query("inner/log_share"), {"member": self._member}).fetchall()
        if lost:
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", (MEMBER_LOCK, self._member % (1 << 31)))
            self._member = -1
        self.assigned = frozenset(partition for (partition,) in mine)
        self._next = {partition: offset for partition, offset in self._next.items() if partition in self.assigned}

    def _read(self) -> list[Frame]:
        if not self._next:
            return []
        rows = self._connection.execute(
            query("inner/log_read"),
            {
                "partitions": list(self._next),
                "offsets": list(self._next.values()),
                "most_frames": _POLL_FRAMES,
                "most_bytes": _POLL_BYTES,
            },
            binary=True,
        ).fetchall()
        frames = [Frame(partition, form, received, content, at) for partition, at, form, received, content in rows]
        following = dict(self._next)
        for frame in frames:
            if frame.offset != following[frame.partition]:
                raise LogError(
                    f"日志缺帧 partition {frame.partition} of the log lacks frame {following[frame.partition]}: "
                    "restore log and ledger from one backup",
                    passing=False,
                )
            following[frame.partition] += 1
        self._next = following
        return frames

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        if self._left:
            raise LogError("日志读者已关闭 this reader of the log was closed: open another one", passing=False)
        with _as_log_error():
            yield
