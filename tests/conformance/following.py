"""Reading as the engine does: seek what is newly assigned to where the ledger is, go on from there."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.log import POSITIONS, Frame, Log, LogError, LogReader, NewFrame
from tests.conformance.implementations import PARTITIONS, Implementation
from tests.servers import KINDS

PROJECT = Path(__file__).parents[2]
ALL = frozenset(range(PARTITIONS))

EACH = pytest.mark.parametrize(("implementation", "server_kind"), [("table", kind) for kind in KINDS], indirect=True)
"""Marks the tests that every implementation must pass."""


def until(done: Callable[[], bool], within_s: float, state: Callable[[], object] = lambda: "") -> float:
    """Repeat until done; how long it took [s]. Too late is a failure."""
    begin = time.monotonic()
    while not done():
        assert time.monotonic() - begin < within_s, f"not within {within_s} s: {state()}"
    return time.monotonic() - begin


class Follower:
    """A reader that is watched.

    Parameters
    ----------
    log : Log
        To join.
    progress : dict
        Offset behind the last frame that somebody has dealt with, per partition: the ledger's fence, which
        followers of one log share.
    """

    def __init__(self, log: Log, progress: dict[int, int]) -> None:
        self.reader = log.reader()
        self.progress = progress
        self.frames: list[Frame] = []
        self.troubles: list[LogError] = []
        self._sought: set[int] = set()

    @property
    def assigned(self) -> frozenset[int]:
        return self.reader.assigned

    def poll(self, timeout_s: float = 0.02) -> list[Frame]:
        """Poll, and hold what came against the protocol."""
        held = self.assigned
        try:
            frames = self.reader.poll(timeout_s)
        except LogError as trouble:
            self._bear(trouble)
            frames = []
        assert [(frame.partition, frame.offset) for frame in frames] == sorted(
            (frame.partition, frame.offset) for frame in frames
        )
        self._sought &= self.assigned
        for frame in frames:
            assert frame.partition in self._sought, f"frame of partition {frame.partition}, not sought: {self}"
            assert frame.partition in held, f"frame of partition {frame.partition}, just assigned: {self}"
            assert frame.offset == self.progress.get(frame.partition, 0), f"frame {frame.offset}: {self}"
            self.progress[frame.partition] = frame.offset + 1
        self.frames.extend(frames)
        for partition in self.assigned - self._sought:
            try:
                self.reader.seek(partition, self.progress.get(partition, 0))
                self._sought.add(partition)
            except LogError as trouble:
                self._bear(trouble)
        return frames

    def _bear(self, trouble: LogError) -> None:
        assert trouble.passing, trouble
        self.troubles.append(trouble)

    def follow(self, ends: Mapping[int, int], within_s: float = 10.0) -> None:
        """Read until progress has come to ends."""
        follow([self], ends, within_s)

    def __repr__(self) -> str:
        return f"assigned {sorted(self.assigned)}, sought {sorted(self._sought)}, progress {self.progress}"


@contextmanager
def following(log: Log, readers: int = 1) -> Iterator[list[Follower]]:
    """Some followers of one log, without frames to follow yet."""
    progress: dict[int, int] = {}
    followers: list[Follower] = []
    try:
        followers.extend(Follower(log, progress) for _ in range(readers))
        yield followers
    finally:
        for follower in followers:
            follower.reader.close()


def disjoint(shares: Iterable[frozenset[int]]) -> bool:
    """Whether no two have a partition in common."""
    every = [partition for share in shares for partition in share]
    return len(every) == len(set(every))


def balanced(shares: Iterable[frozenset[int]]) -> bool:
    """Whether shares are disjoint, complete and within one of each other."""
    shares = list(shares)
    sizes = [len(share) for share in shares]
    return disjoint(shares) and frozenset().union(*shares) == ALL and max(sizes) - min(sizes) <= 1


def in_turns(followers: Iterable[Follower], timeout_s: float = 0.01) -> None:
    """Poll each once; nobody ever has what another one has."""
    followers = list(followers)
    for follower in followers:
        follower.poll(timeout_s)
        assert disjoint(one.assigned for one in followers), followers


def settle(followers: Iterable[Follower], within_s: float, others: Callable[[], list[frozenset[int]]] = list) -> float:
    """Poll in turns until the shares are balanced; how long it took [s]."""
    followers = list(followers)

    def done() -> bool:
        in_turns(followers)
        return balanced([*(follower.assigned for follower in followers), *others()])

    return until(done, within_s, lambda: (followers, others()))


def follow(followers: Iterable[Follower], ends: Mapping[int, int], within_s: float = 10.0) -> None:
    """Poll in turns until together they have come to ends."""
    followers = list(followers)

    def done() -> bool:
        in_turns(followers)
        return all(followers[0].progress.get(partition, 0) >= end for partition, end in ends.items())

    until(done, within_s, lambda: f"{followers} to {ends}")


def read_all(log: Log, starts: dict[int, int] | None = None, within_s: float = 20.0) -> dict[int, list[Frame]]:
    """All frames of a log that nobody else reads, per partition."""
    with following(log) as (follower,):
        follower.progress.update(starts or {})
        settle([follower], within_s)
        follower.follow(follower.reader.ends(), within_s)
        return {partition: [frame for frame in follower.frames if frame.partition == partition] for partition in ALL}


def poll_on(
    reader: LogReader, found: list[Frame] | None = None, seek: tuple[int, int] | None = None, within_s: float = 10.0
) -> None:
    """Read on and on, for a trouble that must come: now, or when frames are asked for."""
    found = [] if found is None else found
    if seek:
        reader.seek(*seek)
    begin = time.monotonic()
    while time.monotonic() - begin < within_s:
        found.extend(reader.poll(0.05))


def numbered(partition: int, numbers: range, size: int = 0) -> list[NewFrame]:
    """Frames that hold their numbers, so many bytes long at least."""
    return [NewFrame(partition, POSITIONS, number, f"{number}".encode().ljust(size)) for number in numbers]


def at(frame: NewFrame, offset: int) -> Frame:
    """A frame as a log gives it back."""
    return Frame(frame.partition, frame.form, frame.received_ms, frame.content, offset)


@contextmanager
def reading(log: Log) -> Iterator[LogReader]:
    """The only reader: it has all partitions, none is sought."""
    with log.reader() as reader:
        until(lambda: not reader.poll(0.1) and reader.assigned == ALL, 10)
        yield reader


def read(reader: LogReader, number: int, within_s: float = 10.0) -> list[Frame]:
    """So many frames; not one more."""
    frames: list[Frame] = []

    def enough() -> bool:
        frames.extend(reader.poll(0.05))
        return len(frames) >= number

    until(enough, within_s, lambda: f"{len(frames)} of {number} frames")
    assert len(frames) == number
    return frames


class Worker:
    """``worker.py`` in a process of its own, and what it has said."""

    def __init__(self, implementation: Implementation, patience_s: float, *arguments: str) -> None:
        module = [sys.executable, "-m", "tests.conformance.worker"]
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [*module, implementation.name, implementation.address, str(patience_s), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._ear = threading.Thread(target=self._listen)
        self._ear.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as spoken:
            for line in spoken:
                self.lines.append(line.rstrip("\n"))

    @property
    def assigned(self) -> frozenset[int]:
        """What a reader has said last."""
        last = self.lines[-1] if self.lines else ""
        return frozenset(int(number) for number in last.split(",") if number)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def running(self) -> bool:
        """Whether it has not come to an end."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it without a warning, hung or not."""
        self._process.kill()
        self._process.wait()
        self._ear.join()


@contextmanager
def working(*workers: Worker) -> Iterator[None]:
    """Kill workers at the end of a block."""
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
