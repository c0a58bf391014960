"""Made: episodes and batches for tests of the ledger."""

from typing import Any

import numpy as np
import psycopg

from detectors.found import Fact
from ingest.batch import Batch
from ingest.registry import Vehicle
from ledger import vehicles
from ledger.casebook import Episode
from ledger.database import connect
from ledger.fixes import Origin
from ledger.warned import Warned

_PLAIN: dict[str, Any] = {
    "name": Vehicle("测A00001", 2),
    "kind": "V01",
    "fact": Fact.RAISED,
    "begins_ms": 1_000_000,
    "raised_ms": 1_040_000,
    "ends_ms": 1_040_000,
    "severity": 2,
    "lead": False,
    "lon": 87.3,
    "lat": 44.0,
    "company": "甲公司",
    "county": "652301",
    "place_county": "652302",
    "measures": {"peak_kmh": 111.5},
    "merge_ms": 60_000,
    "rule_version": 1,
    "registry_version": 1,
}


def episode(vehicle_id: int, **changes: Any) -> Episode:
    """An episode, plain but for what is changed."""
    return Episode(vehicle_id=vehicle_id, **(_PLAIN | changes))


def vehicle(connection: psycopg.Connection, plate: str, color: int = 2) -> int:
    """Permanent number of a vehicle."""
    (number,) = vehicles.numbers(connection, [Vehicle(plate, color)])
    return number


def batch(n: int, **columns: Any) -> Batch:
    """A batch of n plain fixes, one a second, but for the columns given."""
    at = np.arange(n)
    plain: dict[str, Any] = {
        "vehicle": np.zeros(n, np.int32),
        "time_ms": 1_000_000 + 1_000 * at,
        "received_ms": 1_000_500 + 1_000 * at,
        "lon": 87.0 + at / 1e6,
        "lat": 44.0 + at / 1e6,
        "backfill": np.zeros(n, np.bool_),
        "alarm": np.full(n, -1),
        "status": np.full(n, 3),
        "driver": np.zeros(n, np.int64),
        "items": np.zeros(n, np.int64),
    }
    floats = ("speed_kmh", "heading_deg", "altitude_m", "recorder_speed_kmh", "mileage_km")
    given = {name: np.asarray(column) for name, column in columns.items()}
    return Batch(**(plain | {name: np.full(n, 60.5) for name in floats} | given))


def origin(n: int, partition: int = 0, first_offset: int = 0, per_frame: int = 1, logged_ms: int = 5_000) -> Origin:
    """Origin of n fixes, so many a frame, one frame a second."""
    at = np.arange(n, dtype=np.int64)
    return Origin(
        np.full(n, partition, np.int32),
        first_offset + at // per_frame,
        (at % per_frame).astype(np.int32),
        logged_ms + 1_000 * (first_offset + at // per_frame),
    )


def rows(url: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of a query on a connection of its own."""
    with connect(url) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


_WARNED: dict[str, Any] = {
    "name": Vehicle("测A00001", 2),
    "kind": "V05",
    "begins_ms": 1_000_000,
    "warned_ms": 13_600_000,
    "due_ms": 100_000_000,
    "lon": 87.3,
    "lat": 44.0,
    "company": "甲公司",
    "county": "652301",
    "place_county": "652302",
    "measures": {"left_s": 1_800.0, "driven_s": 12_600.0},
    "rule_version": 1,
    "registry_version": 1,
}


def warning(vehicle_id: int, **changes: Any) -> Warned:
    """A warning, plain but for what is changed."""
    return Warned(vehicle_id=vehicle_id, **(_WARNED | changes))
