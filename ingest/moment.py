"""Moments: text and numbers to milliseconds of the epoch, and Beijing days."""

from datetime import UTC, date, datetime, timedelta, timezone

from ingest.batch import MAX_MS, MISSING_MS

BEIJING = timezone(timedelta(hours=8))
"""Asia/Shanghai, which has no daylight saving time."""

BEIJING_MS = 28_800_000
"""What Beijing clocks are ahead of UTC [ms]."""

DAY_MS = 86_400_000
HOUR_MS = 3_600_000

ALWAYS_FROM_MS = -MAX_MS
ALWAYS_TO_MS = MAX_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_ms(text: str) -> int | None:
    """Read a time: digits are epoch milliseconds, other text ISO 8601, +08:00 where it has no zone.

    Returns
    -------
    int or None
        [ms of the epoch], cut towards the past; None where it cannot be read.
    """
    if text.isascii() and text.isdigit():
        value = int(text) if len(text) < 16 else MAX_MS
        return value if value < MAX_MS else None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=BEIJING)
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def midnight_ms(day: date) -> int:
    """When a Beijing day begins [ms of the epoch]."""
    return (day - _EPOCH.date()).days * DAY_MS - BEIJING_MS


def _dashed(text: str) -> str:
    """Read 20260331 as the date it is; of other digits only epoch milliseconds of our time can be read.

    Ten digits would be seconds, fourteen a date with its clock: as milliseconds both are centuries off.
    """
    if not text.isdigit() or len(text) == len("1772380800000"):
        return text
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == len("20260331") else ""


def from_ms(text: str) -> int | None:
    """Read the beginning of a validity; empty text means always."""
    return parse_ms(_dashed(text)) if text else ALWAYS_FROM_MS


def until_ms(text: str) -> int | None:
    """Read the end of a validity; a bare date includes its whole day, empty text means always."""
    if not text:
        return ALWAYS_TO_MS
    text = _dashed(text)
    moment = parse_ms(text)
    bare_date = len(text) == len("2026-03-31") and text.count("-") == 2
    return moment + DAY_MS if moment is not None and bare_date else moment


def number_ms(value: float) -> int:
    """Epoch milliseconds of a number, cut towards the past; ``MISSING_MS`` where no clock shows it."""
    return int(value // 1) if abs(value) < MAX_MS else MISSING_MS
