"""Workers in processes of their own, forked from one that has everything compiled, that die where they are told."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray

from api.metrics import Metrics
from api.pauses import Pauses
from api.worker import Settings, Worker
from ledger import database, tablelog
from ledger.copy import Layout
from ledger.database import DatabaseError
from ledger.tablelog import TableLog

STEPS = (
    "restore", "detect", "fence", "fixes", "quarantine", "violations", "warnings", "commit", "pack", "slabs",
    "checkpoint", "trim",
)  # fmt: skip
QUICK = Settings("", pace_s=0.0, checkpoint_s=0.05, tick_s=0.0, patience_s=60.0, drain=True)

Hook = Callable[[str], None]


def at(step: str, count: int, act: Callable[[], None]) -> Hook:
    """Hook that acts when a step has been done for the n-th time."""
    left = count

    def hook(name: str) -> None:
        nonlocal left
        left -= name == step
        if name == step and left == 0:
            act()

    return hook


def die() -> None:
    """Die as by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def freeze() -> None:
    """Stand still until somebody lets this process go on."""
    os.kill(os.getpid(), signal.SIGSTOP)


def freeze_in_copy() -> None:
    """From here on, stand still in the middle of the first COPY of fixes."""

    def half(
        self: Layout, cursor: psycopg.Cursor[Any], parts: Iterable[NDArray[np.void]], table: LiteralString = ""
    ) -> None:
        rows = np.concatenate(list(parts))
        with cursor.copy(self.into(table)) as target:
            target.write(b"PGCOPY\n\xff\r\n\x00" + bytes(8) + rows[: len(rows) // 2].tobytes() + bytes(9))
            freeze()

    Layout.copy = half  # type: ignore[method-assign]


def nothing(_: str) -> None:
    """Hook that lets a worker be."""


def work(
    url: str, hook: Hook = nothing, settings: Settings = QUICK, frames: int = 7, patience_s: float = 30.0
) -> Metrics:
    """Run a worker here, in small batches, until the log is drained."""
    tablelog._POLL_FRAMES = frames
    pauses = Pauses(patience_s)
    while True:
        try:
            log = TableLog(url, patience_s=patience_s, beat_s=0.1)
            break
        except DatabaseError as error:  # whoever cuts sessions may cut the very first
            pauses.bear(error)
    metrics = Metrics()
    try:
        Worker(log, replace(settings, database=url), metrics, hook).run()
    finally:
        log.close()
    return metrics


def fork(
    url: str,
    hook: Hook = nothing,
    settings: Settings = QUICK,
    frames: int = 7,
    patience_s: float = 30.0,
    prepare: Callable[[], None] = lambda: None,
) -> int:
    """Run a worker in a process of its own, which prepares itself first; returns its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        database._SESSION |= {"lock_timeout": "2s", "idle_in_transaction_session_timeout": "3s"}
        prepare()
        fenced = work(url, hook, settings, frames, patience_s).fenced
        os._exit(3 if fenced._value.get() else 0)
    except BaseException:  # noqa: BLE001 - a forked process ends here, whatever happens
        traceback.print_exc()
        os._exit(1)


def ended(pid: int) -> int:
    """Exit code of a worker, negative for the signal that killed it; 3 if it was fenced, and then did well."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
