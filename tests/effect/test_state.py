"""State that outlives a program: kinds come and go, checkpoints are damaged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from detectors.catalogue import CATALOGUE
from detectors.kind import Kind
from ingest.log import POSITIONS, LogError
from ledger.database import connect
from ledger.tablelog import TableLog
from tests.effect.runs import QUICK, work
from tests.effect.scenario import load, picture
from tests.servers import Servers

SEED = 1


@pytest.fixture
def url(server_kind: str, servers: Servers) -> Iterator[str]:
    with servers.database(server_kind, template=servers.migrated(server_kind)) as url:
        yield url


def in_two_halves(url: str, folder: Path, first: dict[str, Kind], second: dict[str, Kind]) -> float:
    """Run one program over the first half of the log and another over the rest; how many tables were warmed up."""
    load(url, folder, SEED)
    with connect(url) as connection:
        connection.execute("CREATE TABLE rest AS SELECT * FROM log_frames WHERE frame_offset >= 20")
        connection.execute("DELETE FROM log_frames WHERE frame_offset >= 20")
        connection.execute("UPDATE log_partitions SET next_offset = least(next_offset, 20)")
    work(url, settings=replace(QUICK, kinds=first))
    with connect(url) as connection:
        connection.execute("INSERT INTO log_frames SELECT * FROM rest")
        connection.execute(
            "UPDATE log_partitions SET next_offset = greatest(next_offset, (SELECT max(frame_offset) + 1 FROM rest "
            "WHERE rest.partition = log_partitions.partition))"
        )
        connection.execute("DROP TABLE rest")
    metrics = work(url, settings=replace(QUICK, kinds=second, warm_up_s=1e9))
    return sum(sample.value for metric in metrics.warmed_up.collect() for sample in metric.samples)


def violations(url: str) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for (row,) in picture(url)["violations"]:
        found.setdefault(str(row["kind"]), []).append(row)
    return found


@pytest.fixture
def truth(server_kind: str, servers: Servers, tmp_path: Path) -> dict[str, list[dict[str, object]]]:
    with servers.database(server_kind, template=servers.migrated(server_kind)) as url:
        load(url, tmp_path / "truth", SEED)
        work(url)
        return violations(url)


def test_nothing_changed(url: str, tmp_path: Path, truth: dict[str, list[dict[str, object]]]) -> None:
    assert in_two_halves(url, tmp_path / "own", dict(CATALOGUE), dict(CATALOGUE)) == 0
    assert violations(url) == truth


@pytest.mark.parametrize("code", ["V01", "V05"])
def test_a_kind_is_added(url: str, tmp_path: Path, truth: dict[str, list[dict[str, object]]], code: str) -> None:
    without = {name: kind for name, kind in CATALOGUE.items() if name != code}
    assert in_two_halves(url, tmp_path / "own", without, dict(CATALOGUE)) > 0
    found = violations(url)
    own, all_ = found.pop(code), truth.pop(code)
    assert found == truth, "the others are unharmed"
    assert 0 < len(own) < len(all_), "what was over before it came is not raised"
    known = {(row["begins_ms"], row["raised_ms"], row["ends_ms"], row["severity"]) for row in all_}
    assert {(row["begins_ms"], row["raised_ms"], row["ends_ms"], row["severity"]) for row in own} <= known, (
        "it goes on as if it had always been there"
    )


def test_a_kind_is_removed(url: str, tmp_path: Path, truth: dict[str, list[dict[str, object]]]) -> None:
    without = {name: kind for name, kind in CATALOGUE.items() if name != "V01"}
    assert in_two_halves(url, tmp_path / "own", dict(CATALOGUE), without) == 0
    found = violations(url)
    early, all_ = found.pop("V01", []), truth.pop("V01")
    assert found == truth
    assert len(early) < len(all_)


def test_a_kind_has_a_new_version(url: str, tmp_path: Path, truth: dict[str, list[dict[str, object]]]) -> None:
    newer = {name: replace(kind, version=2) if name == "V01" else kind for name, kind in CATALOGUE.items()}
    assert in_two_halves(url, tmp_path / "own", dict(CATALOGUE), newer) > 0
    found = violations(url)
    own, all_ = found.pop("V01"), truth.pop("V01")
    assert found == truth
    assert {row["rule_version"] for row in own} == {1, 2}, "each says which rule found it"
    assert [row | {"rule_version": 1} for row in own] == all_


def test_a_damaged_checkpoint_is_passed_over(
    url: str, tmp_path: Path, truth: dict[str, list[dict[str, object]]]
) -> None:
    load(url, tmp_path / "own", SEED)
    work(url)
    with connect(url) as connection:
        connection.execute(
            "UPDATE state_slabs SET content = 'rubbish' WHERE (partition, next_offset) IN "
            "(SELECT partition, max(next_offset) FROM checkpoints GROUP BY 1)"
        )
        connection.execute("DELETE FROM checkpoints WHERE next_offset = 0")
    work(url)
    assert violations(url) == truth


def test_without_a_checkpoint_a_trimmed_log_is_refused(url: str, tmp_path: Path) -> None:
    load(url, tmp_path / "own", SEED)
    work(url)
    with connect(url) as connection:
        connection.execute("DELETE FROM checkpoints")
    with pytest.raises(LogError, match=r"lacks|holds"):
        work(url)


def test_repeated_frames_change_nothing(url: str, tmp_path: Path, truth: dict[str, list[dict[str, object]]]) -> None:
    own = load(url, tmp_path / "own", SEED)
    log = TableLog(url)
    log.append([frame for frame in own if frame.form == POSITIONS])
    log.close()
    work(url)
    found = violations(url)
    assert {row["id"] for rows in truth.values() for row in rows} <= {
        row["id"] for rows in found.values() for row in rows
    }
