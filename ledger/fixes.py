"""Fixes: position records into the table ``fixes``, and out of it as batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from ingest.batch import Batch, Int8, Int32, Int64
from ledger.copy import Layout
from ledger.database import query

_OF_BATCH = {
    "time_ms": "i8", "received_ms": "i8", "lon": "f8", "lat": "f8", "speed_kmh": "f8", "heading_deg": "f8",
    "altitude_m": "f8", "recorder_speed_kmh": "f8", "mileage_km": "f8", "alarm": "i8", "status": "i8", "driver": "i8",
    "backfill": "u1", "items": "i8",
}  # fmt: skip
_OF_LOG = {"logged_ms": "i8", "log_offset": "i8", "log_row": "i4", "log_partition": "i2"}

FIXES = Layout("fixes", {**_OF_BATCH, **_OF_LOG, "vehicle_id": "i4", "verdict": "i2"})

CHUNK_FIXES = 100_000
"""Fixes that are read at once."""

PART_FIXES = 4096
"""Fixes that are sent at once: few enough for their rows to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the log each of n fixes stands.

    Attributes
    ----------
    partition, offset, row : (n,)
        Partition, offset of the frame, line in the frame (from 0).
    logged_ms : int64, (n,)
        When the frame was received [ms].
    """

    partition: Int32
    offset: Int64
    row: Int32
    logged_ms: Int64


def write(cursor: psycopg.Cursor[Any], batch: Batch, origin: Origin, vehicle_id: Int32, verdict: Int8) -> None:
    """Store fixes, (n,), with what the gate said of each, where the database has them copied."""
    if not len(batch):
        return
    columns: dict[str, NDArray[Any]] = {name: getattr(batch, name) for name in _OF_BATCH}
    columns |= {"logged_ms": origin.logged_ms, "log_offset": origin.offset, "log_row": origin.row}
    columns |= {"log_partition": origin.partition, "vehicle_id": vehicle_id, "verdict": verdict}

    def parts() -> Iterator[NDArray[np.void]]:
        for begin in range(0, len(batch), PART_FIXES):
            part = slice(begin, begin + PART_FIXES)
            rows = FIXES.rows(len(verdict[part]))
            for name, column in columns.items():
                rows[name] = column[part]
            yield rows

    received = int(origin.logged_ms.min()), int(origin.logged_ms.max())
    (table,) = cursor.execute(query("inner/fixes_table"), received).fetchone() or ("",)
    FIXES.copy(cursor, parts(), table)


def read(
    connection: psycopg.Connection, partition: int, since_ms: int, before_offset: int
) -> Iterator[tuple[Batch, Int32, Int8]]:
    """Fixes of a partition in the order of the log, in chunks.

    Parameters
    ----------
    since_ms : int
        Leave out what was received earlier [ms].
    before_offset : int
        Leave out what stands at this offset or behind it.

    Yields
    ------
    Batch, (n,)
        Its column ``vehicle`` is meaningless.
    vehicle_id : int32, (n,)
    verdict : uint8, (n,)
    """
    offset, row = -1, -1
    while True:
        position = (partition, since_ms, before_offset, offset, row, CHUNK_FIXES)
        with connection.cursor() as cursor, cursor.copy(query("inner/fixes_read"), position) as source:
            content = b"".join(bytes(part) for part in source)
        rows = FIXES.parse(content)
        if not len(rows):
            return
        batch = _batch(rows)
        yield batch, batch.vehicle.copy(), rows["verdict"].astype(np.uint8)
        offset, row = int(rows["log_offset"][-1]), int(rows["log_row"][-1])


def of_vehicle(connection: psycopg.Connection, vehicle_id: int, from_ms: int, to_ms: int) -> Batch:
    """Fixes of a vehicle within a time [ms], both ends included, in log order, (n,); ``vehicle`` is its number."""
    return heard(connection, vehicle_id, from_ms, to_ms)[0]


def heard(
    connection: psycopg.Connection, vehicle_id: int, from_ms: int, to_ms: int
) -> tuple[Batch, Int8, NDArray[np.void]]:
    """Fixes of a vehicle within a time [ms], both ends included, in log order, (n,); verdicts; rows as stored."""
    with connection.cursor() as cursor, cursor.copy(query("inner/fixes_of"), (vehicle_id, from_ms, to_ms)) as source:
        content = b"".join(bytes(part) for part in source)
    rows = FIXES.parse(content)
    return _batch(rows), rows["verdict"].astype(np.uint8), rows


def _batch(rows: NDArray[np.void]) -> Batch:
    columns = {name: rows[name].astype(f"={kind}") for name, kind in _OF_BATCH.items()}
    columns["backfill"] = columns["backfill"].astype(np.bool_)
    return Batch(vehicle=rows["vehicle_id"].astype(np.int32), **columns)


def last_logged_ms(connection: psycopg.Connection, partition: int, before_offset: int) -> int:
    """When the last fix of a partition before an offset was received; 0 where there is none [ms]."""
    row = connection.execute(
        "SELECT logged_ms FROM fixes WHERE log_partition = %s AND log_offset < %s ORDER BY log_offset DESC LIMIT 1",
        (partition, before_offset),
    ).fetchone()
    return int(row[0]) if row else 0
