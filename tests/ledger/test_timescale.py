"""TimescaleDB as it is installed for tests, and the way from PostgreSQL 17 to that of the wheel."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.timescale.install import UnavailableError, install
from ledger.embedded import Embedded, EmbeddedError, upgrade
from tests.servers import Servers, timescale

DAY_MS = 86_400_000
ONLY_TIMESCALE = pytest.mark.parametrize("server_kind", ["timescale"], indirect=True)


@pytest.fixture
def programs(server_kind: str) -> Path:
    """Programs of PostgreSQL 17."""
    found = timescale()
    assert isinstance(found, Path), server_kind
    return found


@pytest.fixture
def old(programs: Path, tmp_path: Path) -> Iterator[Embedded]:
    """A server of PostgreSQL 17, not started."""
    server = Embedded(tmp_path / "旧 data", binaries=programs, sync=False)
    yield server
    server.stop()


def rows(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT number, text FROM seen ORDER BY number").fetchall()


def remember(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE seen (number integer PRIMARY KEY, text text)")
        connection.execute("INSERT INTO seen VALUES (1, '超速'), (2, NULL)")


@ONLY_TIMESCALE
def test_a_hypertable_on_milliseconds(empty_url: str) -> None:
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
        connection.execute("CREATE TABLE fixes (time_ms bigint NOT NULL, vehicle integer NOT NULL)")
        connection.execute("SELECT create_hypertable('fixes', by_range('time_ms', %s::bigint))", (DAY_MS,))
        with connection.cursor() as cursor, cursor.copy("COPY fixes FROM STDIN") as copy:
            for day in range(3):
                copy.write_row((day * DAY_MS + 5, 1))
        dropped = connection.execute("SELECT drop_chunks('fixes', older_than => %s::bigint)", (DAY_MS,)).fetchall()
        left = connection.execute("SELECT time_ms FROM fixes ORDER BY 1").fetchall()
        licence = connection.execute("SHOW timescaledb.license").fetchone()
    assert len(dropped) == 1
    assert left == [(DAY_MS + 5,), (2 * DAY_MS + 5,)]
    assert licence == ("apache",)


@ONLY_TIMESCALE
def test_upgrade_from_17(old: Embedded, programs: Path) -> None:
    folder = old.places.root
    remember(old.start())
    with pytest.raises(EmbeddedError, match="in use"):
        upgrade(folder, programs)
    assert old.pid is not None
    os.kill(old.pid, signal.SIGKILL)  # the upgrade has to recover it first
    new = Embedded(folder)
    with pytest.raises(EmbeddedError, match="warnloop database upgrade"):
        new.join()
    kept = upgrade(folder, programs)
    assert kept == folder / "cluster.pg17"
    assert (kept / "PG_VERSION").read_text() == "17\n"
    assert new.places.version() == 18
    new.places.cluster.rename(new.places.upgraded)  # as if it had been killed before the last step
    assert rows(new.start()) == [(1, "超速"), (2, None)]
    assert not (folder / "upgrade").exists()
    with pytest.raises(EmbeddedError, match="nothing to upgrade"):
        upgrade(folder, programs)


@ONLY_TIMESCALE
def test_an_upgrade_that_is_refused_changes_nothing(programs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    old = Servers.server("timescale", folder)
    url = old.start()
    try:
        remember(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
        old.stop()
        with pytest.raises(EmbeddedError, match=r"pg_upgrade refused(.|\n)*timescaledb"):
            upgrade(folder, programs)
        assert rows(old.start()) == [(1, "超速"), (2, None)]
    finally:
        old.stop()


@ONLY_TIMESCALE
def test_what_cannot_be_upgraded(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="no cluster"):
        upgrade(tmp_path, programs)
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedError, match=r"programs in .* are of 17"):
        upgrade(tmp_path, programs)


@ONLY_TIMESCALE
def test_what_is_installed_is_used_again(programs: Path) -> None:
    before = programs.stat().st_mtime_ns
    assert install() == programs
    assert programs.stat().st_mtime_ns == before


def test_where_it_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match="apt-get"):
        install(tmp_path / "no mirror", mirror="file:///nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="no apt-get here: a Debian is needed"):
        install(tmp_path / "no apt")
