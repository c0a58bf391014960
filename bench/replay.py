"""Replay, measured: from NDJSON against a plain loop, from columns, and from a cold start; on one core."""

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from api.replay import BATCH_FIXES, replay
from detectors.engine import Engine
from ingest.batch import Batch, concat
from ingest.fleet import START_MS, generate
from ingest.formats import read_positions
from ingest.registry import read_registry
from ingest.rejects import Rejects
from tests.reading.positions import Positions
from tests.reading.replay import replay as plain_replay

FIXES, VEHICLES, HOURS, FENCES = 500_000, 5_000, 1.1, 100
FIRST_FIXES = 2_000
KINDS_OF_FENCE = {"hazmat_no_go": 8, "speed": 17, "road": 75}


def prepare(folder: Path) -> tuple[Path, Path]:
    """Write the positions and the registry that everything is measured on."""
    generate(folder, vehicles=VEHICLES, hours=HOURS, seed=1, start_ms=START_MS + 10 * 3_600_000)
    positions = folder / "half_a_million.ndjson"
    with (folder / "positions.ndjson").open("rb") as source, positions.open("wb") as target:
        target.writelines(islice(source, FIXES))
    path = folder / "registry" / "fences.geojson"
    collection = json.loads(path.read_text(encoding="utf-8"))
    by_kind = {kind: [f for f in collection["features"] if f["properties"]["kind"] == kind] for kind in KINDS_OF_FENCE}
    collection["features"] = [fence for kind, count in KINDS_OF_FENCE.items() for fence in by_kind[kind][:count]]
    assert len(collection["features"]) == FENCES
    path.write_text(json.dumps(collection), encoding="utf-8")
    return positions, folder / "registry"


def first(positions: Path, count: int) -> Path:
    """The first fixes of a file as a file."""
    short = positions.with_name(f"first_{count}.ndjson")
    with positions.open("rb") as source, short.open("wb") as target:
        target.writelines(islice(source, count))
    return short


def from_ndjson(positions: Path, registry: Path) -> tuple[float, int]:
    """Seconds from the file to all episodes, and how many."""
    begin = time.perf_counter()
    with positions.open("rb") as file:
        episodes, summary = replay(file, positions.name, Engine(read_registry(registry), daily=True))
        count = len(list(episodes))
    assert summary.fixes == FIXES
    return time.perf_counter() - begin, count


def from_plain_loop(positions: Path, registry: Path) -> tuple[float, float, int]:
    """Seconds the independent plain reading takes for a file, those of them for reading it, and how many episodes."""
    begin = time.perf_counter()
    for _ in Positions(positions):
        pass
    read = time.perf_counter() - begin
    begin = time.perf_counter()
    count = len(plain_replay(positions, registry).episodes)
    return time.perf_counter() - begin, read, count


def from_columns(positions: Path, registry: Path) -> float:
    """Seconds for gate, lookups and kinds, the fixes being columns in memory."""
    engine, rejects = Engine(read_registry(registry)), Rejects()
    with positions.open("rb") as file:
        parts = [part.batch for part in read_positions(file, positions.name, engine.registry.vehicles, rejects)]
    whole: Batch = concat(parts)
    assert len(whole) == FIXES
    batches = [whole.take(slice(at, at + BATCH_FIXES)) for at in range(0, FIXES, BATCH_FIXES)]
    begin = time.perf_counter()
    for batch in batches:
        engine.detect(batch)
    return time.perf_counter() - begin


def first_result(positions: Path, registry: Path, cache: Path) -> float:
    """Seconds from the start of the command to its first episodes, for a short file."""
    short = str(first(positions, FIRST_FIXES))
    command = [sys.executable, "-m", "api.cli", "replay", short, "--registry", str(registry)]
    begin = time.perf_counter()
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - begin


def main() -> None:
    """Measure all and print a table."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        positions, registry = prepare(folder)
        cold = first_result(positions, registry, folder / "cache")
        warm = first_result(positions, registry, folder / "cache")
        from_columns(positions, registry)  # compiles what is not compiled yet
        columns = min(from_columns(positions, registry) for _ in range(3))
        ndjson, found = min(from_ndjson(positions, registry) for _ in range(3))
        plain, read, plain_found = from_plain_loop(positions, registry)
    assert found == plain_found
    print(f"{FIXES:,} fixes, {VEHICLES:,} vehicles, {FENCES} fences, {found:,} episodes, one core")
    print(f"replay from NDJSON       {ndjson:8.2f} s  {FIXES / ndjson:12,.0f} fixes/s")
    ratios = f"{plain / ndjson:.1f} of replay, {(plain - read) / columns:.1f} without reading the file"
    print(f"plain per-fix reading    {plain:8.2f} s  {FIXES / plain:12,.0f} fixes/s   ratio {ratios}")
    print(f"from columns, with gate  {columns:8.2f} s  {FIXES / columns:12,.0f} fixes/s")
    print(f"first result, never compiled {cold:.1f} s, compiled before {warm:.1f} s")


if __name__ == "__main__":
    main()
