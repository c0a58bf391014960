"""Score: all that is planted is found, and nothing else; what is missed or extra is told."""

import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from api.replay import replay
from api.score import Score, compare, score_fleet, score_folder, shown
from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from ingest.fleet import START_MS, generate
from ingest.registry import read_registry

Row = dict[str, object]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user starts it."""
    command = [sys.executable, "-m", "api.cli", "fleet", "--score", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet's day."""
    path = tmp_path_factory.mktemp("scored")
    generate(path, vehicles=200, hours=24, seed=1)
    return path


def test_every_kind_is_planted_and_found_and_nothing_else(folder: Path) -> None:
    score = score_folder(folder)
    assert not list(shown(score))
    assert score.perfect
    assert set(score.planted) == set(CATALOGUE)
    assert score.found == score.planted
    labels = [json.loads(line) for line in (folder / "labels.ndjson").read_text(encoding="utf-8").splitlines()]
    said = Counter(kind for label in labels for kind in label.get("implies", ()))
    assert said
    assert all(score.implied[kind] >= count for kind, count in said.items())


def test_a_fleet_in_parts_is_the_same_fleet(folder: Path) -> None:
    whole = score_folder(folder)
    parts = score_fleet({"vehicles": 200, "hours": 24, "seed": 1, "start_ms": START_MS}, parts=3)
    assert parts == whole


def test_the_command_prints_the_table(folder: Path) -> None:
    done = run("--out", str(folder), "--show")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {cells[0]: cells[1:6] for line in done.stdout.splitlines() if (cells := line.split())}
    assert set(CATALOGUE) < set(rows)
    assert rows["V20"][:4] == ["4", "4", "0", "0"]


def test_what_is_missed_or_extra_is_shown_and_fails(folder: Path, tmp_path: Path) -> None:
    for name in ("positions.ndjson", "registry"):
        (tmp_path / name).symlink_to(folder / name)
    labels = [json.loads(line) for line in (folder / "labels.ndjson").read_text(encoding="utf-8").splitlines()]
    moved = labels.pop(next(at for at, label in enumerate(labels) if label["kind"] == "V20"))
    labels.append(moved | {"kind": "V21"})
    (tmp_path / "labels.ndjson").write_text("".join(json.dumps(label) + "\n" for label in labels), encoding="utf-8")
    done = run("--out", str(tmp_path), "--show")
    assert done.returncode == 1
    assert f"漏 missed  V21  {moved['plate']}" in done.stdout
    assert f"多 extra  V20  {moved['plate']}" in done.stdout


def label(kind: str, begin: int, end: int, **more: object) -> Row:
    """A label of one vehicle."""
    return {"plate": "A", "kind": kind, "begin_ms": begin, "end_ms": end, "tolerance_ms": 10, **more}


def episode(kind: str, begins: int, ends: int) -> Row:
    """An episode of the same."""
    return {"plate": "A", "kind": kind, "begins_ms": begins, "ends_ms": ends}


def test_a_label_is_answered_once() -> None:
    score = compare([label("V01", 100, 200)], [episode("V01", 106, 200), episode("V01", 105, 190)])
    assert score.found == Counter(V01=1)
    assert score.extra == [episode("V01", 106, 200)]


@pytest.mark.parametrize(("begins", "ends"), [(111, 200), (89, 200), (100, 211), (100, 189)])
def test_an_episode_beyond_the_tolerance_answers_nothing(begins: int, ends: int) -> None:
    score = compare([label("V01", 100, 200)], [episode("V01", begins, ends)])
    assert (len(score.missed), len(score.extra)) == (1, 1)


def test_implied_kinds_are_counted_apart() -> None:
    score = compare([label("V04", 100, 200, implies=["V01"])], [episode("V04", 100, 200), episode("V01", 90, 220)])
    assert score.perfect
    assert score.implied == Counter(V01=1)
    assert Score().perfect


@pytest.mark.parametrize(
    ("detail", "kind", "table", "old", "new"),
    [
        ("证照当日换发", "V29", "documents", "T12:00:00\n", "T05:00:00\n"),
        ("运单到收车为止", "V27", "waybills", "T20:45:00", "T10:00:00"),
        ("持证通行封闭路段", "V24", "permits", "closure-1", "closure-2"),
        ("持证限时段行驶", "V21", "permits", "restricted_hours", "dispatch"),
        ("招呼站", "V34", "stops", ",1\n", ",0\n"),
        ("出站登记近两小时", "V32", "parameters", "", "V32,window_ms,7000000\n"),
        ("晚点九分钟", "V33", "parameters", "", "V33,late_ms,500000\n"),
    ],
)
def test_near_misses_of_papers_miss_by_a_hair(
    folder: Path, tmp_path: Path, detail: str, kind: str, table: str, old: str, new: str
) -> None:
    near = [json.loads(line) for line in (folder / "near.ndjson").read_text(encoding="utf-8").splitlines()]
    plate = next(row["plate"] for row in near if row["detail"] == detail)
    registry = tmp_path / "registry"
    shutil.copytree(folder / "registry", registry)
    path = registry / f"{table}.csv"
    text = path.read_text(encoding="utf-8") if old else "group,name,value\n" + new
    path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    with (folder / "positions.ndjson").open(encoding="utf-8") as every:
        own = "".join(line for line in every if plate in line).encode()
    for where, found in ((folder / "registry", set()), (registry, {kind})):
        engine = Engine(read_registry(where), daily=True)
        episodes, _ = replay(io.BytesIO(own), "positions.ndjson", engine)
        assert {episode["kind"] for episode in episodes if episode["plate"] == plate} == found


def test_the_page_has_every_kind_and_no_gap() -> None:
    page = Path(__file__).parents[2] / "docs" / "planted.md"
    rows = [line.strip("|").split("|") for line in page.read_text(encoding="utf-8").splitlines() if "| V" in line]
    told = {cells[0].strip(): [int(cell) for cell in cells[1:5]] for cells in rows}
    assert list(told) == list(CATALOGUE)
    assert all(planted == found > 0 == missed == extra for planted, found, missed, extra in told.values())
