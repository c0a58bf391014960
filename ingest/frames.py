"""Frames of the log into one batch: whose fix stands where, and what is no fix, byte for byte."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ingest.batch import MISSING_MS, Batch, Int32, Int64, concat, no_fixes
from ingest.columns import Decode
from ingest.csvlines import csv_decoder
from ingest.formats import Positions, Reader
from ingest.jsonlines import json_decoder
from ingest.lines import Lines
from ingest.log import CSV, POSITIONS, TICK, Frame, partition_of
from ingest.moment import parse_ms
from ingest.profile import DEFAULT, Profile
from ingest.registry import Vehicles
from ingest.rejects import MALFORMED, Rejects
from ingest.ticks import NO_TICKS, Ticks

UNKNOWN_FORM = "unknown_form"
MISROUTED = "misrouted"
"""A vehicle's fix in a partition that is not the vehicle's: its order would not be kept."""

_LINES = 512
"""Lines that are decoded at once."""


class Quarantined(NamedTuple):
    """A record that is no fix."""

    frame: Frame
    row: int
    reason: str
    detail: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """What frames hold.

    Attributes
    ----------
    batch : Batch, (n,)
        ``received_ms`` is the frame's where the record has none.
    frame, row : (n,)
        Index of each fix's frame, and its line there, from 0.
    quarantined : list of Quarantined
        Records that are no fix.
    ticks : dict of int
        Partition to the latest tick [ms].
    among : Ticks
        All ticks, where they stand among the fixes, and the partition of each vehicle.
    """

    batch: Batch
    frame: Int64
    row: Int32
    quarantined: list[Quarantined]
    ticks: dict[int, int]
    among: Ticks


class _Refused(Rejects):
    """Rejects that keeps every one."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[tuple[int, str, str]] = []

    def add(self, line: int, reason: str, detail: str) -> None:
        self.all.append((line, reason, detail))


class Decoder:
    """Reads frames for a set of vehicles, which it adds to as it hears of new ones.

    Parameters
    ----------
    partitions : int
        Of the log, to know which one is a vehicle's.
    profiles : mapping
        Profiles by the name that a form gives; the plain form takes that of the empty name.
    """

    def __init__(self, vehicles: Vehicles, partitions: int, profiles: Mapping[str, Profile]) -> None:
        self.vehicles, self.partitions = vehicles, partitions
        self.refused = _Refused()
        self.readers: dict[str, tuple[Reader, Decode | None]] = {}
        for name, profile in {"": DEFAULT, **profiles}.items():
            reader, of = Reader(vehicles, profile, self.refused), f":{name}" if name else ""
            self.readers[POSITIONS + of] = reader, json_decoder(profile)
            self.readers[CSV + of] = reader, None
        self._home = np.zeros(0, np.int16)

    def home(self) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        """Partition of each vehicle, (vehicles,)."""
        known = len(self._home)
        if known < len(self.vehicles):
            fresh = [partition_of(plate, color, self.partitions) for plate, color in self.vehicles.names[known:]]
            self._home = np.concatenate([self._home, np.array(fresh, np.int16)])
        return self._home

    def drivers(self) -> dict[int, str]:
        """Drivers met since this was last asked: code to text."""
        found: dict[int, str] = {}
        for reader in {id(reader): reader for reader, _ in self.readers.values()}.values():
            found |= reader.drivers.fresh
            reader.drivers.fresh = {}
        return found

    def decode(self, frames: Sequence[Frame]) -> Decoded:
        """Read frames in their order; nothing in them can stop it."""
        quarantined: list[Quarantined] = []
        ticks: dict[int, int] = {}
        marks: list[tuple[int, int, int]] = []
        parts: list[Positions] = []
        texts: list[bytes] = []
        origin: list[tuple[int, int]] = []
        form = POSITIONS
        for at, frame in enumerate(frames):
            if frame.form == TICK:
                tick = parse_ms(frame.content.decode("ascii", "replace"))
                if tick is None:
                    quarantined.append(Quarantined(frame, 0, MALFORMED, "not the time of a tick", frame.content))
                else:
                    ticks[frame.partition] = max(tick, ticks.get(frame.partition, tick))
                    marks.append((at, tick, frame.partition))
                continue
            if frame.form not in self.readers:
                detail = f"this program reads {', '.join(self.readers)}, not {frame.form}"
                quarantined.append(Quarantined(frame, 0, UNKNOWN_FORM, detail, frame.content))
                continue
            if frame.form != form or len(texts) >= _LINES or self.readers[form][1] is None:
                self._read(form, texts, len(origin), parts)
                texts, form = [], frame.form
            lines = frame.content.split(b"\n")
            if not lines[-1]:
                lines.pop()
            texts.extend(lines)
            origin.extend((at, row) for row in range(len(lines)))
        self._read(form, texts, len(origin), parts)
        where = np.array(origin, np.int64).reshape(-1, 2)
        batch = concat([part.batch for part in parts]) if parts else no_fixes()
        line = np.concatenate([part.line for part in parts]) if parts else np.zeros(0, np.int64)
        frame_of, row_of = where[line, 0], where[line, 1]
        partition = np.array([frame.partition for frame in frames], np.int16)[frame_of]
        astray = self.home()[batch.vehicle] != partition
        for one in np.flatnonzero(astray):
            name = self.vehicles.names[batch.vehicle[one]]
            self.refused.add(int(line[one]), MISROUTED, f"{name.plate} ({name.color}) belongs to another partition")
        whole: dict[int, list[bytes]] = {}
        for number, reason, detail in self.refused.all:
            at, row = map(int, where[number])
            if at not in whole:
                whole[at] = frames[at].content.split(b"\n")
            quarantined.append(Quarantined(frames[at], row, reason, detail, whole[at][row]))
        self.refused.all = []
        if astray.any():
            kept = np.flatnonzero(~astray)
            batch, frame_of, row_of = batch.take(kept), frame_of[kept], row_of[kept]
        received = np.array([frame.received_ms for frame in frames], np.int64)[frame_of]
        np.copyto(batch.received_ms, received, where=batch.received_ms == MISSING_MS)
        among = NO_TICKS
        if marks:
            places = np.searchsorted(frame_of, [at for at, _, _ in marks]).tolist()
            placed = [(place, *mark[1:]) for place, mark in zip(places, marks, strict=True)]
            among = Ticks.of(placed, self.home().astype(np.int32))
        return Decoded(batch, frame_of, row_of.astype(np.int32), quarantined, ticks, among)

    def _read(self, form: str, texts: list[bytes], end: int, parts: list[Positions]) -> None:
        """Decode lines whose numbers end before `end`."""
        if not texts:
            return
        reader, decode = self.readers[form]
        numbers = list(range(end - len(texts), end))
        if decode is None:
            decode, texts, numbers = csv_decoder(reader.profile, texts[0], Rejects()), texts[1:], numbers[1:]
        columns = decode(Lines(texts, numbers), self.refused)
        if columns.lines and len((positions := reader.positions(columns)).batch):
            parts.append(positions)
