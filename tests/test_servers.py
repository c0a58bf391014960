"""The tests' own servers: they must not outlive a session that is killed."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.servers import PROJECT


def test_a_killed_session_leaves_nothing_behind() -> None:
    code = """
import time
from tests.servers import Servers, swept_folder
with swept_folder() as folder:
    Servers(folder).url("postgres"); print(folder, flush=True); time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout is not None
        folder = Path(session.stdout.readline().strip())
        assert (folder / "postgres" / "cluster").is_dir()
        session.kill()
    until = time.monotonic() + 60
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not folder.exists()


def test_each_test_has_a_database_of_its_own(empty_url: str, database_url: str) -> None:
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE TABLE mine (number integer)")
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT to_regclass('mine'), to_regclass('alembic_version')::text").fetchone() == (
            None,
            "alembic_version",
        )
