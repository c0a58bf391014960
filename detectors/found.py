"""Found: episodes as columns, and how a verb writes one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.kernel import kernel

EPISODE = [
    ("begins_ms", "i8"),
    ("raised_ms", "i8"),
    ("ends_ms", "i8"),
    ("lon", "f8"),
    ("lat", "f8"),
    ("severity", "u1"),
    ("lead", "u1"),
]
"""What a state remembers of its episode, and every found episode shows: times [ms], where it began
[deg], severity, and whether it is a lead."""

SHOWN = [("vehicle", "i4"), *EPISODE]
"""Columns of every found episode."""

Found = NDArray[np.void]
"""Episodes as they stand after a batch, (m,): those that it raised or changed, latest revision last."""


@kernel
def show(found: Any, vehicle: int, own: Any) -> None:
    """Write what every episode has from a vehicle's state into a row of `Found`."""
    found.vehicle = vehicle
    found.begins_ms = own.begins_ms
    found.raised_ms = own.raised_ms
    found.ends_ms = own.ends_ms
    found.lon = own.lon
    found.lat = own.lat
    found.severity = own.severity
    found.lead = own.lead
