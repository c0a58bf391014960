"""Databases that are absent, locked out, read-only, full or slow: the command says so and nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from ledger import database
from ledger.database import DatabaseError, connect, explain
from ledger.embedded import Embedded
from ledger.migrate import migrate
from tests.effect.runs import ended, fork, work
from tests.effect.scenario import load, picture
from tests.servers import Servers


def command(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WARNLOOP_")}
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *words], capture_output=True, text=True, env=environment, timeout=60
    )


@pytest.mark.parametrize(
    "words", [("violations",), ("detect", "--patience-s", "0"), ("migrate",), ("feed", "/dev/null")]
)
def test_absent(words: tuple[str, ...]) -> None:
    done = command(*words, "--database", "postgresql://warnloop:geheim@127.0.0.1:9/warnloop")
    assert done.returncode == 1
    assert "连不上数据库" in done.stderr
    assert "is it running?" in done.stderr
    assert "geheim" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_no_address() -> None:
    done = command("violations", "--database", "host=a password=geheim nonsense")
    assert done.returncode == 1
    assert "postgresql://USER" in done.stderr
    assert "geheim" not in done.stderr


def test_not_migrated_and_read_only(empty_url: str) -> None:
    done = command("detect", "--patience-s", "0", "--database", empty_url)
    assert done.returncode == 1
    assert "warnloop migrate" in done.stderr
    read_only = f"{empty_url}&options=-c%20default_transaction_read_only%3Don"
    done = command("migrate", "--database", read_only)
    assert done.returncode == 1
    assert "数据库只读" in done.stderr
    assert "Traceback" not in done.stderr


def test_read_only_is_waited_for_and_goes_on(database_url: str, tmp_path: Path) -> None:
    load(database_url, tmp_path, 1)
    name = urlsplit(database_url).path.lstrip("/")
    with connect(database_url) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        pid = fork(database_url)
        time.sleep(0.7)  # long enough to have failed at least once
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "it waits"
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    assert ended(pid) == 0
    assert picture(database_url)["violations"]


def test_missing_database(empty_url: str) -> None:
    with pytest.raises(DatabaseError, match="no database of this name") as raised:
        connect(urlsplit(empty_url)._replace(path="/nirgends").geturl())
    assert not raised.value.passing


def test_wrong_password(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Embedded(tmp_path_factory.mktemp("s") / "s", sync=False)
    url = server.start()
    try:
        with connect(url) as connection:
            connection.execute("CREATE ROLE guest LOGIN PASSWORD 'richtig'")
            row = connection.execute("SHOW hba_file").fetchone()
            assert row is not None
            hba = Path(row[0])
            hba.write_text("local all guest scram-sha-256\n" + hba.read_text())
            connection.execute("SELECT pg_reload_conf()")
        parts = urlsplit(url)
        wrong = parts._replace(netloc="guest:falsch@").geturl()
        deadline = time.monotonic() + 10
        while True:  # until the server has read its file again
            try:
                connect(wrong).close()
            except DatabaseError as error:
                refused = error
                break
            assert time.monotonic() < deadline
        assert not refused.passing
        assert "WARNLOOP_DATABASE" in str(refused)
        assert "falsch" not in str(refused)
        done = command("detect", "--database", wrong)
        assert done.returncode == 1
        assert "数据库拒绝登录" in done.stderr
    finally:
        server.stop()


def test_too_old(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "OLDEST_MAJOR", 99)
    with pytest.raises(DatabaseError, match="is too old, 99 or newer is needed") as raised:
        connect(empty_url)
    assert not raised.value.passing


def test_slow(database_url: str, tmp_path: Path) -> None:
    """A lock holds every statement up for longer than one may take: given up, tried again, nothing lost."""
    load(database_url, tmp_path, 1)
    with connect(database_url) as holder:
        holder.execute("BEGIN")
        holder.execute("LOCK violations IN ACCESS EXCLUSIVE MODE")
        pid = fork(database_url)  # its sessions wait two seconds for a lock
        time.sleep(2.5)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        holder.execute("COMMIT")
    assert ended(pid) == 0
    assert picture(database_url)["violations"]


def test_every_passing_class_is_borne() -> None:
    assert explain(psycopg.errors.DiskFull("could not extend file: No space left on device")).passing
    assert explain(psycopg.errors.IoError("could not write")).passing
    assert not explain(psycopg.errors.UniqueViolation("twice")).passing


@contextmanager
def _small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_disk_full(server_kind: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A disk that fills up while workers write: they wait, and go on when there is room."""
    if shutil.which("mount") is None:
        pytest.skip("no mount here")
    disk = tmp_path_factory.mktemp("d")
    with _small_disk(disk, 400):
        server = Servers.server(server_kind, disk / "s")
        url = server.start()
        try:
            migrate(url)
            load(url, tmp_path, 1)
            ballast = disk / "ballast"
            usage = shutil.disk_usage(disk)
            fill = subprocess.run(["fallocate", "-l", str(usage.free - (64 << 10)), str(ballast)], capture_output=True)
            assert fill.returncode == 0
            pid = fork(url)
            time.sleep(3)
            waits = os.waitpid(pid, os.WNOHANG) == (0, 0)
            ballast.unlink()
            if server.pid is None:  # a server without room for its log goes down, as it should
                server.start()
            assert waits
            assert ended(pid) in (0, 3)
            disturbed = picture(url)
        finally:
            server.stop()
    server = Servers.server(server_kind, tmp_path_factory.mktemp("e") / "s")
    url = server.start()
    try:
        migrate(url)
        load(url, tmp_path / "again", 1)
        work(url)
        assert picture(url) == disturbed
    finally:
        server.stop()


def test_first_signal_ends_in_order(database_url: str, tmp_path: Path) -> None:
    load(database_url, tmp_path, 1)
    with subprocess.Popen(
        [sys.executable, "-m", "api.cli", "detect", "--database", database_url, "--tick-s", "0"],
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stderr is not None
        for line in worker.stderr:
            if "caught up" in line:
                break
        worker.send_signal(signal.SIGTERM)
        worker.stderr.read()
        assert worker.wait(20) == 0
    with connect(database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM positions WHERE next_offset > 0 AND next_offset NOT IN "
            "(SELECT next_offset FROM checkpoints WHERE checkpoints.partition = positions.partition)"
        ).fetchone()
        assert row == (0,), "what was read when it ended is kept as state"
        assert connection.execute("SELECT count(*) FROM log_members").fetchone() == (0,)
