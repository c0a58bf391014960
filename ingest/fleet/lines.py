"""Rows as NDJSON, in bulk.

Every line is cut from one template of fixed width. Digits come four at a time
from a table; what a line does not need is overwritten with NUL, and all NULs are
taken out at the end. No Python object is made per fix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.fleet.columns import CLASSES, Ints, Rows
from ingest.fleet.roster import Roster
from ingest.fleet.tells import TEXTS

OPTIONAL = {
    "speed_kmh": 1,
    "heading_deg": 2,
    "altitude_m": 4,
    "mileage_km": 8,
    "alarm": 16,
    "status": 32,
    "recorder_speed_kmh": 64,
}
"""Bits of ``omit``: which fields a row lacks."""

_PARTS: tuple[tuple[str, str, str], ...] = (
    ('{"plate":"测', "letter", "?"),
    ("", "plate", "????????"),
    ('","plate_color":', "color", "?"),
    (',"time":', "time", "?????????????"),
    (',"lon":', "lon", "????.??????"),
    (',"lat":', "lat", "????.??????"),
    (',"speed_kmh":', "speed", "????.?"),
    (',"heading_deg":', "heading", "????"),
    (',"altitude_m":', "altitude", "????"),
    (',"mileage_km":', "mileage", "????????.?"),
    (',"alarm":', "alarm", "?"),
    (',"status":', "status", "????????"),
    (',"recorder_speed_kmh":', "recorder", "????.?"),
    ("", "told", "?" * max(map(len, TEXTS))),
    (',"received":', "received", "?????????????"),
    (',"backfill":true', "backfill", ""),
    (',"driver":"', "driver", "D???????"),
    ('"', "quote", ""),
    ("}\n", "tail", ""),
)


Words = NDArray[np.uint32] | NDArray[np.uint16] | NDArray[np.uint8]


def _digits(strip: bool) -> NDArray[np.uint8]:
    """Text of 0..9999, (10000, 4); leading zeros are NUL if stripped."""
    number = np.arange(10000)
    text = np.stack([number // 10**k % 10 + 48 for k in (3, 2, 1, 0)], axis=1).astype(np.uint8)
    if strip:
        for k in range(3):
            text[number < 10 ** (3 - k), k] = 0
    return text


_FULL = _digits(False).view(np.uint32)[:, 0]
_BARE = _digits(True).view(np.uint32)[:, 0]
_TWO = np.ascontiguousarray(_digits(False)[:, 2:]).view(np.uint16)[:, 0]
_ONE = np.ascontiguousarray(_digits(False)[:, 3])


_TOLD = np.asarray(TEXTS, f"S{max(map(len, TEXTS))}").view(np.uint8).reshape(len(TEXTS), -1)
"""Text of what is told, (texts, longest), with NUL behind it."""


class Writer:
    """Turns rows into bytes.

    Parameters
    ----------
    roster : Roster
        Whose vehicles the rows are.
    """

    def __init__(self, roster: Roster) -> None:
        self._letter = np.frombuffer(CLASSES.encode(), np.uint8)[roster.cls]
        self._number = roster.number
        self._color = (roster.color + 48).astype(np.uint8)
        self._span: dict[str, tuple[int, int, int]] = {}
        text = b""
        for fixed, name, slot in _PARTS:
            start = len(text)
            text += fixed.encode()
            self._span[name] = (start, len(text), len(text) + len(slot))
            text += slot.encode()
        self._template = np.frombuffer(text, np.uint8)

    def lines(self, rows: Rows) -> bytes:
        """The rows, one JSON object a line."""
        if not len(rows):
            return b""
        page = np.empty((len(rows), len(self._template)), np.uint8)
        page[:] = self._template
        vehicle = rows["vehicle"]
        page[:, self._span["letter"][1]] = self._letter[vehicle]
        page[:, self._span["color"][1]] = self._color[vehicle]
        number = self._number[vehicle]
        self._put(page, "plate", 0, _BARE, number // 10000)
        self._put(page, "plate", 4, _FULL, number % 10000)
        for name in ("time", "received"):
            high, low = np.divmod(rows[name], 10**8)
            self._put(page, name, 0, _ONE, high // 10000)
            self._put(page, name, 1, _FULL, high % 10000)
            self._put(page, name, 5, _FULL, low // 10000)
            self._put(page, name, 9, _FULL, low % 10000)
        for name in ("lon", "lat"):
            high, low = np.divmod(rows[name], 10**6)
            self._put(page, name, 0, _BARE, high)
            self._put(page, name, 5, _FULL, low // 100)
            self._put(page, name, 9, _TWO, low % 100)
        for name in ("speed", "recorder"):
            high, low = np.divmod(rows[name], 10)
            self._put(page, name, 0, _BARE, high)
            self._put(page, name, 5, _ONE, low)
        self._put(page, "heading", 0, _BARE, rows["heading"])
        self._put(page, "altitude", 0, _BARE, rows["altitude"])
        self._put(page, "alarm", 0, _ONE, rows["alarm"])
        self._long(page, "status", rows["status"])
        high, low = np.divmod(rows["mileage"], 10)
        self._long(page, "mileage", high)
        self._put(page, "mileage", 9, _ONE, low)
        self._put(page, "driver", 0, _FULL, rows["driver"] // 10000)
        self._put(page, "driver", 4, _FULL, rows["driver"] % 10000)
        page[:, self._span["driver"][1]] = ord("D")
        start, _, end = self._span["told"]
        page[:, start:end] = 0
        told = np.flatnonzero(rows["told"])
        page[told, start:end] = _TOLD[rows["told"][told]]
        self._blank(page, rows)
        return page.tobytes().translate(None, b"\0")

    def _put(self, page: NDArray[np.uint8], name: str, offset: int, table: Words, value: Ints) -> None:
        """Write digits into a slot of every line."""
        start = self._span[name][1] + offset
        slot: NDArray[np.unsignedinteger] = np.ndarray((len(page),), table.dtype, page, start, (page.shape[1],))
        slot[:] = table[value]

    def _long(self, page: NDArray[np.uint8], name: str, value: Ints) -> None:
        """Write a number of up to eight digits without leading zeros."""
        high, low = np.divmod(value, 10000)
        self._put(page, name, 0, _BARE, high)
        self._put(page, name, 4, _FULL, low)
        small = np.flatnonzero(high == 0)
        start = self._span[name][1]
        page[small, start : start + 4] = 0
        page[small, start + 4 : start + 8] = _BARE[low[small]].view(np.uint8).reshape(-1, 4)

    def _blank(self, page: NDArray[np.uint8], rows: Rows) -> None:
        """Take out the fields that a row lacks."""
        for field, bit in OPTIONAL.items():
            lacking = np.flatnonzero(rows["omit"] & bit)
            start, _, end = self._span[field.split("_")[0]]
            page[lacking, start:end] = 0
        start, _, end = self._span["backfill"]
        page[np.flatnonzero(rows["backfill"] == 0), start:end] = 0
        start, end = self._span["driver"][0], self._span["quote"][2]
        page[np.flatnonzero(rows["driver"] == 0), start:end] = 0
