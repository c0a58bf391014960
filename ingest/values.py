"""Values to columns: lists of what a decoder found, of whatever types, to arrays.

A clean column is converted at once; only a column with a stray type is walked value by value.
``docs/formats.md`` §1 says what is a number, a whole number, a time.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ingest.batch import MAX_MS, MISSING_MS, Bool, Float64, Int64
from ingest.moment import number_ms, parse_ms
from ingest.registry import driver_code

NONE = type(None)
_PLAIN_TEXT = re.compile(r"[0-9.eE+-]*", re.ASCII)
_U32 = (1 << 32) - 1
_ISO = re.compile(r"(?P<clock>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3})?)(?P<zone>Z|[+-]\d\d:\d\d|)", re.ASCII)


def number(value: object) -> float | None:
    """Read a finite number; None where it cannot be read."""
    if isinstance(value, str):
        if not value.isascii() or "_" in value:
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def whole(value: object) -> int | None:
    """Read a whole number that fits 32 bits, unsigned; None where it cannot be read."""
    result = value if type(value) is int else number(value)
    return int(result) if result is not None and 0 <= result <= _U32 and result == int(result) else None


def is_missing(value: object) -> bool:
    """Absent, null or empty text."""
    return value is None or (isinstance(value, str) and not value.strip())


def _plain(values: Sequence[Any]) -> Float64 | None:
    """Column of clean values, (n,), NaN where missing; None where one has to be looked at."""
    kinds = set(map(type, values))
    try:
        if kinds <= {int, float, NONE}:
            column = np.array(values, np.float64)
            missing = values.count(None)
        elif kinds == {str} and _PLAIN_TEXT.fullmatch("".join(values)):
            column = np.array([float(value) if value else math.nan for value in values])
            missing = values.count("")
        else:
            return None
    except (OverflowError, ValueError):
        return None
    return column if np.isfinite(column).sum() == len(column) - missing else None


def numbers(values: Sequence[Any], unreadable: float = math.nan) -> Float64:
    """Finite numbers, (n,); NaN where missing, `unreadable` where unreadable."""
    column = _plain(values)
    if column is not None:
        return column
    found = (math.nan if is_missing(value) else number(value) for value in values)
    return np.array([unreadable if value is None else value for value in found], np.float64)


def wholes(values: Sequence[Any], missing: int) -> Int64:
    """Unsigned whole numbers of 32 bits, (n,); `missing` where missing or unreadable."""
    if set(map(type, values)) == {NONE}:
        return np.full(len(values), missing, np.int64)
    found = map(whole, values)
    return np.array([missing if value is None else value for value in found], np.int64)


def flags(values: Sequence[Any]) -> Bool:
    """Truth of ``true`` and ``1``, also as text, (n,)."""
    if set(map(type, values)) <= {bool, NONE}:
        return np.array(values, np.bool_)
    return np.array(
        [
            value is True or (not isinstance(value, bool) and str(value).strip().lower() in ("true", "1"))
            for value in values
        ],
        np.bool_,
    )


def drivers(values: Sequence[Any]) -> Int64:
    """Codes of the drivers' texts, (n,); 0 where none."""
    kinds = set(map(type, values))
    if kinds == {NONE}:
        return np.zeros(len(values), np.int64)
    if not kinds <= {str, NONE}:
        values = [str(value) if type(value) is int else value if type(value) is str else None for value in values]
    return np.array([driver_code(value.strip()) if value else 0 for value in values], np.int64)


def time_ms(value: object, text_ms: Callable[[str], int | None] = parse_ms) -> int:
    """Read one time [ms of the epoch]; ``MISSING_MS`` where missing or unreadable."""
    if isinstance(value, str):
        found = text_ms(value.strip())
        return MISSING_MS if found is None else found
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return number_ms(value) if plain else MISSING_MS  # type: ignore[arg-type]


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
    if (letters[:, ~digit] != letters[0, ~digit]).any() or (letters[:, digit] - np.uint32(ord("0")) > 9).any():
        return None
    try:
        column = np.ascontiguousarray(letters[:, :clock]).view(f"U{clock}")[:, 0].astype("M8[ms]")
    except ValueError:
        return None
    beijing_or_zone = parse_ms(f"1970-01-01T00:00:00{zone}")
    return None if beijing_or_zone is None else column.astype(np.int64) + beijing_or_zone


def times(values: Sequence[Any], text_ms: Callable[[str], int | None] = parse_ms) -> Int64:
    """Times [ms of the epoch], (n,); ``MISSING_MS`` where missing or unreadable.

    Parameters
    ----------
    text_ms : callable
        Reads a text that is a time; the default reads ISO 8601 and epoch milliseconds.
    """
    kinds = set(map(type, values))
    if kinds == {int}:
        try:
            column = np.array(values, np.int64)
        except OverflowError:
            pass
        else:
            column[np.abs(column) >= MAX_MS] = MISSING_MS
            return column
    if kinds == {NONE}:
        return np.full(len(values), MISSING_MS, np.int64)
    column_or_none = _iso_column(values) if kinds == {str} and text_ms is parse_ms else None
    if column_or_none is not None:
        return column_or_none
    return np.array([time_ms(value, text_ms) for value in values], np.int64)
