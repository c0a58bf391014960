"""The closing of days: the product against the plain reading, and against a feed that was never late."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from api import replay as fast
from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from ingest.registry import read_registry
from tests.reading.positions import Positions
from tests.reading.registry import Registry
from tests.reading.second import close_fixes, closed_fixes
from tests.readings import read_kinds, shared
from tests.streams import write_stream

FIX_BY_FIX = {code: kind for code, kind in read_kinds().items() if kind.scope == "vehicle"}


def closed(positions: Path, registry: Path, kinds: dict[str, Any] = FIX_BY_FIX, *, daily: bool = False) -> list[Any]:
    """Episodes as the closing of days finds them."""
    with positions.open("rb") as file:
        engine = Engine(read_registry(registry), kinds, daily=daily)
        return list(fast.replay(file, positions.name, engine, closed=True)[0])


def in_order(episodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Episodes by themselves: without what the other episodes of a vehicle make of them."""
    kept = [{k: v for k, v in one.items() if k != "superseded_by"} for one in shared(episodes)]
    return sorted(kept, key=lambda one: (one["plate"], one["plate_color"], one["kind"], one["begins_ms"]))


@pytest.mark.parametrize("seed", range(6))
def test_both_readings_close_days_alike(tmp_path: Path, seed: int) -> None:
    positions, registry = write_stream(tmp_path, seed, dirt=0.3)
    expected = [e for e in close_fixes(Positions(positions), Registry.read(registry)) if e["kind"] in FIX_BY_FIX]
    assert in_order(closed(positions, registry)) == in_order([dict(one) for one in expected])


def late_feed(random: Random, lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same fixes as a feed brings them that was now and then cut off: stretches come later, marked or not."""
    waiting: list[tuple[int, dict[str, Any]]] = []
    hidden: dict[str, int] = {}
    for at, line in enumerate(lines):
        for due, one in [pair for pair in waiting if pair[0] <= at]:
            waiting.remove((due, one))
            yield one
        if hidden.get(line["plate"], 0) == 0 and random.random() < 0.02:
            hidden[line["plate"]] = random.randrange(1, 12)
        if hidden.get(line["plate"], 0) > 0:
            hidden[line["plate"]] -= 1
            waiting.append((at + random.randrange(60, 400), line | {"backfill": random.random() < 0.7}))
        else:
            yield line
            if random.random() < 0.02:
                yield line
    yield from (one for _, one in waiting)


@pytest.mark.parametrize("seed", range(4))
def test_what_came_late_is_judged_as_if_it_had_not(tmp_path: Path, seed: int) -> None:
    positions, registry = write_stream(tmp_path, seed, dirt=0.0)
    random = Random(seed)
    entered = closed_fixes(Positions(positions))
    rows = [(one.plate, one.plate_color, one.time) for one in entered]
    every = [json.loads(line) for line in positions.read_bytes().splitlines() if _is_fix(line)]
    known = set(rows)
    clean = [line for line in every if (line["plate"], line.get("plate_color", 2), line["time"]) in known]
    clean.sort(key=lambda line: line["time"])
    on_time, late = tmp_path / "on_time.ndjson", tmp_path / "late.ndjson"
    disturbed = list(late_feed(random, clean))
    assert [line["time"] for line in disturbed] != sorted(line["time"] for line in disturbed)
    for path, lines in ((on_time, clean), (late, disturbed)):
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    assert [one.time for one in closed_fixes(Positions(late))] == [one.time for one in closed_fixes(Positions(on_time))]
    found = closed(late, registry)
    assert found == closed(on_time, registry)
    assert found


def _is_fix(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict) and "time" in json.loads(line)
    except ValueError:
        return False


def test_days_are_judged_by_what_came_late_too(tmp_path: Path) -> None:
    """V14: a track with holes that back-filled fixes close; V17 counts what was received, as it came."""
    folder = tmp_path / "registry"
    folder.mkdir()
    (folder / "vehicles.csv").write_text("plate,class\n测A00001,L\n", encoding="utf-8")
    start = 1_772_413_200_000
    lines = []
    for at in range(240):
        fix = {"plate": "测A00001", "time": start + 30_000 * at, "lon": 87.3, "lat": 44.0 + 0.004 * at, "speed_kmh": 53}
        lines.append(fix)
    holes = [line for at, line in enumerate(lines) if at % 60 >= 40 and at % 60 < 58]
    kept = [line for line in lines if line not in holes]
    path = tmp_path / "positions.ndjson"
    feed = [*kept, *(hole | {"backfill": True} for hole in holes)]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in feed), encoding="utf-8")
    kinds = {"V14": CATALOGUE["V14"], "V12": CATALOGUE["V12"]}
    with path.open("rb") as file:
        online = list(fast.replay(file, path.name, Engine(read_registry(folder), kinds, daily=True))[0])
    assert [one["kind"] for one in online] == ["V14"]
    assert closed(path, folder, kinds, daily=True) == []
