"""Pool: connections for those who come and go: each is good, bounded in time, and given back."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from ledger.database import DatabaseError, in_words

MOST = 10
"""Connections of one process."""

STATEMENT_S = 20
"""How long one statement may take [s]."""


class Pool:
    """Connections to one database, opened as they are needed.

    Parameters
    ----------
    url : str
        ``postgresql://…``
    wait_s : float
        How long a connection is waited for [s].
    """

    def __init__(self, url: str, *, wait_s: float, most: int = MOST) -> None:
        self._pool = ConnectionPool(
            url,
            open=False,
            min_size=1,
            max_size=most,
            timeout=wait_s,
            max_idle=300,
            reconnect_timeout=5,
            configure=_prepare,
            check=ConnectionPool.check_connection,
            kwargs={
                "autocommit": True,
                "prepare_threshold": None,
                "connect_timeout": 5,
                "application_name": "warnloop",
            },
            name="warnloop",
        )

    def open(self) -> None:
        """Begin; a database that is out of reach is no error yet."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """End all connections."""
        self._pool.close(timeout=5.0)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection for the length of a block, autocommitting.

        Raises
        ------
        DatabaseError
            None is to be had, or what is done with it fails.
        """
        try:
            with in_words(), self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, PoolClosed) as error:
            raise DatabaseError(
                "数据库繁忙或无法连接 the database is busy or out of reach: try again later", passing=True
            ) from error


def _prepare(connection: psycopg.Connection) -> None:
    """Bound what a connection may do; every plan is made for its values, so that bounds by tenant use their index."""
    bounds = {"statement_timeout": f"{STATEMENT_S}s", "lock_timeout": "10s", "TimeZone": "UTC"}
    bounds |= {"idle_in_transaction_session_timeout": "20s", "jit": "off"}
    for setting, value in bounds.items():
        connection.execute("SELECT set_config(%s, %s, false)", (setting, value))


def server_version(connection: psycopg.Connection) -> str:
    """Version of the server, such as 18.1."""
    major, minor = divmod(connection.info.server_version, 10_000)
    return f"{major}.{minor}"
