"""CSV: a header, then one row a line; a quoted field never spans lines."""

import csv
from typing import Any

from ingest import values
from ingest.columns import Columns, Decode, unreadable
from ingest.lines import Lines
from ingest.profile import NUMBERS, Profile
from ingest.rejects import ENCODING, MALFORMED, Rejects


def _clean(field: str, cells: list[str]) -> list[Any]:
    if field in NUMBERS:
        return values.numbers_of_text(cells, unreadable(field))
    if field in ("alarm", "status"):
        return list(map(values.whole, cells))
    return list(map(values.flag, cells)) if field == "backfill" else cells


def csv_decoder(profile: Profile, header: bytes) -> Decode:
    """Decoder of one row a line, whose columns the header names."""
    names = next(csv.reader([header.decode(profile.encoding, "replace").rstrip("\r")]), [])
    names = [name.strip() for name in names]
    place = {field: names.index(name) for field, name in profile.fields.items() if name in names}

    def cells_of(text: bytes) -> list[str]:
        row = text.decode(profile.encoding).rstrip("\r")
        return next(csv.reader((row,)), []) if '"' in row else row.split(",")

    def read(lines: Lines, rejects: Rejects) -> Columns:
        rows: list[list[str]] = []
        numbers: list[int] = []
        for text, line in zip(lines.texts, lines.numbers, strict=True):
            try:
                cells = cells_of(text)
            except UnicodeDecodeError as error:
                rejects.add(line, ENCODING, f"not in the feed's encoding: {error.reason} at byte {error.start}")
            except csv.Error as error:
                rejects.add(line, MALFORMED, f"{error}: {text[:60]!r}")
            else:
                if len(cells) == len(names):
                    rows.append(cells)
                    numbers.append(line)
                elif text.strip():
                    rejects.add(line, MALFORMED, f"{len(cells)} fields, {len(names)} in the header: {text[:60]!r}")
        columns = list(map(list, zip(*rows, strict=True))) if rows else [[] for _ in names]
        cells_by_field = {field: columns[at] for field, at in place.items()}
        plates = cells_by_field.pop("plate", [None] * len(rows))
        colors = cells_by_field.pop("plate_color", [None] * len(rows))
        clean = {field: _clean(field, cells) for field, cells in cells_by_field.items()}
        return Columns(list(zip(plates, colors, strict=True)), clean, numbers)

    return read
