"""Names for the column types that the generator passes around."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Words = NDArray[np.uint64]
Rows = NDArray[np.void]

CLASSES = "LCHBTF"
"""The class letters; a vehicle's class is the index into this text."""

FIX = np.dtype(
    [
        ("received", "i8"),  # [ms]
        ("time", "i8"),  # [ms]
        ("vehicle", "i4"),
        ("lon", "i4"),  # [1e-6 deg]
        ("lat", "i4"),  # [1e-6 deg]
        ("mileage", "i4"),  # [0.1 km]
        ("status", "i4"),
        ("driver", "i4"),  # 0: none
        ("speed", "i2"),  # [0.1 km/h]
        ("recorder", "i2"),  # [0.1 km/h]
        ("heading", "i2"),  # [deg]
        ("altitude", "i2"),  # [m]
        ("omit", "u2"),  # bits: see lines.OPTIONAL
        ("alarm", "u1"),
        ("backfill", "u1"),
        ("told", "u1"),  # index into tells.TEXTS
    ]
)
"""One position record before it is written."""
