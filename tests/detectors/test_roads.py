"""Roads by distance, heading and hysteresis, against a plain reading of the docstring of `detectors.roads`."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import shapely

from detectors.engine import Engine
from detectors.limits import Parameters
from detectors.packing import from_bytes, pack, to_bytes, unpack
from detectors.roads import MATCH, ROAD_MATCH, Roads, segments_of
from ingest.batch import MISSING_MS, Batch
from ingest.fences import ALL_CLASSES, Fence
from ingest.gate import STATE, Accepted, gate
from ingest.registry import CLASSES, read_registry
from tests.plain import interpret

START_MS = 1_772_409_600_000
M_DEG = 180.0 / math.pi / 6_371_008.8
LAT_M = M_DEG
LON_M = M_DEG / math.cos(math.radians(44.0))
DEFAULTS: dict[str, Any] = dict(ROAD_MATCH)


def road(name: str, *metres: tuple[float, float], **more: Any) -> Fence:
    """A road through points east and north of (87, 44) [m]."""
    points = [(87.0 + east * LON_M, 44.0 + north * LAT_M) for east, north in metres]
    fence = Fence(name, "", "road", 60.0, ALL_CLASSES, -(2**62), 2**62, shapely.LineString(points))
    return replace(fence, **more)


def fixes(
    *places: tuple[float, float],
    heading: float | Sequence[float] = math.nan,
    speed: float = 60.0,
    every_s: float = 10.0,
) -> Batch:
    """Fixes of one vehicle at places east and north of (87, 44) [m]."""
    n = len(places)
    nan = np.full(n, math.nan)
    return Batch(
        vehicle=np.zeros(n, np.int32),
        time_ms=START_MS + (np.arange(n) * every_s * 1000).astype(np.int64),
        lon=np.array([87.0 + east * LON_M for east, _ in places]),
        lat=np.array([44.0 + north * LAT_M for _, north in places]),
        speed_kmh=np.full(n, speed),
        heading_deg=np.array(heading, np.float64) if isinstance(heading, Sequence) else np.full(n, heading),
        altitude_m=nan,
        recorder_speed_kmh=nan,
        mileage_km=nan,
        alarm=np.full(n, -1),
        status=np.full(n, -1),
        received_ms=np.full(n, MISSING_MS),
        backfill=np.zeros(n, np.bool_),
        driver=np.zeros(n, np.int64),
        items=np.zeros(n, np.int64),
    )


def accepted_of(batch: Batch) -> Accepted:
    state = np.zeros(1, STATE)
    state["has_located"], state["located_ms"] = 1, START_MS - 1
    return gate(batch, state)[0]


def numbers(**changed: float) -> np.ndarray:
    values = DEFAULTS | changed
    return np.array([tuple(values.values())], [(n, "i8" if isinstance(v, int) else "f8") for n, v in DEFAULTS.items()])


def matched(roads: list[Fence], batch: Batch, kind: str = "L", cut: int = 0, **changed: float) -> list[int]:
    """Road at each accepted fix, the batch being cut at a row."""
    accepted = accepted_of(batch)
    state = np.zeros(1, MATCH)
    matcher = Roads(roads, numbers(**changed))
    found = []
    for part in (slice(0, cut), slice(cut, None)):
        one = accepted.take(part)
        kinds = np.full(len(one), CLASSES.index(kind), np.uint8)
        found += matcher.match(one, kinds, np.zeros(len(one), np.int32), state).tolist()
    return found


NORTH = road("north", (0, -1000), (0, 5000))
BESIDE = road("beside", (18, -1000), (18, 5000))
EAST = road("east", (-1000, 0), (5000, 0))


def along(*east: float, step: float = 100.0) -> tuple[tuple[float, float], ...]:
    return tuple((x, step * at) for at, x in enumerate(east))


def test_a_new_road_needs_two_fixes() -> None:
    assert matched([NORTH], fixes(*along(0, 0, 0))) == [-1, 0, 0]
    assert matched([NORTH], fixes(*along(0, 0, 0)), points=1) == [0, 0, 0]
    assert matched([NORTH], fixes(*along(0, 60, 0, 0))) == [-1, -1, -1, 0]


def test_the_reach_is_counted_in_whole_decimetres() -> None:
    assert matched([NORTH], fixes(*along(25.04, 25.04))) == [-1, 0]
    assert matched([NORTH], fixes(*along(25.06, 25.06))) == [-1, -1]
    assert matched([NORTH], fixes(*along(40.04, 40.04)), reach_dm=400) == [-1, 0]


def test_a_parallel_road_is_not_taken_until_it_is_nearer_by_ten_metres_twice() -> None:
    assert matched([NORTH, BESIDE], fixes(*along(0, 0, 12, 0, 13.9, 13.9, 13.9))) == [-1, 0, 0, 0, 0, 0, 0]
    # 14.1 m from one and 3.9 m from the other
    assert matched([NORTH, BESIDE], fixes(*along(0, 0, 14.1, 14.1, 14.1))) == [-1, 0, 0, 1, 1]
    assert matched([NORTH, BESIDE], fixes(*along(0, 0, 14.1, 12, 14.1, 12))) == [-1, 0, 0, 0, 0, 0]
    assert matched([NORTH, BESIDE], fixes(*along(0, 0, 14.1, 14.1)), nearer_dm=110) == [-1, 0, 0, 0]


def test_a_road_that_is_out_of_reach_is_left_at_once() -> None:
    assert matched([NORTH, BESIDE], fixes(*along(0, 0, 26, 26, 26))) == [-1, 0, -1, 1, 1]
    # the challenger of the fix before counts on
    assert matched([NORTH, BESIDE], fixes(*along(0, 0, 15, 26, 26))) == [-1, 0, 0, 1, 1]
    assert matched([NORTH], fixes(*along(0, 0, 26, 0, 0))) == [-1, 0, -1, -1, 0]


def test_of_roads_equally_near_the_first_is_taken() -> None:
    twin = road("twin", (0, -1000), (0, 5000))
    assert matched([BESIDE, twin, NORTH], fixes(*along(0, 0))) == [-1, 1]


@pytest.mark.parametrize(("heading", "on"), [(0, 0), (30, 0), (30.04, 0), (30.1, -1), (330, 0), (329.9, -1), (90, -1)])
def test_a_heading_must_be_along_the_road(heading: float, on: int) -> None:
    assert matched([NORTH], fixes(*along(0, 0), heading=heading))[-1] == on
    assert matched([NORTH], fixes(*along(0, 0), heading=(heading + 180) % 360))[-1] == on
    oneway = replace(NORTH, tags=frozenset({"oneway"}))
    assert matched([oneway], fixes(*along(0, 0), heading=heading))[-1] == on
    assert matched([oneway], fixes(*along(0, 0), heading=(heading + 180) % 360))[-1] == -1


def test_without_a_heading_or_slow_every_direction_fits() -> None:
    assert matched([EAST], fixes((0, 0), (20, 0), heading=0.0)) == [-1, -1]
    assert matched([EAST], fixes((0, 0), (20, 0))) == [-1, 0]
    assert matched([EAST], fixes((0, 0), (20, 0), heading=0.0, speed=9.9)) == [-1, 0]
    assert matched([EAST], fixes((0, 0), (20, 0), heading=0.0, speed=10.0)) == [-1, -1]


def test_across_a_crossing_the_road_is_kept_by_heading() -> None:
    places = tuple((3.0, -60.0 + 20 * at) for at in range(7))
    assert matched([NORTH, EAST], fixes(*places, heading=0.0)) == [-1, 0, 0, 0, 0, 0, 0]


def test_classes_and_dates() -> None:
    buses = replace(NORTH, classes="B")
    assert matched([buses, BESIDE], fixes(*along(0, 0))) == [-1, 1]
    assert matched([buses, BESIDE], fixes(*along(0, 0)), kind="B") == [-1, 0]
    later = replace(NORTH, from_ms=START_MS + 10_000, to_ms=START_MS + 30_000)
    assert matched([later], fixes(*along(0, 0, 0, 0))) == [-1, -1, 0, -1]


def test_a_gap_begins_anew() -> None:
    assert matched([NORTH], fixes(*along(0, 0, 0), every_s=300)) == [-1, 0, 0]
    assert matched([NORTH], fixes(*along(0, 0, 0), every_s=300.001)) == [-1, -1, -1]
    far = fixes((0, 0), (0, 100), (0, 15_000), (0, 15_100), every_s=200)
    line = road("long", (0, -1000), (0, 20_000))
    assert matched([line], far) == [-1, 0, -1, 0]


def test_places_that_are_no_more_are_left_out() -> None:
    gone = Fence("gone", "", "gone", math.nan, "", 0, 0, None)
    assert matched([gone, NORTH], fixes(*along(0, 0))) == [-1, 1]
    assert matched([gone], fixes(*along(0, 0))) == [-1, -1]
    assert matched([], fixes(*along(0, 0))) == [-1, -1]


# --- a plain reading -------------------------------------------------------------------------------------------------


def _tenths(degrees: float) -> int:
    return math.floor(degrees * 10 + 0.5) % 3600


def _distance_dm(a: Sequence[float], b: Sequence[float], lon: float, lat: float) -> int:
    k = 6_371_008.8 * math.pi / 180
    flat = [((x - lon) * k * math.cos(math.radians(lat)), (y - lat) * k) for x, y in (a, b)]
    (ax, ay), (bx, by) = flat
    dx, dy = bx - ax, by - ay
    t = min(1.0, max(0.0, -(ax * dx + ay * dy) / (dx * dx + dy * dy)))
    return math.floor(math.hypot(ax + t * dx, ay + t * dy) * 10 + 0.5)


def plain(roads: list[Fence], accepted: Accepted, kind: str, values: Mapping[str, float]) -> list[int]:
    found: list[int] = []
    on, challenger, count = -1, -1, 0
    for row in range(len(accepted)):
        lon, lat, time_ms = accepted.lon[row], accepted.lat[row], accepted.time_ms[row]
        if accepted.dt_ms[row] > values["gap_ms"] or accepted.jump[row]:
            on, challenger, count = -1, -1, 0
        candidates: dict[int, int] = {}
        for which, one in enumerate(roads):
            if kind not in one.classes or not one.from_ms <= time_ms < one.to_ms:
                continue
            for part in shapely.get_parts(one.shape):
                points = shapely.get_coordinates(part).tolist()
                for a, b in pairwise(points):
                    if a == b:
                        continue
                    apart = _distance_dm(a, b, lon, lat)
                    if apart > values["reach_dm"]:
                        continue
                    heading = accepted.heading_deg[row]
                    if not math.isnan(heading) and accepted.speed_kmh[row] >= values["heading_kmh"]:
                        east = (b[0] - a[0]) * math.cos(math.radians(a[1]))
                        turned = abs(_tenths(math.degrees(math.atan2(east, b[1] - a[1])) % 360) - _tenths(heading))
                        angle, turn = min(turned, 3600 - turned), _tenths(values["turn_deg"])
                        if angle > turn and ("oneway" in one.tags or 1800 - angle > turn):
                            continue
                    candidates[which] = min(candidates.get(which, apart), apart)
        best = min(candidates, key=lambda one: (candidates[one], one), default=-1)
        if on in candidates:
            challenges = candidates[on] - candidates[best] > values["nearer_dm"]
        else:
            on, challenges = -1, best >= 0
        if not challenges:
            challenger, count = -1, 0
        elif best == challenger:
            count += 1
        else:
            challenger, count = best, 1
        if challenges and count >= values["points"]:
            on, challenger, count = best, -1, 0
        found.append(on)
    return found


def _net(random: Random) -> list[Fence]:
    """Streets close to one another, bends, crossings, lines in two parts, long slanting ones, some classed or dated."""
    roads = []
    for number in range(random.randrange(1, 12)):
        x, y = random.uniform(-300, 300), random.uniform(-300, 300)
        points = [(x, y)]
        for _ in range(random.randrange(1, 6)):
            x += random.choice((0, 0, 20, 100, -40, 3_000))
            y += random.choice((0, 25, 100, -60, 2_000))
            points.append((x, y))
        if len(set(points)) < 2:
            continue
        one = road(f"{number}", *points)
        if random.random() < 0.2:
            other = road("other", (x, y - 50), (x + 15, y + 60))
            one = replace(one, shape=shapely.MultiLineString([one.shape, other.shape]))
        one = replace(one, classes=random.choice((ALL_CLASSES, ALL_CLASSES, "LC", "H")))
        one = replace(one, tags=frozenset(random.choice(((), ("oneway",)))))
        if random.random() < 0.2:
            one = replace(one, from_ms=START_MS + 300_000)
        roads.append(one)
    return roads


def _drive(random: Random) -> Batch:
    x, y, places, headings = random.uniform(-100, 100), random.uniform(-100, 100), [], []
    step = random.choice(((0, 15), (15, 0), (10, 10), (-12, 3)))
    for _ in range(80):
        if random.random() < 0.15:
            step = random.choice(((0, 15), (15, 0), (10, 10), (-12, 3), (0, -15), (2, 0)))
        x, y = x + step[0] + random.gauss(0, 4), y + step[1] + random.gauss(0, 4)
        places.append((x, y))
        degrees = math.degrees(math.atan2(step[0], step[1])) % 360 + random.choice((0, 20, -30, 30, 180))
        headings.append(random.choice((degrees % 360, math.nan)))
    batch = fixes(*places, heading=headings)
    batch.speed_kmh[:] = [random.choice((0, 9.9, 10, 50)) for _ in places]
    return batch


@pytest.mark.parametrize("seed", range(60))
def test_random_drives_are_matched_as_a_plain_reading_does(seed: int) -> None:
    random = Random(seed)
    roads, batch = _net(random), _drive(random)
    changed: dict[str, Any] = random.choice(
        ({}, {"reach_dm": 600, "nearer_dm": 0, "turn_deg": 45.04}, {"points": 3, "nearer_dm": 20})
    )
    kind = random.choice("LH")
    expected = plain(roads, accepted_of(batch), kind, DEFAULTS | changed)
    for cut in {0, *(random.randrange(len(batch)) for _ in range(3))}:
        assert matched(roads, batch, kind, cut, **changed) == expected


def test_random_drives_are_on_roads_at_all() -> None:
    ons = [matched(_net(random := Random(seed)), _drive(random)) for seed in range(60)]
    assert sum(len(set(on)) > 2 for on in ons) >= 15


def test_the_kernel_run_by_the_interpreter_matches_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [(_net(random := Random(seed)), _drive(random)) for seed in range(5)]
    compiled = [matched(*stream) for stream in streams]
    interpret(monkeypatch)
    assert [matched(*stream) for stream in streams] == compiled


def test_a_slanting_road_takes_the_cells_along_it_only() -> None:
    segments = segments_of([road("slant", (0, 0), (60_000, 60_000))], 250)
    assert len(segments.member) < 6 * segments.cells


# --- the limit that comes of it --------------------------------------------------------------------------------------


def _feature(properties: Mapping[str, Any], kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def folder_of(folder: Path, lines: Mapping[str, float], fences: Mapping[str, float], parameters: str = "") -> Path:
    """A coach; parallel roads of these limits 0, 18, ... m east of the meridian; road fences around it all."""
    folder.mkdir()
    (folder / "vehicles.csv").write_text("plate,class\nA,L\n", encoding="utf-8")
    (folder / "parameters.csv").write_text(f"group,name,value\n{parameters}", encoding="utf-8")
    ways = [
        _feature(
            {"id": name, "limit_kmh": limit},
            "LineString",
            [[87.0 + 18 * at * LON_M, 43.9], [87.0 + 18 * at * LON_M, 44.5]],
        )
        for at, (name, limit) in enumerate(lines.items())
    ]
    ring = [[86.9, 43.9], [87.1, 43.9], [87.1, 44.5], [86.9, 44.5], [86.9, 43.9]]
    areas = [
        _feature({"id": name, "kind": "road", "limit_kmh": limit}, "Polygon", [ring]) for name, limit in fences.items()
    ]
    for name, features in (("roads", ways), ("fences", areas)):
        text = json.dumps({"type": "FeatureCollection", "features": features})
        (folder / f"{name}.geojson").write_text(text, encoding="utf-8")
    return folder


def judged(engine: Engine, batch: Batch) -> Any:
    """Last row of V01."""
    found = engine.detect(batch).found["V01"]
    return found[-1] if len(found) else None


def straight(kmh: float, n: int = 10, first: int = 0, east: float = 0.0) -> Batch:
    batch = fixes(*((east, kmh / 3.6 * 10 * at) for at in range(first, first + n)), speed=kmh, heading=0.0)
    batch.time_ms[:] += 10_000 * first
    return batch


def test_the_limit_is_that_of_the_road_and_at_most_the_cap_of_the_class(tmp_path: Path) -> None:
    engine = Engine(read_registry(folder_of(tmp_path / "a", {"slow": 60, "fast": 120}, {})))
    row = judged(engine, straight(70, 12))
    assert (row["limit_kmh"], row["fence"], engine.registry.roads[row["road"]].id) == (60, -1, "slow")
    assert not row["lead"]
    engine = Engine(read_registry(folder_of(tmp_path / "b", {"fast": 120}, {})))
    assert judged(engine, straight(110, 12))["limit_kmh"] == 100


def test_before_a_road_is_matched_the_limit_is_a_guess(tmp_path: Path) -> None:
    """The vehicle's first two fixes are unconfirmed and on no road yet: a run that begins there is a lead."""
    engine = Engine(read_registry(folder_of(tmp_path / "a", {"slow": 60}, {})))
    assert judged(engine, straight(130, 12))["lead"]


def test_a_fence_goes_before_a_road(tmp_path: Path) -> None:
    engine = Engine(read_registry(folder_of(tmp_path / "a", {"slow": 60}, {"wide": 90})))
    assert judged(engine, straight(80, 12)) is None
    row = judged(engine, straight(100, 12, first=12))
    assert (row["limit_kmh"], engine.registry.fences[row["fence"]].id, row["road"]) == (90, "wide", -1)


def test_parameters_of_matching_are_the_registrys(tmp_path: Path) -> None:
    engine = Engine(read_registry(folder_of(tmp_path / "a", {"slow": 60}, {}, "road_match,reach_dm,100\n")))
    assert judged(engine, straight(70, 12, east=11.0)) is None
    engine = Engine(read_registry(folder_of(tmp_path / "b", {"slow": 60}, {})))
    assert judged(engine, straight(70, 12, east=11.0)) is not None
    assert isinstance(engine.lookup.road_match, Parameters)


def test_the_road_a_vehicle_is_on_goes_over_to_another_registry(tmp_path: Path) -> None:
    old = Engine(read_registry(folder_of(tmp_path / "a", {"slow": 60, "fast": 80}, {})))
    new = Engine(read_registry(folder_of(tmp_path / "b", {"fast": 80, "slow": 60}, {})))
    old.detect(straight(70, 4))
    assert unpack(new, np.array([0]), from_bytes(to_bytes(pack(old, np.array([0]))))) == frozenset()
    one = new.states["road"][0]
    assert new.registry.roads[one["road"]].id == "slow"
    less = Engine(read_registry(folder_of(tmp_path / "c", {"fast": 80}, {})))
    unpack(less, np.array([0]), pack(old, np.array([0])))
    assert less.registry.roads[less.states["road"][0]["road"]].kind == "gone"
    less.detect(straight(70, 2, first=4))
    assert less.registry.roads[less.states["road"][0]["road"]].id == "fast"
