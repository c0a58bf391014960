"""Values: how formats.md §1 reads a number, a whole number, a time and a text."""

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone

NAN = math.nan
DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
DIGITS = re.compile(r"[0-9]+")
BEIJING = timezone(timedelta(hours=8))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000
INT64 = 2**63


def number(raw: object) -> float | None:
    """None: missing. NaN: unreadable. "A JSON number, or text that holds a plain decimal number"."""
    if raw is None:
        return None
    if isinstance(raw, str):
        text = raw.strip()
        if not text:
            return None
        if not DECIMAL.fullmatch(text):
            return NAN
        value = float(text)
    elif isinstance(raw, bool):
        return NAN
    elif isinstance(raw, (int, float)):
        try:
            value = float(raw)
        except OverflowError:
            return NAN
    else:
        return NAN
    return value if math.isfinite(value) else NAN


def whole(raw: object, top: int) -> int | None:
    """A whole number 0..top ("a number without fraction"); None when missing or unreadable."""
    value = number(raw)
    if value is None or not value.is_integer() or not 0 <= value <= top:
        return None
    return int(value)


def text(raw: object) -> str | None:
    """Text, stripped; None when missing, empty or no text."""
    if isinstance(raw, str):
        return raw.strip() or None
    return None


def driver(raw: object) -> str | None:
    """ "text, stripped (an integer is taken as its text)"."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    return text(raw)


def flag(raw: object) -> bool:
    """ "`true` or `1` (also as text, in any case)"."""
    if isinstance(raw, str):
        return raw.strip().lower() in ("true", "1")
    return isinstance(raw, (bool, int, float)) and raw == 1


def time(raw: object) -> int | None:
    """Milliseconds of the epoch; None when missing or unreadable (both are `unqualified`)."""
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, int):
        return in_int64(raw)
    if isinstance(raw, float):
        return in_int64(math.floor(raw)) if math.isfinite(raw) else None
    if not isinstance(raw, str):
        return None
    words = raw.strip()
    if DIGITS.fullmatch(words):
        return in_int64(int(words)) if len(words) < 4000 else None
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=BEIJING)
    return (moment - EPOCH) // MILLISECOND


def in_int64(ms: int) -> int | None:
    """ "Times are int64 milliseconds of the epoch"."""
    return ms if -INT64 <= ms < INT64 else None


def validity(valid_from: str, valid_to: str) -> tuple[float, float]:
    """[from, to): a bare date means midnight for `valid_from`, "the whole day for `valid_to`"."""
    begin, end = -math.inf, math.inf
    if valid_from.strip():
        begin = float(needed(valid_from))
    if valid_to.strip():
        end = float(needed(valid_to)) + (DAY_MS if bare_date(valid_to) else 0)
    return begin, end


def needed(words: str) -> int:
    """A time that must be readable; "eight digits (`20260331`) are a date here"."""
    ms = time(dashed(words))
    if ms is None:
        raise ValueError(f"no time: {words!r}")
    return ms


def dashed(words: str) -> str:
    """Eight digits with the dashes of the date they are; anything else as it is."""
    words = words.strip()
    return f"{words[:4]}-{words[4:6]}-{words[6:]}" if DIGITS.fullmatch(words) and len(words) == 8 else words


def shown_moment(ms: float) -> str:
    """A moment by Beijing clocks, cut to seconds."""
    return (EPOCH + ms // 1000 * timedelta(seconds=1)).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def bare_date(words: str) -> bool:
    """ "A bare date (`2026-03-31`)"; other text of digits only is epoch milliseconds, no date."""
    if DIGITS.fullmatch(dashed(words)):
        return False
    try:
        date.fromisoformat(dashed(words))
    except ValueError:
        return False
    return True
