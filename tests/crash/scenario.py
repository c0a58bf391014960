"""Scenario: a log full of dirty positions, known to the byte, that a worker is to judge however it is disturbed.

Everything follows from the seed: vehicles of all classes, fences and parameters with dates, two versions
of the registry with the change in the middle, ticks, CSV, and what belongs into quarantine.
"""

import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random

from api.feed import Feeder
from ingest.log import CSV, POSITIONS, REGISTRY, TICK, NewFrame
from ingest.registry import Source, read_source
from ledger import registries
from ledger.database import connect
from ledger.tablelog import TableLog
from tests.streams import START_MS, write_positions, write_registry

PARTITIONS = 4
BEGIN_MS = START_MS + 400 * 86_400_000
"""Receipt of the first frame: no device's clock is ahead of it but those that are meant to be [ms]."""

PACE_MS = 3_600_000
"""From one frame of a partition to the next: their receipts span days [ms]."""


class _Caught:
    """A log that keeps in memory what a feeder appends."""

    partitions = PARTITIONS

    def __init__(self) -> None:
        self.lines: dict[int, list[bytes]] = {partition: [] for partition in range(PARTITIONS)}

    def append(self, frames: Sequence[NewFrame]) -> None:
        for frame in frames:
            self.lines[frame.partition] += frame.content.split(b"\n")

    def reader(self) -> "None":  # type: ignore[override]
        raise NotImplementedError

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is put into a database before any worker sees it.

    Attributes
    ----------
    seed : int
    sources : list of Source
        Versions of the registry, from 1.
    frames : list of NewFrame
        In the order in which they are appended.
    """

    seed: int
    sources: list[Source]
    frames: list[NewFrame]

    def lay(self, url: str, frames: int | None = None) -> None:
        """Put registries and the log, or its first frames, into a migrated database."""
        TableLog.create(url, PARTITIONS)
        with connect(url) as connection:
            for source in self.sources:
                registries.store(connection, source, "test")
        log = TableLog(url)
        log.append(self.frames[:frames])
        log.close()


def _as_csv(lines: list[bytes]) -> bytes | None:
    """The same records as CSV, where they are all sound."""
    names = ["plate", "time", "lon", "lat", "speed_kmh", "driver"]
    rows = [",".join(names)]
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, dict) or list(record) != names:
            return None
        rows.append(",".join("" if record[name] is None else str(record[name]) for name in names))
    return "\n".join(rows).encode()


def scenario(seed: int, *, vehicles: int = 36, fixes: int = 2_400, versions: int = 2) -> Scenario:
    """Make a scenario.

    Parameters
    ----------
    versions : int
        1: the registry counts from the first frame on, and nothing but sound position frames follows.
    """
    random = Random(f"crash {seed}")
    plates = [f"P{number}" for number in range(vehicles)]
    caught = _Caught()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for version in range(versions):
            write_registry(folder / str(version), random, plates)
        write_positions(folder / "positions.ndjson", random, plates, fixes)
        content = (folder / "positions.ndjson").read_bytes()
        sources = [read_source(folder / str(version)) for version in range(versions)]
    Feeder(caught).feed(BytesIO(content), "positions.ndjson")  # type: ignore[arg-type]
    queues: list[list[NewFrame]] = []
    for partition, lines in caught.lines.items():
        parts: list[tuple[str, bytes]] = [(REGISTRY, b"1")]
        at = 0
        while at < len(lines):
            own = lines[at : at + random.choice((1, 3, 8, 15, 30))]
            at += len(own)
            csv = _as_csv(own) if versions > 1 and random.random() < 0.3 else None
            parts.append((CSV, csv) if csv else (POSITIONS, b"\n".join(own)))
        if versions > 1:
            _strew(random, parts, caught.lines[(partition + 1) % PARTITIONS])
        queues.append(
            [NewFrame(partition, form, BEGIN_MS + at * PACE_MS, body) for at, (form, body) in enumerate(parts)]
        )
    frames: list[NewFrame] = []
    while any(queues):
        queue = random.choice([queue for queue in queues if queue])
        frames.append(queue.pop(0))
    return Scenario(seed, sources, frames)


def _strew(random: Random, parts: list[tuple[str, bytes]], foreign: list[bytes]) -> None:
    """Put in the middle another version of the registry; here and there a tick, and what is no fix."""
    middle = len(parts) * random.choice((3, 5, 6)) // 10
    parts.insert(middle, (REGISTRY, b"2"))
    more = [(TICK, str(START_MS + hour * 3_600_000).encode()) for hour in range(0, 48, 6)]
    more += [(TICK, b"noon"), (REGISTRY, b"x"), (REGISTRY, b"77"), (REGISTRY, b"1"), ("morse", b"... --- ...")]
    more += [(POSITIONS, b""), (POSITIONS, foreign[0]), (POSITIONS, b"\n".join([b"{", foreign[-1], b"\x00"]))]
    for place, part in zip(
        sorted(random.choices(range(1, len(parts) + 1), k=len(more)), reverse=True), more, strict=True
    ):
        parts.insert(place, part)


def file_of(scenario_: Scenario) -> bytes:
    """The position frames as one file, each record with its frame's receipt where it has none that counts."""
    lines = []
    for frame in scenario_.frames:
        if frame.form != POSITIONS:
            continue
        for line in frame.content.split(b"\n"):
            with suppress(ValueError, RecursionError):
                record = json.loads(line)
                if isinstance(record, dict) and "received" not in record and b'"plate"' in line and b"{}" not in line:
                    line = line.rstrip()[:-1] + b', "received": %d}' % frame.received_ms
            lines.append(line)
    return b"\n".join(lines) + b"\n"
