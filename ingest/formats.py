"""Positions in, batches out: a stream of lines, whatever its format and profile."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest import items, values
from ingest.batch import MISSING_MS, Batch, Int64
from ingest.columns import MOST_COLOR, Columns, Decode
from ingest.csvlines import csv_decoder
from ingest.jsonlines import json_decoder
from ingest.lines import Lines, is_json, read_lines
from ingest.profile import DEFAULT, NUMBERS, Profile
from ingest.registry import Vehicles
from ingest.rejects import MALFORMED, Rejects
from ingest.unzip import Source

DEFAULT_COLOR = 2
MOST_NAME = 64
"""Longest plate, in characters."""
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""Characters that no database keeps and no plate has: NUL, and halves of surrogate pairs."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Fixes of a file with the number of the line of each, (n,)."""

    batch: Batch
    line: Int64


class Rows(dict[tuple[Any, Any], int]):
    """Row of each vehicle by its spelling in the feed; -1, and not kept, for what names no vehicle."""

    def __init__(self, vehicles: Vehicles) -> None:
        super().__init__()
        self.vehicles = vehicles

    def __missing__(self, name: tuple[Any, Any]) -> int:
        plate, color = name
        number = DEFAULT_COLOR if values.is_missing(color) else values.whole(color, MOST_COLOR)
        if not isinstance(plate, str) or not 0 < len(plate.strip()) <= MOST_NAME or number is None:
            return -1
        if _NO_TEXT.search(plate):
            return -1
        row = self[name] = self.vehicles.row(plate.strip(), number)
        return row


class Reader:
    """Turns columns of values into batches, and finds the vehicles they name."""

    def __init__(self, vehicles: Vehicles, profile: Profile, rejects: Rejects) -> None:
        self.profile, self.rejects = profile, rejects
        self.rows = Rows(vehicles)
        self.drivers = values.Drivers()

    def positions(self, columns: Columns) -> Positions:
        """Convert values; rows that name no vehicle are counted and left out."""
        n = len(columns.lines)
        found = columns.values
        vehicle = np.fromiter(map(self.rows.__getitem__, columns.name), np.int32, n)
        for at in np.flatnonzero(vehicle < 0):
            self.rejects.add(
                columns.lines[at], MALFORMED, f"no plate, or an unreadable plate colour: {columns.name[at]}"
            )
        measured = {field: values.floats(found[field]) if field in found else np.full(n, np.nan) for field in NUMBERS}
        for field, factor in self.profile.multiply.items():
            measured[field] *= factor
        for field, factor in self.profile.divide.items():
            measured[field] /= factor
        absent = [None] * n
        batch = Batch(
            vehicle=vehicle,
            time_ms=self._times(found.get("time"), n),
            lon=measured["lon"],
            lat=measured["lat"],
            speed_kmh=measured["speed_kmh"],
            heading_deg=measured["heading_deg"],
            altitude_m=measured["altitude_m"],
            recorder_speed_kmh=measured["recorder_speed_kmh"],
            mileage_km=measured["mileage_km"],
            alarm=values.ints(found.get("alarm", absent), -1),
            status=values.ints(found.get("status", absent), -1),
            received_ms=self._times(found.get("received"), n),
            backfill=np.array(found.get("backfill", absent), np.bool_),
            driver=self.drivers.codes(found.get("driver", absent)),
            items=items.pack(found, n),
        )
        numbers = np.array(columns.lines, np.int64)
        named = np.flatnonzero(vehicle >= 0)
        return Positions(batch, numbers) if len(named) == n else Positions(batch.take(named), numbers[named])

    def _times(self, cells: list[Any] | None, n: int) -> Int64:
        if cells is None:
            return np.full(n, MISSING_MS, np.int64)
        unit = self.profile.epoch_unit_ms
        if unit != 1:
            cells = [cell * unit if type(cell) in (int, float) else cell for cell in cells]
        return values.times(cells, self.profile.text_ms())


def read_positions(
    source: Source,
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
    reader = Reader(vehicles, profile, rejects)
    decode: Decode | None = None
    for lines in read_lines(source, rejects):
        if decode is None:
            lines = from_first_text(lines)
            if not lines.texts:
                continue
            if is_json(name, lines.texts[0]):
                decode = json_decoder(profile)
            else:
                decode = csv_decoder(profile, lines.texts[0], rejects)
                lines = Lines(lines.texts[1:], lines.numbers[1:])
        columns = decode(lines, rejects)
        if columns.lines and len((positions := reader.positions(columns)).batch):
            yield positions


def from_first_text(lines: Lines) -> Lines:
    """Leave out the blank lines, and the byte-order mark, with which a file may begin."""
    if lines.numbers[0] == 1:
        lines.texts[0] = lines.texts[0].removeprefix(b"\xef\xbb\xbf")
    first = next((at for at, text in enumerate(lines.texts) if text.strip()), len(lines.texts))
    return Lines(lines.texts[first:], lines.numbers[first:])
