"""Wiring: what commands are made of, from their settings."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from api.pauses import Pauses
from ingest.log import LogError
from ingest.table import RegistryError
from ledger.database import DatabaseError, check_writable, connect
from ledger.embedded import EmbeddedError, join, leave
from ledger.migrate import check_version
from ledger.tablelog import TableLog


@contextmanager
def reached(database: str, data: Path) -> Iterator[str]:
    """URL of the database that is meant; the embedded one runs meanwhile.

    Raises
    ------
    EmbeddedError
        It cannot be started.
    """
    if database:
        yield database
        return
    url = join(data)
    try:
        yield url
    finally:
        leave(data)


@contextmanager
def opened(url: str, patience_s: float = 0.0) -> Iterator[TableLog]:
    """The log of a migrated, writable database.

    Parameters
    ----------
    patience_s : float
        How long a database that is out of reach is waited for [s].

    Raises
    ------
    DatabaseError
        The database is out of reach, not migrated, or read-only.
    """
    pauses = Pauses(patience_s)
    while True:
        try:
            with connect(url) as connection:
                check_version(connection)
                check_writable(connection)
            log = TableLog(url)
            break
        except DatabaseError as error:
            pauses.bear(error)
    try:
        yield log
    finally:
        log.close()


@contextmanager
def told(notes: Console) -> Iterator[None]:
    """What goes wrong outside this program is told in one line; the exit code is then 1."""
    try:
        yield
    except (EmbeddedError, DatabaseError, LogError, RegistryError) as error:
        notes.print(str(error), style="red", soft_wrap=True, markup=False)
        sys.exit(1)
