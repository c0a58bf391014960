"""Children: the processes of ``warnloop run``; they are started, watched, started again, stopped in order."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MOST_STARTS, WITHIN_S = 5, 60.0
"""A child that ends more often than this in so many seconds is given up."""

STOP_S = 20.0
"""How long a child may take to end in order [s]."""

LOG_BYTES = 10 << 20
"""A log larger than this makes room for a new one when its child starts [B]."""

_PR_SET_PDEATHSIG = 1


class GivenUpError(Exception):
    """A child does not stay alive; the message says which, and what it said last."""


def _die_with_parent() -> None:
    """Let the kernel end this process, in order, when its parent is gone, however that ended."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Child:
    """One process.

    Attributes
    ----------
    name : str
        The command of ``warnloop`` that it runs.
    options : tuple of str
        What follows it.
    log : Path
        Takes both of its outputs.
    environment : mapping
        Settings on top of our own; secrets go here, a command line can be read by everybody.
    """

    name: str
    options: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it."""
        self.starts.append(time.monotonic())
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-P", "-m", "api.cli", self.name, *self.options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
                start_new_session=True,  # Ctrl-C is for us alone; we stop them in order
                preexec_fn=_die_with_parent,
            )

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def last_words(self, lines: int = 5) -> str:
        """End of its log."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 4096))
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.process is not None and self.is_alive:
            self.process.send_signal(number)


class Children:
    """All of them, in the order in which they are started.

    Parameters
    ----------
    told : callable
        Told in a line what happens.
    """

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._children: list[Child] = []

    def add(self, child: Child) -> None:
        """Start one more."""
        self._children.append(child)
        child.start()

    def watch(self) -> None:
        """Start those again that have ended.

        Raises
        ------
        GivenUpError
            One ends again and again.
        """
        for child in self._children:
            if child.is_alive:
                continue
            code = child.process.returncode if child.process else None
            now = time.monotonic()
            child.starts = [at for at in child.starts if now - at < WITHIN_S]
            if len(child.starts) >= MOST_STARTS:
                words = f"{child.name} 反复退出 ends again and again (exit code {code}):"
                raise GivenUpError(f"{words}\n{child.last_words()}")
            self._told(f"{child.name} 已退出，正在重启 ended with exit code {code}, starting it again: {child.log}")
            child.start()

    def stop(self) -> None:
        """Stop all: those first that take things in, each in order; what does not end is killed."""
        for child in self._children:
            child.signal(signal.SIGTERM)
        until = time.monotonic() + STOP_S
        for child in self._children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._told(f"{child.name} 未能按时退出，强制结束 did not end in time and was killed")
                child.process.kill()
                child.process.wait()
