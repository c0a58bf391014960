"""Fixes into the table and out of it: every column to the bit, every page border."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import errors

from ingest.batch import MISSING_MS, Batch, concat
from ledger import fixes
from ledger.database import connect
from tests.ledger.made import batch, origin

FLOATS = (0.0, -0.0, float("nan"), float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308, 73.55)
INTS = (0, -1, 1, 2**63 - 1, MISSING_MS, 2**32 - 1)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url) as connection:
        yield connection


def extreme(n: int, seed: int = 1) -> Batch:
    """Fixes whose every column takes its extremes."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        name: random.choice(FLOATS, n) if kind.dtype == np.float64 else random.choice(np.array(INTS), n)
        for name, kind in batch(1).columns().items()
        if name not in ("vehicle", "backfill")
    }
    return batch(n, **columns, backfill=random.random(n) < 0.5)


def write(connection: psycopg.Connection, some: Batch, where: fixes.Origin, vehicle_id: Any = None) -> None:
    n = len(some)
    numbers = np.arange(n, dtype=np.int32) if vehicle_id is None else vehicle_id
    with connection.transaction(), connection.cursor() as cursor:
        fixes.write(cursor, some, where, numbers, (np.arange(n) % 8).astype(np.uint8))


def read(
    connection: psycopg.Connection, partition: int = 0, since_ms: int = 0, before: int = 1 << 62
) -> tuple[Batch, Any, Any]:
    parts = list(fixes.read(connection, partition, since_ms, before))
    assert all(len(part) for part, _, _ in parts)
    columns = zip(*parts, strict=True)
    some, numbers, verdicts = columns
    return concat(some), np.concatenate(numbers), np.concatenate(verdicts)


def assert_same(one: Batch, other: Batch) -> None:
    for name, column in one.columns().items():
        if name != "vehicle":
            assert getattr(other, name).dtype == column.dtype, name
            assert getattr(other, name).tobytes() == column.tobytes(), name


def test_every_column_comes_back_to_the_bit(connection: psycopg.Connection) -> None:
    n = 3_000
    some = extreme(n)
    write(connection, some, origin(n, per_frame=50))
    back, numbers, verdicts = read(connection)
    assert_same(some, back)
    assert numbers.tolist() == list(range(n))
    assert verdicts.tolist() == [at % 8 for at in range(n)]
    assert (numbers.dtype, verdicts.dtype) == (np.int32, np.uint8)
    assert all(column.flags.writeable or column.base is None for column in back.columns().values())


def test_rows_by_name(connection: psycopg.Connection) -> None:
    """Each value under its own column, as the server's own words have it."""
    names = ["time_ms", "received_ms", "alarm", "status", "driver", "items"]
    floats = ["lon", "lat", "speed_kmh", "heading_deg", "altitude_m", "recorder_speed_kmh", "mileage_km"]
    given: dict[str, Any] = {name: [at] for at, name in enumerate(names, 1)}
    given |= {name: [at + 0.5] for at, name in enumerate(floats, 10)}
    where = fixes.Origin(*(np.array([at], kind) for at, kind in ((3, "i4"), (2**40, "i8"), (5, "i4"), (77, "i8"))))
    with connection.cursor() as cursor:
        fixes.write(cursor, batch(1, **given, backfill=[True]), where, np.array([9], np.int32), np.array([7], np.uint8))
        row = cursor.execute(
            "SELECT time_ms, received_ms, alarm, status, driver, items, lon, lat, speed_kmh, heading_deg, altitude_m, "
            "recorder_speed_kmh, mileage_km, backfill, log_partition, log_offset, log_row, logged_ms, vehicle_id, "
            "verdict FROM fixes"
        ).fetchone()
    assert row == (1, 2, 3, 4, 5, 6, *(at + 10.5 for at in range(7)), True, 3, 2**40, 5, 77, 9, 7)


def test_nothing_is_written_and_nothing_is_read(connection: psycopg.Connection) -> None:
    write(connection, batch(0), origin(0))
    assert list(fixes.read(connection, 0, 0, 1 << 62)) == []


def test_pages_join_without_a_seam(connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    some = extreme(12)
    write(connection, some, origin(12, per_frame=5))
    for page in (1, 2, 3, 6, 7, 11, 12, 13, 100):
        monkeypatch.setattr(fixes, "CHUNK_FIXES", page)
        parts = list(fixes.read(connection, 0, 0, 1 << 62))
        assert [len(part) for part, _, _ in parts] == [page] * (12 // page) + [12 % page] * (12 % page > 0)
        assert_same(some, concat([part for part, _, _ in parts]))


def test_order_is_that_of_the_log(connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order of writing, of receipt and of device times."""
    monkeypatch.setattr(fixes, "CHUNK_FIXES", 4)
    for way in ("indexscan", "indexonlyscan", "bitmapscan"):  # no order but the one that is asked for
        connection.execute(f"SET enable_{way} = off".encode())
    random = np.random.default_rng(3)
    n = 60
    where = origin(n, per_frame=3)
    mixed = random.permutation(n)
    mixed_origin = fixes.Origin(
        where.partition, where.offset[mixed], where.row[mixed], random.integers(0, 20 * 86_400_000, n)
    )
    write(connection, batch(n, time_ms=random.integers(0, 99, n), driver=mixed), mixed_origin)
    assert read(connection)[0].driver.tolist() == list(range(n))


def test_what_is_left_out(connection: psycopg.Connection) -> None:
    for partition in (0, 1):
        some = batch(10, driver=np.arange(10) + 100 * partition)
        write(connection, some, origin(10, partition, per_frame=2, logged_ms=1_000))
    assert read(connection, 1)[0].driver.tolist() == list(range(100, 110))
    assert read(connection, 0, since_ms=3_000)[0].driver.tolist() == list(range(4, 10))
    assert read(connection, 0, since_ms=3_001)[0].driver.tolist() == list(range(6, 10))
    assert read(connection, 0, before=2)[0].driver.tolist() == list(range(4))
    assert list(fixes.read(connection, 0, 0, 0)) == list(fixes.read(connection, 2, 0, 9)) == []
    assert list(fixes.read(connection, 0, 5_001, 1 << 62)) == []


def test_a_place_in_the_log_is_taken_once(connection: psycopg.Connection) -> None:
    write(connection, batch(3), origin(3))
    with pytest.raises(errors.UniqueViolation):
        write(connection, batch(3), origin(3))
    write(connection, batch(3), origin(3, partition=1))
    assert connection.execute("SELECT count(*) FROM fixes").fetchone() == (6,)


def test_last_logged(connection: psycopg.Connection) -> None:
    assert fixes.last_logged_ms(connection, 0, 100) == 0
    write(connection, batch(6), origin(6, per_frame=2, logged_ms=1_000))
    found = [fixes.last_logged_ms(connection, 0, before) for before in (0, 1, 2, 3, 4, 1 << 62)]
    assert found == [0, 1_000, 2_000, 3_000, 3_000, 3_000]
    assert fixes.last_logged_ms(connection, 1, 100) == 0


def test_ten_days_are_written_and_read_alike(connection: psycopg.Connection) -> None:
    """Over the borders of chunks, where there are any."""
    n = 400
    where = origin(n, per_frame=1)
    days = fixes.Origin(where.partition, where.offset, where.row, where.offset * 86_400_000 // 40)
    write(connection, batch(n, driver=np.arange(n)), days)
    assert read(connection)[0].driver.tolist() == list(range(n))
    assert read(connection, since_ms=5 * 86_400_000)[0].driver.tolist() == list(range(200, n))
    assert fixes.last_logged_ms(connection, 0, 100) == 99 * 86_400_000 // 40
