"""Database: connections that know what can go wrong, and say so.

Every error of the driver becomes a `DatabaseError` in words, which tells whether waiting may help.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

OLDEST_MAJOR = 17
"""Oldest PostgreSQL that is supported."""

MIGRATION_LOCK, GROUP_LOCK, MEMBER_LOCK = 0x77_6C_01, 0x77_6C_02, 0x77_6C_03
"""First numbers of this program's advisory locks."""


class DatabaseError(RuntimeError):
    """The database cannot do what is asked; says why and what to do.

    Attributes
    ----------
    passing : bool
        Whether trying again later may help.
    """

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


class _Words(NamedTuple):
    """What a class of the driver's errors, or a text in one, means."""

    kinds: tuple[type[psycopg.Error], ...]
    texts: tuple[str, ...]
    words: str
    passing: bool


_WORDS = (
    _Words(
        (errors.DiskFull,),
        ("No space left on device",),
        "数据库磁盘已满 the database's disk is full: free some space; nothing is lost meanwhile",
        passing=True,
    ),
    _Words(
        (errors.InvalidPassword, errors.InvalidAuthorizationSpecification),
        ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "role "),
        "数据库拒绝登录 the database refuses the user or the password: check WARNLOOP_DATABASE",
        passing=False,
    ),
    _Words(
        (errors.InvalidCatalogName,),
        ("does not exist",),
        "数据库不存在 there is no database of this name: create it, or check WARNLOOP_DATABASE",
        passing=False,
    ),
    _Words(
        (errors.InsufficientPrivilege,),
        (),
        "数据库权限不足 the database user may not do this: make it the owner of the schema",
        passing=False,
    ),
    _Words(
        (errors.ReadOnlySqlTransaction,),
        (),
        "数据库只读 the database takes no writes (a standby, or default_transaction_read_only): "
        "point WARNLOOP_DATABASE at the primary",
        passing=True,
    ),
    _Words(
        (errors.TooManyConnections,),
        ("too many clients",),
        "数据库连接已满 the database has no free connection: raise max_connections",
        passing=True,
    ),
    _Words(
        (errors.QueryCanceled, errors.IdleInTransactionSessionTimeout, errors.TransactionTimeout),
        (),
        "数据库或程序太慢 a statement or a pause within a transaction took too long and was given up",
        passing=True,
    ),
    _Words((errors.LockNotAvailable,), (), "数据库被锁 another session holds a lock for too long", passing=True),
    _Words(
        (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow),
        ("is starting up", "is shutting down", "is not yet accepting"),
        "数据库正在启停 the database is starting or stopping",
        passing=True,
    ),
    _Words((errors.OutOfMemory,), (), "数据库内存不足 the database is out of memory", passing=True),
    _Words(
        (errors.SerializationFailure, errors.DeadlockDetected),
        (),
        "数据库事务冲突 two transactions were in each other's way",
        passing=True,
    ),
)


_PASSING = ("08", "40", "53", "55", "57", "58")
"""Classes of errors that may pass: of connections, conflicts, resources, states, operators and the system."""


def explain(error: psycopg.Error) -> DatabaseError:
    """Say in words what a driver's error means, and whether it passes."""
    text = str(error).strip() or type(error).__name__
    first = text.splitlines()[0]
    unnamed = type(error) is psycopg.OperationalError  # what fails before there is a session has no code
    for kinds, texts, words, passing in _WORDS:
        if isinstance(error, kinds) or (unnamed and any(part in text for part in texts)):
            return DatabaseError(f"{words} ({first})", passing=passing)
    if isinstance(error, psycopg.OperationalError):
        return DatabaseError(f"连不上数据库 the database is out of reach: is it running? ({first})", passing=True)
    passing = (error.sqlstate or "")[:2] in _PASSING
    return DatabaseError(f"数据库错误 the database refused: {first}", passing=passing)


_SESSION = {"TimeZone": "UTC", "lock_timeout": "30s", "idle_in_transaction_session_timeout": "20s"}
"""Settings of every session: none waits for ever for another, none holds others up for as long as they wait."""


@contextmanager
def in_words() -> Iterator[None]:
    """Turn errors of the driver into `DatabaseError`."""
    try:
        yield
    except psycopg.Error as error:
        raise explain(error) from error


def connect(url: str, *, autocommit: bool = True, statement_s: int = 0) -> psycopg.Connection:
    """Open a connection and see that the server will do.

    Parameters
    ----------
    url : str
        ``postgresql://…``
    statement_s : int
        How long one statement may take, and half of what one transaction may; 0 for any time [s].

    Raises
    ------
    DatabaseError
        Out of reach, refused, too old.
    """
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its text might show a password
        raise DatabaseError(
            "数据库地址无效 WARNLOOP_DATABASE is no address of a database: expected postgresql://USER:PASSWORD@HOST/NAME",
            passing=False,
        ) from None
    with in_words():
        connection = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=10,
            application_name="warnloop",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
        )
        bounds = {"statement_timeout": f"{statement_s}s", "transaction_timeout": f"{2 * statement_s}s"}
        for setting, value in {**_SESSION, **bounds}.items():
            connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
        connection.autocommit = autocommit
    major = connection.info.server_version // 10_000
    if major < OLDEST_MAJOR:
        connection.close()
        raise DatabaseError(
            f"数据库版本过低 PostgreSQL {major} is too old, {OLDEST_MAJOR} or newer is needed: upgrade the server "
            "(pg_upgrade), or leave WARNLOOP_DATABASE empty for the embedded one",
            passing=False,
        )
    return connection


def check_writable(connection: psycopg.Connection) -> None:
    """Refuse a server that takes no writes.

    Raises
    ------
    DatabaseError
        It is a standby, or set to read only.
    """
    row = connection.execute("SELECT current_setting('transaction_read_only')").fetchone()
    if row == ("on",):
        raise explain(errors.ReadOnlySqlTransaction("cannot write: transaction_read_only is on"))


def end_hung(connection: psycopg.Connection, after_s: float) -> int:
    """End our sessions whose process stopped in the middle of a COPY; returns how many there were.

    While it waits for the rest of one, the database heeds none of its own bounds: the locks would be held for ever.
    """
    return len(connection.execute(query("inner/sessions_end"), {"after_s": after_s}).fetchall())


@cache
def query(name: str) -> LiteralString:
    """Text of a named query: ``inner/...`` for the program's own use, ``shown/...`` for what somebody sees."""
    return (files("ledger") / "queries" / f"{name}.sql").read_text(encoding="utf-8")
