"""The files: repeatable, in order, of the documented form."""

import ast
import csv
import gzip
import json
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
import shapely

from ingest import fleet
from ingest.fleet import NOTHING, START_MS, generate
from tests.ingest.fleet.conftest import Made

TABLES = (
    "assignments",
    "charters",
    "companies",
    "counties",
    "documents",
    "drivers",
    "exits",
    "permits",
    "qualifications",
    "roster",
    "staff",
    "status",
    "stop_times",
    "stops",
    "trips",
    "vehicles",
    "waybills",
)

FIELDS = {
    "plate": str,
    "plate_color": int,
    "time": int,
    "lon": float,
    "lat": float,
    "speed_kmh": float,
    "heading_deg": int,
    "altitude_m": int,
    "mileage_km": float,
    "alarm": int,
    "video_alarm": int,
    "adas": list,
    "dsm": list,
    "harsh": list,
    "passengers": int,
    "status": int,
    "recorder_speed_kmh": float,
    "received": int,
    "backfill": bool,
    "driver": str,
}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_equal_seeds_equal_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        generate(tmp_path / name, vehicles=60, hours=3, seed=seed, start_ms=START_MS + 28_800_000)
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    assert a["positions.ndjson"] != c["positions.ndjson"]
    assert set(a) == {
        "labels.ndjson",
        "near.ndjson",
        "positions.ndjson",
        *(f"registry/{name}.csv" for name in TABLES),
        "registry/fences.geojson",
        "registry/routes.geojson",
    }


def test_gzip_holds_the_same(tmp_path: Path) -> None:
    plain = generate(tmp_path / "a", vehicles=40, hours=1, seed=5).positions
    packed = generate(tmp_path / "b", vehicles=40, hours=1, seed=5, compress=True).positions
    again = generate(tmp_path / "c", vehicles=40, hours=1, seed=5, compress=True).positions
    assert packed.name == "positions.ndjson.gz"
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.read_bytes() == again.read_bytes()


def test_a_short_run_begins_a_long_one(tmp_path: Path) -> None:
    short = generate(tmp_path / "a", vehicles=80, hours=1, seed=5, plants=NOTHING).positions.read_bytes()
    long = generate(tmp_path / "b", vehicles=80, hours=2, seed=5, plants=NOTHING).positions.read_bytes()
    early = set(long.splitlines()[: int(0.9 * short.count(b"\n"))])
    assert early <= set(short.splitlines())


def test_lines(day: Made) -> None:
    last, count = 0, 0
    absent: Counter[str] = Counter()
    with day.summary.positions.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            count += 1
            assert {type(value) is FIELDS[name] for name, value in row.items()} == {True}
            assert row["received"] >= last
            last = row["received"]
            absent.update(FIELDS.keys() - row.keys())
            if row.get("backfill") and row["time"] < row["received"]:  # the others are dirt
                assert row["received"] > row["time"] + 10_000
    assert count == day.summary.fixes == len(day.fixes)
    assert 0 < absent["speed_kmh"] < count // 100
    assert {
        "heading_deg",
        "altitude_m",
        "mileage_km",
        "recorder_speed_kmh",
        "status",
        "driver",
    } <= absent.keys()
    assert absent["backfill"] < count


def test_registry(day: Made) -> None:
    folder = day.folder / "registry"
    with (folder / "vehicles.csv").open(encoding="utf-8", newline="") as file:
        vehicles = list(csv.DictReader(file))
    with (folder / "companies.csv").open(encoding="utf-8", newline="") as file:
        companies = {row["company"]: row for row in csv.DictReader(file)}
    assert len(vehicles) == 150
    assert {row["class"] for row in vehicles} == set("LCHBTF")
    assert {row["county"] for row in vehicles} == {
        "zhundong",
        *(f"6523{k}" for k in ("01", "02", "23", "24", "25", "27", "28")),
    }
    assert {row["sim"] for row in vehicles} == {""}
    assert {row["small_hours_exempt"] for row in vehicles} == {"0", "1"}
    assert all(row["plate"].startswith("测" + row["class"]) and len(row["plate"]) == 7 for row in vehicles)
    assert all(companies[row["company"]]["county"] == row["county"] for row in vehicles)
    assert {fix.plate for fix in day.fixes} <= {row["plate"] for row in vehicles}
    drivers = {row.split(",")[0] for row in (folder / "drivers.csv").read_text(encoding="utf-8").splitlines()}
    assert {fix.driver for fix in day.fixes} - {None} <= drivers


def test_fences(day: Made) -> None:
    data = json.loads((day.folder / "registry" / "fences.geojson").read_text(encoding="utf-8"))
    kinds = Counter(feature["properties"]["kind"] for feature in data["features"])
    assert kinds.keys() == {
        *("road", "speed", "hazmat_no_go", "station", "parking", "county", "approved_stop", "approved_parking"),
        *("closure", "coverage_hole", "hazmat_restricted", "no_night_road"),
    }
    assert kinds["county"] == 8
    assert len({feature["properties"]["id"] for feature in data["features"]}) == len(data["features"])
    for feature in data["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shape.is_valid
        assert shape.geom_type in ("Polygon", "MultiPolygon")
        assert ("limit_kmh" in feature["properties"]) == (feature["properties"]["kind"] in ("road", "speed"))


def test_labels_lie_in_the_run(day: Made) -> None:
    rows = [json.loads(line) for line in (day.folder / "labels.ndjson").read_text(encoding="utf-8").splitlines()]
    assert {row["kind"] for row in rows} == {f"V{k:02d}" for k in range(1, 46)}
    assert all(START_MS <= row["begin_ms"] <= row["end_ms"] <= START_MS + 86_400_000 for row in rows)
    assert Counter(row["kind"] for row in rows) == day.summary.kinds


def test_progress(day: Made) -> None:
    assert day.progress == sorted(day.progress)
    assert day.progress[-1] == 1.0


def test_shares_no_code_with_what_it_tests() -> None:
    for path in Path(fleet.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                root = name.split(".")[0]
                assert name.startswith("ingest.fleet") or root in {
                    "numpy",
                    "shapely",
                    *sys.stdlib_module_names,
                }


def test_nobody_and_never(tmp_path: Path) -> None:
    generate(tmp_path, vehicles=1, hours=0.01, seed=1)
    with pytest.raises(ValueError, match="vehicle"):
        generate(tmp_path, vehicles=0, hours=1, seed=1)


def test_memory_does_not_grow_with_time(tmp_path: Path) -> None:
    peaks = []
    for hours in (0.2, 2.0, 6.0):
        tracemalloc.start()
        generate(tmp_path, vehicles=300, hours=hours, seed=1, start_ms=START_MS + 28_800_000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.15 * peaks[1]
