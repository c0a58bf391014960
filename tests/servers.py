"""Real database servers for the tests: one of each kind a session, a fresh database a test.

As a program, ``python -m tests.servers FOLDER``, it waits for the end of its input and then clears the folder away.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from deploy.timescale.install import UnavailableError, install
from ledger.embedded import Embedded

PROJECT = Path(__file__).parents[1]
KINDS = ("postgres", "timescale")
SETTINGS = {"shared_buffers": "64MB", "max_wal_size": "1GB"}
TIMESCALE_SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "0",  # a worker would stay connected to the template
}


@cache
def timescale() -> Path | str:
    """Programs of the PostgreSQL with TimescaleDB, or why there are none."""
    try:
        return install()
    except UnavailableError as reason:
        return str(reason)


@contextmanager
def swept_folder() -> Iterator[Path]:
    """A temporary folder that goes with its servers when this process ends, even if it is killed."""
    folder = tempfile.mkdtemp(prefix="warnloop-")  # pytest's own would be too long for sockets
    command = [sys.executable, "-m", "tests.servers", folder]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    ) as sweeper:
        yield Path(folder)
    assert sweeper.returncode == 0


def sweep(folder: Path) -> None:
    """Stop the servers of a folder and remove it."""
    for data in folder.iterdir():
        Embedded(data).stop()
    shutil.rmtree(folder)


class Servers:
    """The servers of a session; each starts when it is first asked for, and whoever owns the folder stops it.

    Parameters
    ----------
    folder : Path
        Holds their data folders; a short path, because of their sockets.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._urls: dict[str, str] = {}
        self._templates: dict[str, str] = {}
        self._numbers = count(1)

    def url(self, kind: str) -> str:
        """URL of the ``postgres`` database of a kind of server.

        Raises
        ------
        UnavailableError
            If this kind cannot be had here.
        """
        if kind not in self._urls:
            self._urls[kind] = self.server(kind, self._folder / kind).start()
        return self._urls[kind]

    @staticmethod
    def server(kind: str, folder: Path) -> Embedded:
        """A server of a kind, not started, on a folder of its own."""
        if kind == "postgres":
            return Embedded(folder, settings=SETTINGS, sync=False)
        binaries = timescale()
        if isinstance(binaries, str):
            raise UnavailableError(binaries)
        return Embedded(folder, binaries=binaries, settings={**SETTINGS, **TIMESCALE_SETTINGS}, sync=False)

    @contextmanager
    def database(self, kind: str, *, template: str = "template1") -> Iterator[str]:
        """URL of a fresh database, for the length of a block."""
        name = self._create(kind, template)
        try:
            yield self._url_of(kind, name)
        finally:
            self._do(kind, "DROP DATABASE {} WITH (FORCE)", name)

    def migrated(self, kind: str) -> str:
        """Name of a migrated database that nobody can connect to, to make others from."""
        if kind not in self._templates:
            from ledger.migrate import migrate

            name = self._create(kind, "template1")
            migrate(self._url_of(kind, name))
            self._do(kind, "ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
            self._templates[kind] = name
        return self._templates[kind]

    def _url_of(self, kind: str, name: str) -> str:
        return urlsplit(self.url(kind))._replace(path=f"/{name}").geturl()

    def _create(self, kind: str, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        self._do(
            kind, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template
        )  # half the time of a logged copy
        return name

    def _do(self, kind: str, command: str, *names: str) -> None:
        with psycopg.connect(self.url(kind), autocommit=True) as connection:
            connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))


if __name__ == "__main__":
    sys.stdin.read()
    sweep(Path(sys.argv[1]))
