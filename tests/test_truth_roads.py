"""Road lines: the product's matching and limits against the plain reading, over streams on random nets of roads."""

import json
from collections import Counter
from itertools import pairwise
from math import cos, degrees, pi, radians
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.activity import ACTIVITY
from detectors.engine import Engine
from detectors.enrich import Enriched
from detectors.roads import MATCH
from ingest import gate
from ingest.batch import concat
from ingest.formats import read_positions
from ingest.registry import read_registry
from ingest.rejects import Rejects
from tests.plain import interpret
from tests.reading.gate import Accepted, Gate
from tests.reading.metric import decimetres, jumps
from tests.reading.positions import Positions
from tests.reading.registry import Registry
from tests.reading.roads import Matcher, Seen
from tests.readings import printed, reading, shared
from tests.readings import product as judged
from tests.streams import METRE_DEG, START_MS

WEST, SOUTH, METRES = 87.3, 44.0, 900.0
ACROSS = METRE_DEG / cos(radians(SOUTH))
FOUND = tuple[str | None, float | None]


def at(east: float, north: float) -> list[float]:
    """A place, from metres [deg]."""
    return [WEST + east * ACROSS, SOUTH + north * METRE_DEG]


def moment(random: Random) -> str:
    return f"2026-03-02T{random.randrange(0, 3):02}:{random.randrange(60):02}:00"


def write_net(folder: Path, random: Random) -> list[list[tuple[float, float]]]:
    """Write roads that wind, with streets beside them; returns their lines [m]."""
    lines, features = [], []
    for _ in range(random.randrange(4, 9)):
        x, y, turn = random.uniform(0, METRES), random.uniform(0, METRES), random.uniform(0, 2 * pi)
        line = [(x, y)]
        for _ in range(random.randrange(2, 7)):
            turn += random.gauss(0, 0.4)
            step = random.choice((0.0, 40.0, 120.0, 250.0))
            line.append((line[-1][0] + step * np.cos(turn).item(), line[-1][1] + step * np.sin(turn).item()))
        if len(set(line)) > 1:
            lines.append(line)
    for line in [*lines]:
        if random.random() < 0.6:
            east, north = (random.choice((-1, 1)) * random.choice((6.0, 14.0, 22.0, 35.0)) for _ in range(2))
            lines.append([(x + east, y + north) for x, y in line])
    for number, line in enumerate(lines):
        given: dict[str, Any] = {"id": f"R{number}", "limit_kmh": random.choice((30, 40, 60, 80, 120))}
        given |= {
            "tags": random.choice(("", "", "oneway", "no_night oneway")),
            "classes": random.choice(("", "", "LC")),
        }
        if random.random() < 0.2:
            given |= {random.choice(("valid_from", "valid_to")): moment(random)}
        points = [at(*point) for point in line]
        shape: dict[str, Any] = {"type": "LineString", "coordinates": points}
        parts = [points[:2], points[1:]]
        if random.random() < 0.3 and all(len(set(map(tuple, part))) > 1 for part in parts):
            shape = {"type": "MultiLineString", "coordinates": parts}
        features.append({"type": "Feature", "properties": given, "geometry": shape})
    random.shuffle(features)
    (folder / "roads.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return lines


def write_registry(folder: Path, random: Random) -> list[list[tuple[float, float]]]:
    """Vehicles with changing classes, some without any; roads, a fence, parameters."""
    folder.mkdir()
    rows = []
    for number in range(4):
        change = moment(random)
        rows.append(f"P{number},{random.choice('LCHBTF')},,{change if random.random() < 0.5 else ''}")
        if random.random() < 0.5:
            rows.append(f"P{number},{random.choice('LCH')},{change},")
    (folder / "vehicles.csv").write_text("\n".join(["plate,class,valid_from,valid_to", *rows, ""]))
    ring = [at(300, 300), at(500, 300), at(500, 500), at(300, 500), at(300, 300)]
    fence = {"id": "F", "kind": "road", "limit_kmh": 50}
    shape = {"type": "Polygon", "coordinates": [ring]}
    collection = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": fence, "geometry": shape}],
    }
    (folder / "fences.geojson").write_text(json.dumps(collection))
    given = {
        "reach_dm": (120, 400), "turn_deg": (5.05, 60), "heading_kmh": (0, 30), "nearer_dm": (0, 60),
        "points": (1, 3), "gap_ms": (20_000, 60_000),
    }  # fmt: skip
    changed = [
        f"road_match,{name},{random.choice(values)},{random.choice(('', 'L', 'H'))},{moment(random)}"
        for name, values in given.items()
        if random.random() < 0.3
    ]
    (folder / "parameters.csv").write_text("\n".join(["group,name,value,class,valid_from", *changed, ""]))
    return write_net(folder, random)


def write_stream(folder: Path, seed: int, fixes: int = 700) -> tuple[Path, Path]:
    """Vehicles that drive along roads, to and fro, and change over to others."""
    random = Random(seed)
    lines = write_registry(folder / "registry", random)
    rows: list[dict[str, Any]] = []
    for number in range(4):
        time_ms = START_MS
        line, along, kmh = random.choice(lines), 0.0, 30.0
        while len(rows) < fixes * (number + 1) // 4:
            if random.random() < 0.04:
                line, along = random.choice(lines), 0.0
            if random.random() < 0.15:
                kmh = random.choice((0.0, 4.0, 9.9, 10.0, 30.0, 45.0, 60.0, 75.0))
            step_s = random.choice((5, 5, 10, 20, 60, 299, 300, 301) if random.random() < 0.1 else (5, 10))
            time_ms += step_s * 1000
            along = (along + kmh / 3.6 * step_s) % (2 * _length(line))
            x, y, heading = _on(line, along)
            spread = random.choice((0.0, 3.0, 12.0))
            lon, lat = at(x + random.gauss(0, spread), y + random.gauss(0, spread))
            fix: dict[str, Any] = {"plate": f"P{number}", "time": time_ms, "lon": lon, "lat": lat, "speed_kmh": kmh}
            if random.random() < 0.85:
                fix["heading_deg"] = random.choice((0, 360)) if random.random() < 0.02 else heading
            rows.append(fix)
    rows.sort(key=lambda row: row["time"])
    path = folder / "positions.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path, folder / "registry"


def _length(line: list[tuple[float, float]]) -> float:
    return max(1.0, sum(float(np.hypot(b[0] - a[0], b[1] - a[1])) for a, b in pairwise(line)))


def _on(line: list[tuple[float, float]], along: float) -> tuple[float, float, float]:
    """Place and heading so far along a line, or on the way back."""
    whole, back = _length(line), along > _length(line)
    left = 2 * whole - along if back else along
    for a, b in pairwise(line):
        length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
        if length > 0 and left <= length:
            break
        left -= length
    share = min(1.0, left / length) if length > 0 else 0.0
    turn = degrees(float(np.arctan2(b[0] - a[0], b[1] - a[1]))) + (180 if back else 0)
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), turn % 360


def plain(positions: Path, registry: Path) -> dict[tuple[str, int], FOUND]:
    """Road and limit at each accepted fix."""
    known = Registry.read(registry)
    gates: dict[str, Gate] = {}
    last: dict[str, Accepted] = {}
    matchers: dict[str, Matcher] = {}
    found: dict[tuple[str, int], FOUND] = {}
    for fix in Positions(positions):
        one = gates.setdefault(fix.plate, Gate()).take(fix)
        if isinstance(one, str):
            continue
        before = last.get(fix.plate)
        dt = None if before is None else one.t - before.t
        jump = before is not None and jumps(decimetres(before.lon, before.lat, one.lon, one.lat), one.t - before.t)
        row = known.row(fix.plate, fix.plate_color, one.t)
        seen = Seen(one.t, one.lon, one.lat, one.speed, fix.heading_deg, row, dt, jump)
        matcher = matchers.setdefault(fix.plate, Matcher(known))
        road = matcher.take(seen)
        limit = None if row is None else known.road(row, one.t, one.lon, one.lat, road)[0]
        found[fix.plate, one.t] = (None if road is None else road.id, limit)
        last[fix.plate] = one
    return found


def product(positions: Path, registry: Path, size: int = 10_000) -> dict[tuple[str, int], FOUND]:
    """The same, by the product, in batches."""
    engine = Engine(read_registry(registry))
    with positions.open("rb") as file:
        parts = list(read_positions(file, positions.name, engine.registry.vehicles, Rejects()))
    batch = concat([part.batch for part in parts])
    vehicles = len(engine.registry.vehicles)
    known, activity, matching = (np.zeros(vehicles, dtype) for dtype in (gate.STATE, ACTIVITY, MATCH))
    found: dict[tuple[str, int], FOUND] = {}
    for begin in range(0, len(batch), size):
        accepted, _ = gate.gate(batch.take(slice(begin, begin + size)), known)
        told: Enriched = engine.lookup.enrich(accepted, activity, matching)
        for at_, vehicle in enumerate(told.vehicle.tolist()):
            road, limit = int(told.road[at_]), float(told.limit_kmh[at_])
            name = engine.registry.roads[road].id if road >= 0 else None
            key = engine.registry.vehicles.names[vehicle].plate, int(told.time_ms[at_])
            found[key] = name, None if np.isnan(limit) else limit
    return found


@pytest.mark.parametrize("seed", range(8))
def test_both_readings_match_roads_alike(tmp_path: Path, seed: int) -> None:
    stream = write_stream(tmp_path, seed)
    expected = plain(*stream)
    assert product(*stream) == expected
    assert product(*stream, size=13) == expected
    assert sum(road is not None for road, _ in expected.values()) > len(expected) / 10


BY_ROAD = ("V01", "V03", "V04", "V10")


@pytest.mark.parametrize("seed", range(6))
def test_both_readings_raise_the_same_on_roads(tmp_path: Path, seed: int) -> None:
    stream = write_stream(tmp_path, seed, fixes=1_500)
    found, expected = (shared([one for one in how(*stream)[0] if one["kind"] in BY_ROAD]) for how in (judged, reading))
    assert found == expected, printed(found)


def test_episodes_of_all_kinds_of_roads_are_raised(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in range(6):
        (tmp_path / f"{seed}").mkdir()
        episodes, _ = judged(*write_stream(tmp_path / f"{seed}", seed, fixes=1_500))
        seen.update(one["kind"] for one in episodes if "road" in one)
    assert set(seen) == set(BY_ROAD), seen


def test_streams_reach_every_branch(tmp_path: Path) -> None:
    """Roads are changed, parallel ones too; some fixes are on none."""
    seen: Counter[str] = Counter()
    for seed in range(8):
        (tmp_path / f"{seed}").mkdir()
        last: dict[str, str | None] = {}
        for (plate, _), (road, limit) in plain(*write_stream(tmp_path / f"{seed}", seed)).items():
            seen["none"] += road is None
            seen["changed"] += None not in (road, last.get(plate)) and road != last.get(plate)
            seen["left"] += road is None and last.get(plate) is not None
            seen["without a class"] += limit is None
            seen["by the fence"] += limit == 50.0
            last[plate] = road
    assert min(seen.values()) >= 20, seen
    assert len(seen) == 5


def test_matching_run_by_the_interpreter_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = write_stream(tmp_path, 3, fixes=200)
    compiled = product(*stream)
    interpret(monkeypatch)
    assert product(*stream) == compiled
