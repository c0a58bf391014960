"""A log full of trouble, and what a ledger holds after it."""

import random
import re
from pathlib import Path
from typing import Any

from ingest.log import POSITIONS, REGISTRY, TICK, NewFrame, partition_of
from ingest.registry import read_source
from ledger import registries
from ledger.database import connect
from ledger.tablelog import TableLog
from tests.streams import START_MS, write_registry, write_stream

PARTITIONS, LINES, VEHICLES, FIXES = 4, 25, 10, 3_000
RECEIVED_MS = START_MS + 30 * 86_400_000


def frames(folder: Path, seed: int) -> list[NewFrame]:
    """Frames of a dirty stream, with ticks, and with another registry from the middle on."""
    positions, _ = write_stream(folder, seed, vehicles=VEHICLES, fixes=FIXES)
    home = {f"P{number}": partition_of(f"P{number}", 2, PARTITIONS) for number in range(VEHICLES)}
    by_partition: dict[int, list[bytes]] = {partition: [] for partition in range(PARTITIONS)}
    for number, line in enumerate(positions.read_bytes().splitlines()):
        named = [partition for plate, partition in home.items() if f'"{plate}"'.encode() in line]
        by_partition[named[0] if named else number % PARTITIONS].append(line)
    found = []
    for partition, lines in by_partition.items():
        parts = [lines[at : at + LINES] for at in range(0, len(lines), LINES)]
        for number, part in enumerate(parts):
            found.append(NewFrame(partition, POSITIONS, RECEIVED_MS, b"\n".join(part)))
            if number % 5 == 2:
                times = [int(digits) for line in part for digits in re.findall(rb'"time": (177\d{10})\b', line)]
                tick_ms = max(times, default=START_MS) + number % 2 * 700_000  # every other one raises silences
                found.append(NewFrame(partition, TICK, RECEIVED_MS, str(tick_ms).encode()))
            if number == len(parts) // 2:
                found.append(NewFrame(partition, REGISTRY, RECEIVED_MS, b"2"))
    found.append(NewFrame(0, REGISTRY, RECEIVED_MS, b"77"))
    found.append(NewFrame(1, "unheard of", RECEIVED_MS, b"\x00\xff"))
    return found


def load(url: str, folder: Path, seed: int) -> list[NewFrame]:
    """Put a scenario into a migrated database: two versions of the registry, and the whole log; returns its frames."""
    own = frames(folder, seed)
    write_registry(folder / "second", random.Random(seed + 1), [f"P{number}" for number in range(VEHICLES)])
    TableLog.create(url, PARTITIONS)
    with connect(url) as connection:
        for name in ("registry", "second"):
            registries.store(connection, read_source(folder / name), "test")
    log = TableLog(url)
    log.append([NewFrame(partition, REGISTRY, RECEIVED_MS, b"1") for partition in range(PARTITIONS)])
    log.append(own)
    log.close()
    return own


PICTURE = {
    "fixes": "SELECT f.log_partition, f.log_offset, f.log_row, v.plate, v.plate_color, md5((f.time_ms, f.received_ms, "
    "f.logged_ms, f.lon, f.lat, f.speed_kmh, f.heading_deg, f.altitude_m, f.recorder_speed_kmh, f.mileage_km, f.alarm, "
    "f.status, f.driver, f.backfill, f.items)::text), f.verdict FROM fixes f JOIN vehicles v ON v.id = f.vehicle_id "
    "ORDER BY 1, 2, 3",
    "quarantine": "SELECT * FROM quarantine ORDER BY 1, 2, 3",
    "violations": "SELECT to_jsonb(x) - 'vehicle_id' FROM violations x ORDER BY id",
    "revisions": "SELECT to_jsonb(x) - 'recorded_at' FROM violation_revisions x ORDER BY violation_id, revision",
    "outbox": "SELECT id, violation_id, revision, event FROM outbox ORDER BY id",
    "warnings": "SELECT to_jsonb(x) - 'vehicle_id' FROM warnings x ORDER BY id",
    "episodes": "SELECT kind, pass, begins_ms, violation_id FROM violation_episodes ORDER BY 1, 2, 3, 4",
    "positions": "SELECT * FROM positions ORDER BY 1",
    "drivers": "SELECT * FROM drivers ORDER BY 1",
}
"""What must be the same however often a run was disturbed: all but vehicles' numbers and times of writing."""


def picture(url: str) -> dict[str, list[Any]]:
    """All that a ledger holds, by table."""
    with connect(url) as connection:
        return {name: connection.execute(text).fetchall() for name, text in PICTURE.items()}
