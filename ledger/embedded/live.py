"""The server that lives on a data folder, if there is one."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.pq import PGconn, Ping

from ledger.embedded.locks import STEP_S
from ledger.embedded.places import SOCKET, Places

OTHERS = """
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
HANG_UP_S = 1.0
"""How long a client that has left may take to be gone [s]."""


@dataclass(frozen=True)
class Live:
    """A running server.

    Parameters
    ----------
    pid : int
        Its process.
    socket : Path
        Folder of its socket.
    ready : bool
        Whether it accepts connections already.
    """

    pid: int
    socket: Path
    ready: bool

    @property
    def url(self) -> str:
        """What libpq connects to."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.socket))}"

    def answers(self) -> bool:
        """Whether it really accepts connections: one that was killed is on paper for a moment more."""
        return PGconn.ping(self.url.encode()) == Ping.OK

    def has_clients(self) -> bool:
        """Whether anybody stays connected; also when nobody more can be.

        Who has just hung up is on the server's list for a moment more.
        """
        until = time.monotonic() + HANG_UP_S
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                while connection.execute(OTHERS).fetchone() != (0,):
                    if time.monotonic() >= until:
                        return True
                    time.sleep(STEP_S)
        except psycopg.OperationalError:
            return True
        return False


def look(places: Places) -> Live | None:
    """Find the server of a data folder.

    A number in a file proves nothing, as it may be another process's by now; that the process works in the cluster's
    folder does.
    """
    try:
        lines = places.pid_file.read_text().splitlines()
        pid = int(lines[0])
        if not os.path.samestat(Path(f"/proc/{pid}/cwd").stat(), places.cluster.stat()):
            return None
        if Path(f"/proc/{pid}/comm").read_text().strip() != "postgres":
            return None
    except (OSError, ValueError, IndexError):
        return None
    socket = Path(lines[4]) if len(lines) > 4 and lines[4] else places.socket_folder()
    return Live(pid, socket, ready=len(lines) > 7 and lines[7].strip() == "ready")


def forget_dead(places: Places) -> None:
    """Remove what a killed server left behind, whose number may belong to another process by now."""
    for path in (places.pid_file, places.socket_folder() / SOCKET, places.socket_folder() / f"{SOCKET}.lock"):
        path.unlink(missing_ok=True)
