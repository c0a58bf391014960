"""Values: single ones of any type made clean, and clean ones made columns.

``docs/formats.md`` §1 says what is a number, a whole number, a time. *Clean* means: numbers are int,
float or None, never bool or text, and what was given but unreadable has already become what the
column shows for it.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ingest.batch import MAX_MS, MISSING_MS, Float64, Int64
from ingest.moment import number_ms, parse_ms
from ingest.registry import driver_code

U32 = (1 << 32) - 1
_PLAIN = re.compile(r"[0-9.eE+-]*", re.ASCII)
_ISO = re.compile(r"(?P<clock>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3})?)(?P<zone>Z|[+-]\d\d:\d\d|)", re.ASCII)

TextMs = Callable[[str], int | None]
"""Reads a text that is a time [ms]; None where it cannot."""


def is_missing(value: object) -> bool:
    """Absent, null or empty text."""
    return value is None or (isinstance(value, str) and not value.strip())


def number(value: object, unreadable: float = math.nan) -> float | None:
    """Finite number; None where missing, `unreadable` where it cannot be read."""
    if is_missing(value):
        return None
    readable = (value.isascii() and "_" not in value) if isinstance(value, str) else isinstance(value, int | float)
    if isinstance(value, bool) or not readable:
        return unreadable
    try:
        result = float(value)  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return unreadable
    return result if math.isfinite(result) else unreadable


def whole(value: object, most: int = U32) -> int | None:
    """Whole number from 0 to `most`; None where missing or unreadable."""
    result = number(value)
    return int(result) if result is not None and 0 <= result <= most and result == int(result) else None


def flag(value: object) -> bool:
    """Truth of ``true`` and ``1``, also as text."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1")
    return isinstance(value, int | float) and value == 1


def text(value: object) -> str | None:
    """Text; an integer is taken as its text; None for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def numbers_of_text(cells: Sequence[str], unreadable: float = math.nan) -> list[float | None]:
    """Clean numbers of texts."""
    if _PLAIN.fullmatch("".join(cells)):
        try:
            clean = [float(cell) if cell else None for cell in cells]
        except ValueError:
            clean = [math.inf]
        if math.inf not in clean and -math.inf not in clean:
            return clean
    return [number(cell, unreadable) for cell in cells]


def floats(clean: Sequence[float | None]) -> Float64:
    """Column of numbers, (n,); NaN where missing."""
    try:
        return np.fromiter(clean, np.float64, len(clean))
    except TypeError:
        return np.array(clean, np.float64)


def ints(clean: Sequence[int | None], missing: int) -> Int64:
    """Column of whole numbers, (n,)."""
    try:
        if clean.count(None) == len(clean):
            return np.full(len(clean), missing, np.int64)
        return np.fromiter(clean, np.int64, len(clean))
    except TypeError:
        return np.array([missing if value is None else value for value in clean], np.int64)


class Drivers(dict[str | None, int]):
    """Codes of drivers by their text, worked out once; forgotten where a feed makes up ever new ones.

    Attributes
    ----------
    fresh : dict of str
        Code to text of the drivers met since somebody last took it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fresh: dict[int, str] = {}

    def __missing__(self, text: str | None) -> int:
        if len(self) > 1 << 20:
            self.clear()
        name = (text or "").strip()
        code = driver_code(name)
        if code:
            self.fresh[code] = name
        if text is None or len(text) <= 64:
            self[text] = code
        return code

    def codes(self, clean: Sequence[str | None]) -> Int64:
        """Codes of the drivers' texts, (n,); 0 where none."""
        if not any(clean):
            return np.zeros(len(clean), np.int64)
        return np.fromiter(map(self.__getitem__, clean), np.int64, len(clean))


def time_ms(value: object, text_ms: TextMs = parse_ms) -> int:
    """Read one time [ms of the epoch]; ``MISSING_MS`` where missing or unreadable."""
    if isinstance(value, str):
        found = text_ms(value.strip())
        return MISSING_MS if found is None else found
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_ms(value)
    return MISSING_MS


def _iso_column(values: Sequence[str]) -> Int64 | None:
    """Times of texts of one layout and zone, (n,); None where they are not all of that kind."""
    layout = _ISO.fullmatch(values[0])
    if layout is None:
        return None
    clock, zone = layout.end("clock"), layout["zone"]
    texts = np.array(values)
    letters = texts.view(np.uint32).reshape(len(texts), -1)
    digit = np.array([at < clock and letter.isdigit() for at, letter in enumerate(values[0])])
    if letters.shape[1] != len(digit):
        return None
    zero = np.uint32(ord("0"))
    if (letters[:, ~digit] != letters[0, ~digit]).any() or (letters[:, digit] - zero > 9).any():
        return None
    try:
        column = np.ascontiguousarray(letters[:, :clock]).view(f"U{clock}")[:, 0].astype("M8[ms]")
    except ValueError:
        return None
    offset = parse_ms(f"1970-01-01T00:00:00{zone}")
    return None if offset is None else column.astype(np.int64) + offset


def times(values: Sequence[Any], text_ms: TextMs = parse_ms) -> Int64:
    """Times of numbers and texts [ms of the epoch], (n,); ``MISSING_MS`` where missing or unreadable.

    Parameters
    ----------
    text_ms : callable
        Reads a text that is a time; the default reads ISO 8601 and epoch milliseconds.
    """
    kinds = set(map(type, values))
    if kinds == {int}:
        try:
            column = np.fromiter(values, np.int64, len(values))
        except OverflowError:
            pass
        else:
            column[np.abs(column) >= MAX_MS] = MISSING_MS
            return column
    if kinds == {type(None)}:
        return np.full(len(values), MISSING_MS, np.int64)
    if kinds == {str} and text_ms is parse_ms:
        iso = _iso_column(values)
        if iso is not None:
            return iso
    return np.array([time_ms(value, text_ms) for value in values], np.int64)
