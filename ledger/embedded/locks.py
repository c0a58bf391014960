"""Locks on files: they end with the process that holds them, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.embedded.errors import EmbeddedError

STEP_S = 0.01


def take(path: Path, how: int, *, wait_s: float) -> int | None:
    """Lock a file.

    Parameters
    ----------
    path : Path
        Made if need be.
    how : int
        ``LOCK_EX`` or ``LOCK_SH``.
    wait_s : float
        How long to try [s].

    Returns
    -------
    int or None
        File descriptor that holds the lock until it is closed; None if others held it all the time.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(file)
                return None
            time.sleep(STEP_S)
        else:
            return file


@contextmanager
def held(path: Path, *, wait_s: float) -> Iterator[None]:
    """Hold a file's lock alone for the length of a block.

    Raises
    ------
    EmbeddedError
        If another process keeps it.
    """
    file = take(path, fcntl.LOCK_EX, wait_s=wait_s)
    if file is None:
        raise EmbeddedError(f"another process has been starting or stopping this server for {wait_s:.0f} s: see {path}")
    try:
        yield
    finally:
        os.close(file)
