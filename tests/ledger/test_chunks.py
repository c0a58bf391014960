"""Where fixes are copied to: into the table, or straight into a chunk of it; read back through the table either way."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import psycopg
import pytest
from psycopg import errors

from ledger import fixes
from ledger.database import connect
from tests.ledger.made import batch, rows

DAY_MS = 86_400_000
ONLY_TIMESCALE = pytest.mark.parametrize("server_kind", ["timescale"], indirect=True)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url) as connection:
        yield connection


def write(connection: psycopg.Connection, offset: int, *logged_ms: int) -> str:
    """Store one fix at each time, at offsets from the one given; returns what the server was last asked."""
    n = len(logged_ms)
    where = fixes.Origin(
        np.zeros(n, np.int32), offset + np.arange(n), np.zeros(n, np.int32), np.array(logged_ms, np.int64)
    )
    with connection.transaction(), connection.cursor() as cursor:
        fixes.write(cursor, batch(n, driver=where.offset), where, np.zeros(n, np.int32), np.zeros(n, np.uint8))
        asked = "SELECT query FROM pg_stat_activity WHERE pid = %s"
        return str(rows(connection.info.dsn, asked, connection.info.backend_pid)[0][0])


def offsets(connection: psycopg.Connection) -> list[int]:
    """Offsets of the fixes that are read back; each is its fix's driver too."""
    found = [offset for (offset,) in connection.execute("SELECT log_offset FROM fixes ORDER BY 1")]
    assert [at for part, _, _ in fixes.read(connection, 0, -(1 << 62), 1 << 62) for at in part.driver] == found
    return found


def table(connection: psycopg.Connection, from_ms: int, to_ms: int) -> str:
    found = connection.execute("SELECT fixes_table(%s, %s)", (from_ms, to_ms)).fetchone()
    assert found
    return str(found[0])


def chunks(connection: psycopg.Connection) -> list[str]:
    """Chunks, oldest first, as TimescaleDB tells them."""
    return [
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "SELECT chunk_schema, chunk_name FROM timescaledb_information.chunks "
            "WHERE hypertable_name = 'fixes' ORDER BY range_start_integer"
        )
    ]


def drop_first_day(connection: psycopg.Connection) -> None:
    connection.execute("SELECT drop_chunks('fixes', older_than => %s::bigint)", (DAY_MS,))


def test_one_day_two_days_and_the_first(connection: psycopg.Connection, server_kind: str) -> None:
    hypertable = server_kind == "timescale"
    into_table = "COPY fixes ("
    first = write(connection, 0, 5)
    one = write(connection, 1, 0, DAY_MS - 1)
    two = write(connection, 3, DAY_MS - 1, DAY_MS)
    next_ = write(connection, 5, 2 * DAY_MS - 1, DAY_MS)
    before = write(connection, 7, -1)
    again = write(connection, 8, -DAY_MS, -1)
    assert offsets(connection) == list(range(10))
    assert all(asked.startswith(into_table) for asked in (first, two, before)), (first, two, before)
    if hypertable:
        minus, zero, one_ = chunks(connection)
        assert one.startswith(f"COPY {zero} (")
        assert next_.startswith(f"COPY {one_} (")
        assert again.startswith(f"COPY {minus} (")
    else:
        assert all(asked.startswith(into_table) for asked in (one, next_, again))


def test_nothing_is_asked_for_nothing(connection: psycopg.Connection) -> None:
    assert "COPY" not in write(connection, 0)
    assert offsets(connection) == []


def test_on_a_plain_table_it_is_always_the_table(connection: psycopg.Connection, server_kind: str) -> None:
    write(connection, 0, 5)
    found = table(connection, 0, DAY_MS - 1)
    assert (found == "fixes") is (server_kind == "postgres"), found


@ONLY_TIMESCALE
def test_which_chunk(connection: psycopg.Connection) -> None:
    assert table(connection, 0, 0) == "fixes"
    write(connection, 0, 5, DAY_MS)
    first, second = chunks(connection)
    for from_ms, to_ms, expected in (
        (0, 0, first),
        (0, DAY_MS - 1, first),
        (DAY_MS, 2 * DAY_MS - 1, second),
        (DAY_MS - 1, DAY_MS, "fixes"),
        (-1, 0, "fixes"),
        (-1, -1, "fixes"),
        (0, 2 * DAY_MS, "fixes"),
        (2 * DAY_MS, 2 * DAY_MS, "fixes"),
        (-(1 << 63), (1 << 63) - 1, "fixes"),
    ):
        assert table(connection, from_ms, to_ms) == expected, (from_ms, to_ms)


@ONLY_TIMESCALE
def test_a_chunk_dropped_between_two_writes(connection: psycopg.Connection) -> None:
    write(connection, 0, 5, DAY_MS + 5)
    write(connection, 2, 6)
    before = chunks(connection)
    drop_first_day(connection)
    assert offsets(connection) == [1]
    write(connection, 3, 7, 8)
    assert offsets(connection) == [1, 3, 4]
    after = chunks(connection)
    assert (len(after), after[1], after[0] == before[0]) == (2, before[1], False)
    assert write(connection, 5, 9).startswith(f"COPY {after[0]} (")


@ONLY_TIMESCALE
def test_a_chunk_that_is_named_stays_until_the_transaction_ends(
    connection: psycopg.Connection, database_url: str
) -> None:
    write(connection, 0, 5)
    with connect(database_url) as other:
        other.execute("SET lock_timeout = '100ms'")
        with connection.transaction():
            assert table(connection, 5, 5) == chunks(other)[0]
            with pytest.raises(errors.LockNotAvailable):
                drop_first_day(other)
        drop_first_day(other)
    assert offsets(connection) == []


def until_it_waits(connection: psycopg.Connection, url: str, doing: Future[str]) -> None:
    """Return when a connection waits for a lock, in what a thread does with it."""
    waits = "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    while not doing.done() and not rows(url, waits, connection.info.backend_pid):
        pass
    assert not doing.done()


@ONLY_TIMESCALE
def test_a_chunk_that_is_being_dropped_is_waited_for(connection: psycopg.Connection, database_url: str) -> None:
    write(connection, 0, 5)
    with connect(database_url, autocommit=False) as other, ThreadPoolExecutor(1) as pool:
        drop_first_day(other)
        writing = pool.submit(write, connection, 1, 6)
        until_it_waits(connection, database_url, writing)
        other.commit()
        assert writing.result(30).startswith("COPY fixes (")
    assert offsets(connection) == [1]


@ONLY_TIMESCALE
def test_a_chunk_that_is_being_compressed_is_waited_for(connection: psycopg.Connection, database_url: str) -> None:
    """The edition that is tested compresses nothing: what that does to a chunk, seen from without, stands for it."""
    write(connection, 0, 5)
    with connect(database_url, autocommit=False) as other, ThreadPoolExecutor(1) as pool:
        other.execute(f"LOCK TABLE {table(connection, 5, 5)} IN EXCLUSIVE MODE".encode())
        other.execute("UPDATE _timescaledb_catalog.chunk SET status = 1")
        asking = pool.submit(table, connection, 5, 5)
        until_it_waits(connection, database_url, asking)
        other.commit()
        assert asking.result(30) == "fixes"


@ONLY_TIMESCALE
def test_a_compressed_chunk_is_left_to_timescaledb(connection: psycopg.Connection) -> None:
    write(connection, 0, 5)
    assert table(connection, 5, 5) != "fixes"
    for status in (1, 9):  # wholly, and with rows that came later
        with connection.transaction(force_rollback=True):
            connection.execute("UPDATE _timescaledb_catalog.chunk SET status = %s", (status,))
            assert table(connection, 5, 5) == "fixes"


@ONLY_TIMESCALE
def test_with_another_catalogue_rows_are_left_to_timescaledb(connection: psycopg.Connection) -> None:
    write(connection, 0, 5)
    for change in ("chunk RENAME COLUMN status TO state", "dimension_slice RENAME TO slices"):
        with connection.transaction(force_rollback=True):
            connection.execute(f"ALTER TABLE _timescaledb_catalog.{change}".encode())
            assert table(connection, 5, 5) == "fixes"


@ONLY_TIMESCALE
def test_a_chunk_takes_no_row_of_another_day(connection: psycopg.Connection) -> None:
    write(connection, 0, 5)
    row = fixes.FIXES.rows(1)
    row["logged_ms"] = DAY_MS
    with pytest.raises(errors.CheckViolation), connection.cursor() as cursor:
        fixes.FIXES.copy(cursor, [row], table(connection, 0, 0))
    assert offsets(connection) == [0]


def test_a_table_of_another_schema(connection: psycopg.Connection) -> None:
    """Which table `fixes` is, the search path says."""
    write(connection, 0, 5)
    connection.execute("CREATE SCHEMA other CREATE TABLE fixes (LIKE public.fixes INCLUDING ALL)")
    connection.execute("SET search_path = other, public")
    assert table(connection, 5, 5) == "fixes"
    write(connection, 7, 5)
    assert offsets(connection) == [7]
    connection.execute("SET search_path = public")
    assert offsets(connection) == [0]
