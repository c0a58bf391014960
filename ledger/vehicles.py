"""Vehicles: permanent numbers for plates; and the names behind drivers' codes."""

from collections.abc import Mapping, Sequence

import psycopg

from ingest.registry import Vehicle
from ledger.database import query

MOST_NAME = 64
"""Of a driver's text so many characters are kept; longer ones differ by their codes."""


def numbers(connection: psycopg.Connection, names: Sequence[Vehicle]) -> list[int]:
    """Permanent number of each vehicle, (n,); a new one for those never heard of."""
    spelled = {"plates": [name.plate for name in names], "colors": [name.color for name in names]}
    connection.execute(query("inner/vehicles_add"), spelled)
    return [number for (number,) in connection.execute(query("inner/vehicles_numbers"), spelled)]


def names(connection: psycopg.Connection, numbers: Sequence[int]) -> list[Vehicle]:
    """Plate and colour behind each number, (n,)."""
    found = connection.execute(query("inner/vehicles_names"), {"numbers": list(numbers)})
    return [Vehicle(plate, color) for plate, color in found]


def add_drivers(connection: psycopg.Connection, drivers: Mapping[int, str]) -> None:
    """Keep the texts behind drivers' codes."""
    texts = [text[:MOST_NAME].translate(_KEPT).encode(errors="replace").decode() for text in drivers.values()]
    connection.execute(query("inner/drivers_add"), {"codes": list(drivers), "names": texts})


_KEPT = {0: "\ufffd"}
