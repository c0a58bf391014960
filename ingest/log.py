"""Log: what has arrived, in the order in which it counts; every transport looks like this to the engine.

A log has a fixed number of partitions. A partition is a sequence of frames with contiguous offsets
from 0. All fixes of a vehicle go to one partition, `partition_of` it, so that a vehicle's order is a
partition's order. What every implementation promises is held by ``tests/conformance``:

- *Durable*: when `Log.append` returns, the frames survive the death of any process. When it raises,
  each of them may or may not be there: the sender sends them again (at least once).
- *Contiguous*: a reader that has seen the frame at an offset has seen, or can read, all before it;
  no frame appears later at an offset that a reader has passed.
- *One reader a partition*: readers of one log share its partitions. `LogReader.assigned` changes
  inside `LogReader.poll` and nowhere else. A partition that is newly assigned delivers nothing until
  `LogReader.seek`, one that was lost delivers nothing more. A paused reader may believe for a while
  that it still has a partition: who writes must fence (see ``ledger/positions.py``).
- *Comes back by itself*: after a passing `LogError` the next call tries again. Who lost its place
  meanwhile, cut off or hung, first finds itself with nothing assigned, then takes part again: a
  partition that was lost and won again is never taken for one that stayed.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

MOST_FRAME_BYTES = 1 << 20
"""Longest content of a frame [B]; the usual bound of brokers."""

POSITIONS = "positions"
"""Form of frames that hold position records, NDJSON, one or many. ``positions:<profile>`` names a profile."""

CSV = "csv"
"""Form of frames that hold position records as CSV, a header first; ``csv:<profile>`` likewise."""

TICK = "tick"
"""Form of frames that hold nothing but a time, in digits [ms]: how far event time has come on its own.

Silence is measured against ticks, which replay like everything else.
"""

REGISTRY = "registry"
"""Form of frames from which on another version of the registry counts, in digits."""


@dataclass(frozen=True, slots=True)
class NewFrame:
    """A frame on its way into a log.

    Attributes
    ----------
    partition : int
        See `partition_of`.
    form : str
        ``POSITIONS``, ``CSV``, ``TICK`` or ``REGISTRY``.
    received_ms : int
        When the gateway had it [ms of the epoch].
    content : bytes
        At most ``MOST_FRAME_BYTES``.
    """

    partition: int
    form: str
    received_ms: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Frame(NewFrame):
    """A frame of a log, at its offset in its partition."""

    offset: int


class LogError(RuntimeError):
    """A log cannot take or give frames now; says why and what to do.

    Attributes
    ----------
    passing : bool
        Whether trying again later may help.
    """

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


class Log(Protocol):
    """Where frames are put and read."""

    @property
    def partitions(self) -> int:
        """How many there are; fixed for the life of a log."""

    def append(self, frames: Sequence[NewFrame]) -> None:
        """Add frames, in their order within each partition; durable when it returns.

        Threads may share a log for this; readers are not shared.

        Raises
        ------
        LogError
            The log is full, or out of reach.
        ValueError
            A frame is too long, or of no partition of this log; nothing was added.
        """

    def reader(self) -> "LogReader":
        """Join those who read the log, with the first `LogReader.poll`.

        Raises
        ------
        LogError
            The log is out of reach.
        """

    def close(self) -> None:
        """Let go of connections."""


class LogReader(Protocol):
    """One of those who share a log's partitions."""

    @property
    def assigned(self) -> frozenset[int]:
        """Partitions that are this reader's since the last `poll`."""

    def seek(self, partition: int, offset: int) -> None:
        """Deliver an assigned partition from this offset on.

        Raises
        ------
        LogError
            The log is out of reach, or it holds no such frames (not passing); the latter may come from
            the next `poll` instead.
        ValueError
            The partition is not assigned.
        """

    def poll(self, timeout_s: float) -> list[Frame]:
        """Frames that follow, by partition and offset; waits up to a time for the first.

        Bounded in number and bytes. Also keeps this reader counted among the living, and moves
        partitions between readers.

        Raises
        ------
        LogError
            The log is out of reach, or the frames asked for are trimmed (not passing); no partition
            has moved on by this call.
        """

    def ends(self) -> Mapping[int, int]:
        """Offset behind the last frame of each assigned partition, for lag."""

    def trim(self, partition: int, offset: int) -> None:
        """Tell that frames before an offset are not needed any more; they may go."""

    def close(self) -> None:
        """Leave: partitions are free for others at once."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def partition_of(plate: str, plate_color: int, partitions: int) -> int:
    """Partition of a vehicle: CRC-32 of plate (UTF-8) and colour, the same for every program and always."""
    return zlib.crc32(f"{plate}\x00{plate_color}".encode(errors="surrogatepass")) % partitions
