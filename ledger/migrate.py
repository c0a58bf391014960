"""Migrate: bring a database's schema to the version of this program.

Alembic keeps count; the steps are .sql files. Forward only: a database that is newer than the
program is refused, never turned back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ledger.database import MIGRATION_LOCK, DatabaseError, connect, explain, in_words

_SCRIPTS = ScriptDirectory(str(Path(__file__).parent / "migrations"))


@contextmanager
def _unwrapped() -> Iterator[None]:
    """The driver's errors in words, without SQLAlchemy's around them."""
    try:
        with in_words():
            yield
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise explain(error.orig) from error
        raise


def versions() -> list[str]:
    """All versions of the schema, oldest first."""
    return [script.revision for script in _SCRIPTS.walk_revisions()][::-1]


def version_of(connection: psycopg.Connection) -> str:
    """Version of a database's schema; empty where it has none yet."""
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def check_version(connection: psycopg.Connection) -> None:
    """Refuse a database whose schema is not this program's.

    Raises
    ------
    DatabaseError
        Says which command helps.
    """
    found, head = version_of(connection), versions()[-1]
    if found == head:
        return
    if found not in ("", *versions()):
        raise DatabaseError(
            f"数据库比程序新 the database's schema ({found}) is newer than this program ({head}): "
            "run the version of warnloop that made it",
            passing=False,
        )
    raise DatabaseError(
        f"数据库未迁移 the database's schema is {found or 'empty'}, this program needs {head}: run  warnloop migrate",
        passing=False,
    )


def migrate(url: str, target: str = "head", progress: Callable[[str], None] = lambda _: None) -> list[str]:
    """Bring a database to a version; returns the versions that were applied, oldest first.

    Two at once wait for each other. Each version is one transaction: a crash leaves whole versions.

    Raises
    ------
    DatabaseError
        The database is out of reach, newer than the program, or cannot be changed.
    """
    with connect(url) as guard:
        guard.execute("SELECT pg_advisory_lock(%s, 0)", (MIGRATION_LOCK,))
        before = version_of(guard)
        if before not in ("", *versions()):
            check_version(guard)
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: connect(url, autocommit=False), poolclass=NullPool
        )
        applied: list[str] = []

        def steps(revision: Any, _: object) -> list[RevisionStep]:
            chosen = _SCRIPTS._upgrade_revs(target, revision)
            applied.extend(step.revision.revision for step in chosen)
            return chosen

        config = Config()
        with (
            _unwrapped(),
            EnvironmentContext(config, _SCRIPTS, fn=steps, destination_rev=target) as environment,
            engine.connect() as connection,
        ):
            environment.configure(
                connection=connection,
                target_metadata=None,
                transaction_per_migration=True,
                on_version_apply=lambda step, **_: progress(str(step.up_revision_id)),
            )
            with environment.begin_transaction():
                environment.run_migrations()
        return applied
