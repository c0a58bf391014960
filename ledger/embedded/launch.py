"""Start a server and see it ready; stop it and see it gone. Whoever calls holds the door."""

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from ledger.embedded import cluster, locks
from ledger.embedded.account import account_for
from ledger.embedded.binaries import major
from ledger.embedded.errors import EmbeddedError
from ledger.embedded.live import Live, forget_dead, look
from ledger.embedded.places import Places, make_private

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "max_connections": "100",
        "shared_buffers": "256MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "synchronous_commit": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "on",
        "log_filename": "%a.log",  # one a weekday; last week's is overwritten
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
    }
)
"""Settings of a server for positions; those of the caller come on top."""
READY_S = 300.0
"""How long a server may recover from a crash before it is ready [s]."""
STOP_S = 120.0
"""How long a server may write down what it holds before it is gone [s]."""
REMAINS_S = 30.0
"""How long the children of a killed server may outlive it [s]."""
LAST_LINES = 12


def launch(places: Places, binaries: Path, settings: Mapping[str, str], *, sync: bool) -> Live:
    """Start a server on a folder on which none lives.

    Parameters
    ----------
    places : Places
        The data folder.
    binaries : Path
        Folder of the programs of PostgreSQL.
    settings : mapping of str to str
        On top of `SETTINGS`.
    sync : bool
        Whether a new cluster is forced to disk before it counts as made.

    Returns
    -------
    Live
        A server that accepts connections.

    Raises
    ------
    EmbeddedError
        If it cannot be started; with its last words, where it had any.
    """
    version, account = major(binaries), account_for(places.root)
    cluster.ensure(places, binaries, version, account, sync=sync)
    make_private(places.log, account.uid)
    make_private(places.socket_folder(), account.uid)
    alive = locks.take(places.alive, fcntl.LOCK_EX, wait_s=REMAINS_S)
    if alive is None:
        raise EmbeddedError(f"a server still lives on {places.root}, maybe in another container: stop it there")
    command = [str(binaries / "postgres"), "-D", str(places.cluster), *_options(places, settings)]
    try:
        forget_dead(places)
        with (places.log / "start.log").open("wb") as log:
            process = account.spawn(command, log=log, keep=alive)
    finally:
        os.close(alive)
    try:
        live = until_ready(places, process.pid, process)
    finally:
        threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie when it ends
    if live is None:
        raise EmbeddedError(f"PostgreSQL ended while it started; its last words:\n{_last_words(places)}")
    return live


def _options(places: Places, settings: Mapping[str, str]) -> list[str]:
    """Settings as a command line; what keeps the server private comes last and wins."""
    socket = str(places.socket_folder()).replace('"', '""')
    private = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{socket}"',
        "unix_socket_permissions": "0700",
        "log_directory": str(places.log),
    }
    chosen = {**SETTINGS, **settings, **private}
    return [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]


def until_ready(places: Places, pid: int, process: subprocess.Popen[bytes] | None = None) -> Live | None:
    """Wait until a server accepts connections, or is gone.

    Parameters
    ----------
    places : Places
        Its data folder.
    pid : int
        Its process.
    process : Popen, optional
        The same, if it is our child; it is on no paper yet.

    Returns
    -------
    Live or None
        The server; None if it ended.

    Raises
    ------
    EmbeddedError
        If it takes longer than `READY_S`.
    """
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        live = look(places)
        if live is not None and live.pid == pid and live.ready and live.answers():
            return live
        if (live is None) if process is None else (process.poll() is not None):
            return None
        time.sleep(locks.STEP_S)
    raise EmbeddedError(
        f"PostgreSQL, pid {pid}, is not ready after {READY_S:.0f} s and goes on, maybe recovering: try again later; "
        f"its last words:\n{_last_words(places)}"
    )


def _last_words(places: Places) -> str:
    """End of the newest log."""
    newest = max(places.log.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return "\n".join(newest.read_text(errors="replace").splitlines()[-LAST_LINES:])


def end(places: Places) -> None:
    """Stop the server of a folder, if there is one, and wait until nothing of it is left.

    Raises
    ------
    EmbeddedError
        If it takes longer than `STOP_S`, or is another user's.
    """
    live = look(places)
    if live is None:
        return
    try:
        os.kill(live.pid, signal.SIGINT)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise EmbeddedError(f"the server, pid {live.pid}, is another user's: stop it as its owner") from error
    until = time.monotonic() + STOP_S
    while look(places) is not None and time.monotonic() < until:
        time.sleep(locks.STEP_S)
    rest = locks.take(places.alive, fcntl.LOCK_EX, wait_s=max(0.0, until - time.monotonic()))
    if rest is None:
        raise EmbeddedError(f"the server, pid {live.pid}, still writes to disk after {STOP_S:.0f} s: try again later")
    os.close(rest)
    if live.socket.parent != places.root:
        with suppress(OSError):
            live.socket.rmdir()
