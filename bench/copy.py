"""COPY, measured: fixes into the table by a binary buffer that numpy builds, against rows of text."""

import sys
import time
from collections.abc import Callable

import numpy as np
import psycopg

from ingest.batch import Batch, Float64, Int8, Int32
from ledger.database import connect
from ledger.fixes import FIXES, Origin, write

ROWS, TIMES = 50_000, 20
"""Rows of one COPY, several times what a worker writes at once at 30 000 fixes/s. The server keeps the pages of one
COPY in a ring of 16 MB; of larger ones it must write pages out before it can go on, which is not what is measured."""

Columns = tuple[Batch, Origin, Int32, Int8]
Load = Callable[[psycopg.Connection, Columns], None]


def columns() -> Columns:
    """Fixes of 10 000 vehicles, as a batch and where each stands."""
    random = np.random.default_rng(1)
    now = 1_772_380_800_000 + np.arange(ROWS, dtype=np.int64)
    vehicle = random.integers(0, 10_000, ROWS).astype(np.int32)

    def real(most: float) -> Float64:
        return random.random(ROWS) * most

    batch = Batch(
        vehicle=vehicle,
        time_ms=now,
        lon=real(90),
        lat=real(45),
        speed_kmh=real(100),
        heading_deg=real(360),
        altitude_m=real(900),
        recorder_speed_kmh=real(100),
        mileage_km=real(9_000),
        alarm=np.zeros(ROWS, np.int64),
        status=np.full(ROWS, 3, np.int64),
        received_ms=now,
        backfill=random.random(ROWS) < 0.1,
        driver=now,
        items=np.zeros(ROWS, np.int64),
    )
    index = np.arange(ROWS)
    origin = Origin(np.zeros(ROWS, np.int32), index // 500, (index % 500).astype(np.int32), now)
    return batch, origin, vehicle, np.zeros(ROWS, np.uint8)


def by_numpy(connection: psycopg.Connection, fixes: Columns) -> None:
    """Copy as the product does."""
    with connection.transaction(), connection.cursor() as cursor:
        write(cursor, *fixes)


def by_text(connection: psycopg.Connection, fixes: Columns) -> None:
    """Copy row by row, as text, from the same columns."""
    batch, origin, vehicle, verdict = fixes
    named = {**batch.columns(), "logged_ms": origin.logged_ms, "log_offset": origin.offset, "log_row": origin.row}
    named |= {"log_partition": origin.partition, "vehicle_id": vehicle, "verdict": verdict}
    ordered = [named[name].tolist() for name in FIXES.columns]
    text = f"COPY fixes ({', '.join(FIXES.columns)}) FROM STDIN"
    with connection.transaction(), connection.cursor() as cursor, cursor.copy(text.encode()) as target:
        for row in zip(*ordered, strict=True):
            target.write_row(row)


def once(connection: psycopg.Connection, load: Load, fixes: Columns) -> float:
    """Seconds of a load into the emptied table; its chunk of the day, if it has any, is made."""
    batch, origin, vehicle, verdict = (fixes[0].take(slice(1)), fixes[1], fixes[2][:1], fixes[3][:1])
    before = Origin(origin.partition[:1], np.array([-1]), origin.row[:1], origin.logged_ms[:1])
    connection.execute("TRUNCATE fixes")
    load(connection, (batch, before, vehicle, verdict))
    begin = time.perf_counter()
    load(connection, fixes)
    return time.perf_counter() - begin


def main(url: str) -> None:
    """Measure both, in turns, with the product's indexes and without, in a migrated database; its fixes are lost."""
    fixes = columns()
    with connect(url) as connection:
        for words in ("with the indexes", "without an index"):
            turns = [(once(connection, by_numpy, fixes), once(connection, by_text, fixes)) for _ in range(TIMES)]
            numpy, text = map(min, zip(*turns, strict=True))
            print(
                f"COPY of {ROWS:,} fixes {words:18s} numpy {ROWS / numpy:9,.0f} rows/s"
                f"   text {ROWS / text:9,.0f} rows/s   ratio {text / numpy:.2f}"
            )
            connection.execute("DROP INDEX IF EXISTS fixes_track")
            connection.execute("DROP INDEX IF EXISTS fixes_logged")
            connection.execute("ALTER TABLE fixes DROP CONSTRAINT IF EXISTS fixes_pkey")


if __name__ == "__main__":
    main(sys.argv[1])
