"""CSV: a header, then one row a line; a quoted field never spans lines."""

import csv
from typing import Any

from ingest import values
from ingest.columns import Columns, Decode, unreadable
from ingest.lines import Lines
from ingest.profile import NUMBERS, REQUIRED, Profile
from ingest.rejects import ENCODING, MALFORMED, Rejects


def _clean(field: str, cells: list[str]) -> list[Any]:
    if field in NUMBERS:
        return values.numbers_of_text(cells, unreadable(field))
    if field in ("alarm", "status"):
        return list(map(values.whole, cells))
    return list(map(values.flag, cells)) if field == "backfill" else cells


def _cells(text: bytes, encoding: str) -> list[str]:
    row = text.decode(encoding).rstrip("\r")
    return next(csv.reader((row,)), []) if '"' in row else row.split(",")


def csv_decoder(profile: Profile, header: bytes, rejects: Rejects) -> Decode:
    """Decoder of one row a line, whose columns the header names; says so if it lacks one that is needed."""
    try:
        names = [name.strip() for name in _cells(header, profile.encoding)]
    except (UnicodeError, csv.Error):
        names = []  # no header: no row will have its number of fields
    lacking = [profile.fields[field] for field in REQUIRED if profile.fields[field] not in names]
    if lacking:
        rejects.add(1, MALFORMED, f"the header has no column {', '.join(lacking)} (another feed? it needs a profile)")
    place = {field: names.index(name) for field, name in profile.fields.items() if name in names}

    def read(lines: Lines, rejects: Rejects) -> Columns:
        rows: list[list[str]] = []
        numbers: list[int] = []
        for text, line in zip(lines.texts, lines.numbers, strict=True):
            if not text.strip():
                continue
            try:
                cells = _cells(text, profile.encoding)
            except UnicodeError as error:
                rejects.add(line, ENCODING, f"not in the feed's encoding: {error}")
            except csv.Error as error:
                rejects.add(line, MALFORMED, f"{error}: {text[:60]!r}")
            else:
                if len(cells) == len(names):
                    rows.append(cells)
                    numbers.append(line)
                else:
                    rejects.add(line, MALFORMED, f"{len(cells)} fields, {len(names)} in the header: {text[:60]!r}")
        columns = list(map(list, zip(*rows, strict=True))) if rows else [[] for _ in names]
        cells_by_field = {field: columns[at] for field, at in place.items()}
        plates = cells_by_field.pop("plate", [None] * len(rows))
        colors = cells_by_field.pop("plate_color", [None] * len(rows))
        clean = {field: _clean(field, cells) for field, cells in cells_by_field.items()}
        return Columns(list(zip(plates, colors, strict=True)), clean, numbers)

    return read
