"""Positions in, columns out: NDJSON and CSV by profile, line by line, nothing lost when a line is bad."""

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from ingest import values
from ingest.batch import Batch, Int64
from ingest.lines import Lines, is_json, open_positions, read_lines
from ingest.profile import DEFAULT, FIELDS, NUMBERS, Profile
from ingest.registry import Vehicles
from ingest.rejects import ENCODING, MALFORMED, Rejects

DEFAULT_COLOR = 2
_ARE_FLAWS = ("altitude_m", "heading_deg")
"""Fields that disqualify a fix when they are given but unreadable."""
_NAMES = {str, int, float, type(None)}
"""Types a plate or a plate colour may have; anything else, ``true`` included, is unreadable."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Fixes of a file with the number of the line of each, (n,)."""

    batch: Batch
    line: Int64


Columns = dict[str, list[Any]]
"""Values of each rulebook field as the decoder found them, all of one length."""

Decode = Callable[[Lines, Rejects], tuple[Columns, list[int]]]
"""Lines to columns and the line number of each row."""


def _record(names: list[str]) -> type[msgspec.Struct]:
    """Struct with exactly these (dotted) names, every leaf of any type and missing as None."""
    heads = dict.fromkeys(name.partition(".")[0] for name in names)
    fields: list[tuple[str, Any, Any]] = []
    for at, head in enumerate(heads):
        tails = [name.partition(".")[2] for name in names if name.partition(".")[0] == head]
        if tails == [""]:
            fields.append((f"f{at}", Any, None))
        else:
            inner = _record(tails)
            fields.append((f"f{at}", inner, msgspec.field(default_factory=inner)))
    rename = {f"f{at}": head for at, head in enumerate(heads)}
    return msgspec.defstruct("Record", fields, rename=rename, gc=False)


def _attribute(names: list[str], name: str) -> str:
    """Path of attributes in a record of these names that holds `name`."""
    head, _, tail = name.partition(".")
    heads = list(dict.fromkeys(other.partition(".")[0] for other in names))
    attribute = f"f{heads.index(head)}"
    if not tail:
        return attribute
    inner = [other.partition(".")[2] for other in names if other.partition(".")[0] == head]
    return f"{attribute}.{_attribute(inner, tail)}"


def json_decoder(profile: Profile) -> Decode:
    """Decoder of one JSON object a line."""
    names = list(profile.fields.values())
    record = _record(names)
    decode = msgspec.json.Decoder(record).decode
    paths = {field: _attribute(names, name) for field, name in profile.fields.items()}
    getters = {field: attrgetter(path) for field, path in paths.items()}
    utf8 = profile.encoding.lower().replace("-", "") == "utf8"

    def lenient(text: bytes) -> Any:
        """Read what the strict decoder refuses: NaN, and a value where an object should be."""
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("not a JSON object")
        fix = record()
        for field, name in profile.fields.items():
            value: Any = found
            for step in name.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            target, _, leaf = paths[field].rpartition(".")
            setattr(attrgetter(target)(fix) if target else fix, leaf, value)
        return fix

    def read(lines: Lines, rejects: Rejects) -> tuple[Columns, list[int]]:
        texts = lines.texts if utf8 else [_recode(text, profile.encoding) for text in lines.texts]
        fixes: list[Any] = []
        pending = iter(texts)
        while True:
            try:
                fixes.extend(map(decode, pending))
                break
            except (msgspec.MsgspecError, UnicodeDecodeError):
                at = len(fixes)
                fixes.append(_second_try(lenient, texts[at], lines.numbers[at], rejects))
        numbers = lines.numbers
        if None in fixes:
            numbers = [line for line, fix in zip(numbers, fixes, strict=True) if fix is not None]
            fixes = [fix for fix in fixes if fix is not None]
        return {field: list(map(getter, fixes)) for field, getter in getters.items()}, numbers

    return read


def _recode(text: bytes, encoding: str) -> bytes:
    """Turn a line into UTF-8; one that is not of its encoding stays as it is, to be rejected."""
    try:
        return text.decode(encoding).encode()
    except UnicodeDecodeError:
        return text


def _second_try(lenient: Callable[[bytes], Any], text: bytes, line: int, rejects: Rejects) -> Any | None:
    if not text.strip():
        return None
    try:
        return lenient(text)
    except UnicodeDecodeError as error:
        rejects.add(line, ENCODING, f"not in the feed's encoding: {error.reason} at byte {error.start}")
    except (ValueError, RecursionError) as error:
        rejects.add(line, MALFORMED, f"{error}: {text[:60]!r}")
    return None


def csv_decoder(profile: Profile, header: list[str]) -> Decode:
    """Decoder of one row of these columns a line; a quoted field never spans lines."""
    width = len(header)
    at = {field: header.index(name) for field, name in profile.fields.items() if name in header}

    def read(lines: Lines, rejects: Rejects) -> tuple[Columns, list[int]]:
        rows: list[list[str]] = []
        numbers: list[int] = []
        for text, line in zip(lines.texts, lines.numbers, strict=True):
            try:
                row = text.decode(profile.encoding).rstrip("\r")
                cells = next(csv.reader((row,)), []) if '"' in row else row.split(",")
            except UnicodeDecodeError as error:
                rejects.add(line, ENCODING, f"not in the feed's encoding: {error.reason} at byte {error.start}")
                continue
            except csv.Error as error:
                rejects.add(line, MALFORMED, f"{error}: {text[:60]!r}")
                continue
            if len(cells) == width:
                rows.append(cells)
                numbers.append(line)
            elif row.strip():
                rejects.add(line, MALFORMED, f"{len(cells)} fields, {width} in the header: {text[:60]!r}")
        columns = list(zip(*rows, strict=True)) if rows else [()] * width
        return {field: list(columns[place]) for field, place in at.items()}, numbers

    return read


class Reader:
    """Turns decoded values into batches, and keeps count of what is no fix."""

    def __init__(self, vehicles: Vehicles, profile: Profile, rejects: Rejects) -> None:
        self.vehicles, self.profile, self.rejects = vehicles, profile, rejects
        self.rows: dict[tuple[object, object], int] = {}

    def _row(self, plate: object, color: object, line: int) -> int:
        """Row of the vehicle under this spelling; -1 for what is no name of a vehicle."""
        known = self.rows.get((plate, color))
        if known is not None:
            return known
        number = DEFAULT_COLOR if values.is_missing(color) else values.whole(color)
        if not isinstance(plate, str) or not plate.strip() or number is None or number > 255:
            self.rejects.add(line, MALFORMED, f"no plate and plate colour: {plate!r}, {color!r}")
            return -1
        row = self.rows[plate, color] = self.vehicles.row(plate.strip(), number)
        return row

    def _vehicle_rows(self, plates: list[Any], colors: list[Any], lines: list[int]) -> list[int]:
        if not {*map(type, plates), *map(type, colors)} <= _NAMES:
            plates, colors = ([cell if type(cell) in _NAMES else () for cell in cells] for cells in (plates, colors))
        found = map(self.rows.get, zip(plates, colors, strict=True))
        return [self._row(plates[at], colors[at], lines[at]) if row is None else row for at, row in enumerate(found)]

    def positions(self, columns: Columns, lines: list[int]) -> Positions:
        """Convert decoded values; rows that name no vehicle are counted and left out."""
        n = len(lines)
        absent = [None] * n
        cells = {field: columns.get(field, absent) for field in FIELDS}
        vehicle = np.array(self._vehicle_rows(cells["plate"], cells["plate_color"], lines), np.int32)
        measured = {
            field: values.numbers(cells[field], math.inf if field in _ARE_FLAWS else math.nan) for field in NUMBERS
        }
        for field, factor in self.profile.multiply.items():
            measured[field] *= factor
        for field, factor in self.profile.divide.items():
            measured[field] /= factor
        batch = Batch(
            vehicle=vehicle,
            time_ms=self._times(cells["time"]),
            **measured,
            alarm=values.wholes(cells["alarm"], -1),
            status=values.wholes(cells["status"], -1),
            received_ms=self._times(cells["received"]),
            backfill=values.flags(cells["backfill"]),
            driver=values.drivers(cells["driver"]),
        )
        numbers = np.array(lines, np.int64)
        named = np.flatnonzero(vehicle >= 0)
        return Positions(batch, numbers) if len(named) == n else Positions(batch.take(named), numbers[named])

    def _times(self, cells: list[Any]) -> Int64:
        if self.profile.epoch_unit_ms != 1:
            cells = [
                cell * self.profile.epoch_unit_ms
                if isinstance(cell, int | float) and not isinstance(cell, bool)
                else cell
                for cell in cells
            ]
        return values.times(cells, self.profile.text_ms())


def read_positions(
    source: BufferedReader,
    name: str,
    vehicles: Vehicles,
    rejects: Rejects,
    profile: Profile = DEFAULT,
) -> Iterator[Positions]:
    """Read a stream of positions, chunk by chunk.

    Parameters
    ----------
    source : binary stream
        NDJSON or CSV, plain or gzipped.
    name : str
        The file's name; what its suffixes do not tell is told by the first byte.
    vehicles : Vehicles
        Learns the vehicles it does not know.
    rejects : Rejects
        Learns the lines that are no fix.

    Source: rulebook §8; ``docs/formats.md`` §1.
    """
    stream = open_positions(source)
    reader = Reader(vehicles, profile, rejects)
    decode: Decode | None = None
    for lines in read_lines(stream, rejects):
        if decode is None:
            lines.texts[0] = lines.texts[0].removeprefix(b"\xef\xbb\xbf")
            if is_json(name, b"\n".join(lines.texts)):
                decode = json_decoder(profile)
            else:
                header = next(csv.reader([lines.texts[0].decode(profile.encoding, "replace").rstrip("\r")]), [])
                decode = csv_decoder(profile, [column.strip() for column in header])
                lines = Lines(lines.texts[1:], lines.numbers[1:])
        columns, numbers = decode(lines, rejects)
        if numbers:
            yield reader.positions(columns, numbers)
