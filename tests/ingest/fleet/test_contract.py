"""The contract: what is planted is found, and nothing else is raised."""

import json
from pathlib import Path

import pytest

from ingest.fleet import generate
from tests.ingest.fleet.conftest import Made
from tests.ingest.fleet.days import found, labelled
from tests.reading.positions import Fix, Positions
from tests.reading.registry import Registry
from tests.reading.replay import replay_fixes

Row = dict[str, object]
ROAD = {"V01", "V02", "V03", "V04", "V05", "V06", "V09", "V20"}


def rows_of(path: Path) -> list[Row]:
    """NDJSON rows."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def number(row: Row, name: str) -> int:
    """A whole number of a row."""
    value = row[name]
    assert isinstance(value, int)
    return value


def matches(label: Row, episode: Row, kind: object) -> bool:
    """Same vehicle and kind, sharing an instant."""
    return (
        episode["plate"] == label["plate"]
        and episode["kind"] == kind
        and number(episode, "begins_ms") <= number(label, "end_ms")
        and number(episode, "ends_ms") >= number(label, "begin_ms")
    )


def compare(folder: Path, fixes: list[Fix]) -> None:
    """Every label within its tolerance, every episode explained."""
    reading = replay_fixes(fixes, Registry.read(folder / "registry"))
    left = [episode for episode in reading.episodes if episode["kind"] in ROAD]
    for label in rows_of(folder / "labels.ndjson"):
        implied = label.get("implies", [])
        assert isinstance(implied, list)
        for kind in ROAD.intersection(implied):
            also = [e for e in reading.episodes if matches(label, e, kind)]
            assert also, (label, kind)
            left = [e for e in left if e not in also]
        if label["kind"] not in ROAD:
            continue
        hits = [e for e in reading.episodes if matches(label, e, label["kind"])]
        assert len(hits) == 1, (label, hits)
        tolerance = number(label, "tolerance_ms")
        assert abs(number(hits[0], "begins_ms") - number(label, "begin_ms")) <= tolerance, (label, hits)
        assert abs(number(hits[0], "ends_ms") - number(label, "end_ms")) <= tolerance, (label, hits)
        left = [e for e in left if e not in hits]
    assert left == []


def test_days_and_terminals(day: Made) -> None:
    assert found(day.fixes, day.folder / "registry") == labelled(day.folder / "labels.ndjson")


@pytest.mark.parametrize("start_h", [1.5, 11.2])
def test_short_runs_at_any_hour(tmp_path: Path, start_h: float) -> None:
    start_ms = 1_772_380_800_000 + round(start_h * 3_600_000)
    made = generate(tmp_path, vehicles=60, hours=1.5, seed=8, start_ms=start_ms)
    assert set(made.kinds) == {"V01", "V02", "V04", "V20"}
    compare(tmp_path, list(Positions(made.positions)))


@pytest.mark.parametrize(
    ("parameter", "kind", "detail"),
    [
        ("V05,limit_ms,14399999", "V05", "恰好4小时休息20分钟"),
        ("driving,rest_ms,1200001", "V05", "恰好4小时休息20分钟"),
        ("V06,limit_ms,7199999", "V06", "恰好夜间2小时休息20分钟"),
        ("driving,rest_ms,1200001", "V06", "恰好夜间2小时休息20分钟"),
        ("V01,margin_kmh,2.9", "V01", "恰好限速加3"),
        ("V01,points,2\nV01,hold_ms,9999", "V01", "短时超速"),
        ("V03,margin_kmh,2.9", "V03", "恰好夜间限速加3"),
        ("V09,open_ms,500000", "V09", "凌晨短驶"),
    ],
)
def test_near_misses_miss_by_a_hair(day: Made, tmp_path: Path, parameter: str, kind: str, detail: str) -> None:
    rows = [row for row in rows_of(day.folder / "near.ndjson") if row["detail"] == detail]
    for path in (day.folder / "registry").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    head = "group,name,value,class,county,company,valid_from,valid_to"
    text = "".join(f"{line},,,,,\n" for line in [head, *parameter.split("\n")])
    (tmp_path / "parameters.csv").write_text(text.replace("valid_to,,,,,", "valid_to"), encoding="utf-8")
    own = [fix for fix in day.fixes if fix.plate == rows[0]["plate"]]
    reading = replay_fixes(own, Registry.read(tmp_path))
    assert kind in {episode["kind"] for episode in reading.episodes}


def test_near_misses_come_near(day: Made) -> None:
    near = rows_of(day.folder / "near.ndjson")
    assert {row["detail"] for row in near} >= {
        "恰好限速加3",
        "恰好4小时休息20分钟",
        "接驳凌晨运行",
        "危货擦边",
    }
    assert all(row["lawful"] is True for row in near)
    edge = next(row for row in near if row["detail"] == "恰好限速加3")
    inside = [
        fix.speed_kmh
        for fix in day.fixes
        if fix.plate == edge["plate"]
        and fix.time is not None
        and number(edge, "begin_ms") + 20_000 <= fix.time <= number(edge, "end_ms") - 20_000
    ]
    assert len(inside) >= 3
    assert set(inside) <= {63.0, 73.0, 83.0, 103.0}
