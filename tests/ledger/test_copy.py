"""Binary COPY as numpy builds it, against the driver's own COPY and against the server's words."""

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import errors

from ledger.copy import Layout
from ledger.database import connect

EXTREMES: dict[str, tuple[Any, ...]] = {
    "i2": (0, 1, -1, -(2**15), 2**15 - 1),
    "i4": (0, 1, -1, -(2**31), 2**31 - 1),
    "i8": (0, 1, -1, -(2**63), 2**63 - 1, 2**32 - 1),
    "f4": (0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 3.4028234663852886e38, 1e-45),
    "f8": (0.0, -0.0, 0.1, float("nan"), float("inf"), float("-inf"), 1.7976931348623157e308, 5e-324),
    "u1": (False, True),
}
SQL_TYPES = {
    "i2": "smallint", "i4": "integer", "i8": "bigint", "f4": "real", "f8": "double precision", "u1": "boolean",
}  # fmt: skip
OF_DRIVER = {"i2": "int2", "i4": "int4", "i8": "int8", "f4": "float4", "f8": "float8", "u1": "bool"}
LAYOUT = Layout("written", {f"{kind} of": kind for kind in SQL_TYPES})


@pytest.fixture
def connection(empty_url: str) -> Iterator[psycopg.Connection]:
    with connect(empty_url) as connection:
        columns = ", ".join(f'"{kind} of" {words} NOT NULL' for kind, words in SQL_TYPES.items())
        for table in ("written", "driven"):
            connection.execute(f"CREATE TABLE {table} ({columns})".encode())
        yield connection


def filled(n: int, seed: int = 1) -> Any:
    random, rows = Random(seed), LAYOUT.rows(n)
    for kind, values in EXTREMES.items():
        rows[f"{kind} of"] = [random.choice(values) for _ in range(n)]
    return rows


def binary(connection: psycopg.Connection, table: str = "written", order: str = "") -> bytes:
    with connection.cursor() as cursor, cursor.copy(
        f"COPY (SELECT * FROM {table} {order}) TO STDOUT (FORMAT binary)".encode()
    ) as source:  # fmt: skip
        return b"".join(bytes(part) for part in source)


def test_what_goes_in_comes_out(connection: psycopg.Connection) -> None:
    for n in (0, 1, 2, 1_000, 100_000):
        rows = filled(n)
        connection.execute("TRUNCATE written")
        with connection.cursor() as cursor:
            LAYOUT.copy(cursor, [rows])
        back = LAYOUT.parse(binary(connection))
        assert back.dtype == rows.dtype
        assert back.tobytes() == rows.tobytes()


def test_the_driver_writes_the_same(connection: psycopg.Connection) -> None:
    rows = filled(300)
    values = [tuple(row[f"{kind} of"].item() for kind in SQL_TYPES) for row in rows]
    values = [(*row[:-1], bool(row[-1])) for row in values]
    with connection.cursor() as cursor:
        LAYOUT.copy(cursor, [rows])
        for way in ("insert", "", " (FORMAT binary)"):
            cursor.execute("TRUNCATE driven")
            if way == "insert":
                cursor.executemany("INSERT INTO driven VALUES (%s, %s, %s, %s, %s, %s)", values)
            else:
                with cursor.copy(f"COPY driven FROM STDIN{way}".encode()) as target:
                    if way:
                        target.set_types(tuple(OF_DRIVER.values()))
                    for row in values:
                        target.write_row(row)
            assert binary(connection) == binary(connection, "driven"), way


def test_what_the_server_says_of_it(connection: psycopg.Connection) -> None:
    rows = LAYOUT.rows(1)
    row: tuple[Any, ...] = (-(2**15), 2**31 - 1, -(2**63), float("-inf"), -0.0, True)
    rows[[f"{kind} of" for kind in SQL_TYPES]] = row
    with connection.cursor() as cursor:
        LAYOUT.copy(cursor, [rows])
        told = cursor.execute("SELECT written::text FROM written").fetchone()
    assert told == ("(-32768,2147483647,-9223372036854775808,-Infinity,-0,t)",)


def test_a_value_too_great_is_not_cut() -> None:
    rows = LAYOUT.rows(1)
    with pytest.raises(OverflowError):
        rows["i2 of"] = [2**15]


def test_a_copy_that_fails_leaves_nothing(connection: psycopg.Connection) -> None:
    connection.execute('ALTER TABLE written ADD CHECK ("i4 of" < 7)')
    rows = LAYOUT.rows(1_000)
    rows["i4 of"][-1] = 7
    with pytest.raises(errors.CheckViolation), connection.cursor() as cursor:
        LAYOUT.copy(cursor, [rows])
    assert connection.execute("SELECT count(*) FROM written").fetchone() == (0,)


def test_names_are_quoted(connection: psycopg.Connection) -> None:
    connection.execute('CREATE TABLE "odd; ""table" ("a ""b" smallint NOT NULL)')
    odd = Layout('odd; "table', {'a "b': "i2"})
    rows = odd.rows(3)
    rows['a "b'] = [1, 2, 3]
    with connection.cursor() as cursor:
        odd.copy(cursor, [rows])
    assert connection.execute('SELECT sum("a ""b") FROM "odd; ""table"').fetchone() == (6,)


def test_rubbish_is_refused(connection: psycopg.Connection) -> None:
    with connection.cursor() as cursor:
        LAYOUT.copy(cursor, [filled(3)])
    good = binary(connection)
    assert len(LAYOUT.parse(good)) == 3
    for bad in (b"", b"\xff\xff", good[:-1], good[:-2], good[1:], good[:30], b"x" + good[1:], good + b"\x00"):
        with pytest.raises(ValueError, match="not a binary copy"):
            LAYOUT.parse(bad)
    at = 19  # the first row's number of fields
    with pytest.raises(ValueError, match="not a binary copy"):
        LAYOUT.parse(good[:at] + b"\x00\x05" + good[at + 2 :])
    with pytest.raises(ValueError, match="not a binary copy"):
        LAYOUT.parse(good[:-2] + b"\x00\x00")


def test_another_layout_is_refused(connection: psycopg.Connection) -> None:
    """Fields of other widths, or in another order: rows may even be as long."""
    with connection.cursor() as cursor:
        LAYOUT.copy(cursor, [filled(3)])
    own = {f"{kind} of": kind for kind in SQL_TYPES}
    for other in (own | {"i8 of": "i4"}, own | {"i2 of": "i4"}, dict(reversed(own.items()))):
        with pytest.raises(ValueError, match="not a binary copy"):
            Layout("written", other).parse(binary(connection))


def test_nulls_are_refused(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE holes (a bigint, b integer)")
    layout = Layout("holes", {"a": "i8", "b": "i4"})
    connection.execute("INSERT INTO holes VALUES (1, 2), (NULL, 3), (4, NULL)")
    with pytest.raises(ValueError, match="not a binary copy"):
        layout.parse(binary(connection, "holes"))
    # two NULLs of a row of twelve bytes: three short rows are as long as two whole ones
    connection.execute("CREATE TABLE tens (a smallint, b smallint)")
    tens = Layout("tens", {"a": "i2", "b": "i2"})
    connection.execute(
        "INSERT INTO tens SELECT CASE WHEN at % 2 = 0 THEN 1 END, NULL FROM generate_series(1, 14) AS at"
    )
    with pytest.raises(ValueError, match="not a binary copy"):
        tens.parse(binary(connection, "tens"))
    assert np.frombuffer(b"", tens.dtype).itemsize == 14
