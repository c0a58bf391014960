"""Positions: NDJSON or CSV lines to plain fixes, formats.md §1."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

from . import values
from .lines import raw_lines

U32 = 2**32 - 1
MALFORMED = "malformed"
ENCODING = "encoding"

csv.field_size_limit(1 << 21)


@dataclass(slots=True)
class Fix:
    """One line. None: not given; NaN: given but unreadable (only numbers the gate looks at)."""

    plate: str
    plate_color: int
    time: int | None
    lon: float | None
    lat: float | None
    speed_kmh: float | None
    altitude_m: float | None = None
    heading_deg: float | None = None
    recorder_speed_kmh: float | None = None
    mileage_km: float | None = None
    alarm: int | None = None
    status: int | None = None
    received: int | None = None
    backfill: bool = False
    driver: str | None = None
    items: Mapping[str, object] = field(default_factory=dict)


ITEMS = ("video_alarm", "abnormal", "adas", "dsm", "bsd", "tpms", "harsh", "passengers")
FIELDS = (*(name for name in Fix.__dataclass_fields__ if name != "items"), *ITEMS)


def escaped(words: str) -> bool:
    """Whether the words hold bytes that are not UTF-8 ("in a field that is read")."""
    return any("\udc80" <= letter <= "\udcff" for letter in words)


def json_int(digits: str) -> float:
    """An integer beyond any double is an infinity, "however written"."""
    return int(digits) if len(digits) < 400 else float(digits)


DECODER = json.JSONDecoder(parse_int=json_int)


class Positions:
    """The fixes of one file in arrival order; `rejects` counts the lines that are no fix."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rejects: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Fix]:
        is_csv = named_csv(self.path)
        header: list[str] | None = None
        for n, line in enumerate(raw_lines(self.path)):
            if isinstance(line, str):
                self.rejects[line] += 1
                continue
            if n == 0:
                line = line.removeprefix(b"\xef\xbb\xbf")  # "a byte-order mark and CRLF are accepted"
            words = line.decode("utf-8", "surrogateescape").removesuffix("\r")
            if not words.strip():
                continue  # "Blank lines are skipped"
            if is_csv is None:
                is_csv = not words.lstrip().startswith("{")
            if is_csv and escaped(words):
                self.rejects[ENCODING] += 1
                header = header or []
                continue
            if is_csv and header is None:
                header = [name.strip() for name in csv_row(words) or []]
                continue
            fields = csv_fields(header or [], words) if is_csv else json_fields(words)
            read = [words] if fields is None else [fields[name] for name in FIELDS if name in fields]
            fix = None if fields is None else fix_of(fields)
            if escaped(words) and any(isinstance(value, str) and escaped(value) for value in read):
                self.rejects[ENCODING] += 1
            elif fix is None:
                self.rejects[MALFORMED] += 1
            else:
                yield fix


def named_csv(path: Path) -> bool | None:
    """By the name; where it says nothing (None), by the first line."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".csv"):
        return True
    return False if name.endswith((".ndjson", ".jsonl", ".json")) else None


def csv_row(words: str) -> list[str] | None:
    """One row a line ("a quoted field never spans lines")."""
    try:
        return next(csv.reader([words]), None)
    except csv.Error:
        return None


def csv_fields(header: list[str], words: str) -> Mapping[str, object] | None:
    """ "a row with another number of fields than the header" is malformed."""
    row = csv_row(words)
    if row is None or len(row) != len(header):
        return None
    return dict(zip(header, row, strict=True))


def json_fields(words: str) -> Mapping[str, object] | None:
    """One JSON object a line."""
    try:
        found = DECODER.decode(words)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def fix_of(fields: Mapping[str, object]) -> Fix | None:
    """The table of formats.md §1; None where the line is no fix."""
    get = fields.get
    plate = values.text(get("plate"))
    color = get("plate_color")
    missing = color is None or (isinstance(color, str) and not color.strip())
    plate_color = 2 if missing else values.whole(color, 255)
    if plate is None or plate_color is None or not spelled(plate):
        return None
    return Fix(
        plate=plate,
        plate_color=plate_color,
        time=values.time(get("time")),
        lon=values.number(get("lon")),
        lat=values.number(get("lat")),
        speed_kmh=values.number(get("speed_kmh")),
        altitude_m=values.number(get("altitude_m")),
        heading_deg=values.number(get("heading_deg")),
        recorder_speed_kmh=given(values.number(get("recorder_speed_kmh"))),
        mileage_km=given(values.number(get("mileage_km"))),
        alarm=values.whole(get("alarm"), U32),
        status=values.whole(get("status"), U32),
        received=values.time(get("received")),
        backfill=values.flag(get("backfill")),
        driver=values.driver(get("driver")),
        items={name: fields[name] for name in ITEMS if name in fields},
    )


def spelled(plate: str) -> bool:
    """ "up to 64 characters, without NUL and halves of surrogate pairs"."""
    return len(plate) <= 64 and "\x00" not in plate and not any("\ud800" <= letter <= "\udfff" for letter in plate)


def given(value: float | None) -> float | None:
    """Unreadable is "not given" for numbers the gate does not look at."""
    return None if value is None or isnan(value) else value
