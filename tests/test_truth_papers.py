"""Truth of papers: V26-V31, and V09 under relay permits, against an independent plain reading of their docstrings."""

import json
from collections import Counter
from pathlib import Path

import pytest

from api import replay
from detectors.catalogue import CATALOGUE
from detectors.engine import Engine, Result
from detectors.found import Fact
from ingest.batch import Batch
from ingest.registry import read_registry
from ingest.ticks import NO_TICKS, Clock, Ticks
from tests.plain import interpret
from tests.reading.positions import Positions
from tests.reading.registry import Registry
from tests.reading.reminders import reminders
from tests.readings import assert_agree, product
from tests.streams import START_MS
from tests.streams_papers import write_stream_of_papers

SEEDS = range(32)
"""All of them are judged by the product; a part by both readings, for the plain one takes its time."""


class Listening(Engine):
    """An engine that hears its own warnings."""

    def __init__(self, registry: Path, codes: tuple[str, ...]) -> None:
        super().__init__(read_registry(registry), {code: CATALOGUE[code] for code in codes})
        self.warned: list[tuple[object, ...]] = []

    def detect(self, batch: Batch, ticks: Ticks | Clock = NO_TICKS) -> Result:
        """Carry all state through a batch of fixes."""
        result = super().detect(batch, ticks)
        for code, found in result.found.items():
            for row in found[found["fact"] == Fact.WARNED]:
                plate, color = self.registry.vehicles.names[row["vehicle"]]
                measures = sorted(self.kinds[code].measures(row).items())
                assert row["begins_ms"] == row["raised_ms"] == row["ends_ms"]
                assert row["severity"] == 0
                self.warned.append((code, plate, color, int(row["raised_ms"]), measures))
        return result


def warned(positions: Path, registry: Path) -> list[tuple[object, ...]]:
    """Warnings of V29 and V30 as the product tells them."""
    engine = Listening(registry, ("V29", "V30"))
    with positions.open("rb") as file:
        replay.replay(file, positions.name, engine)
    return engine.warned


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_random_streams_under_papers(tmp_path: Path, seed: int) -> None:
    assert assert_agree(*write_stream_of_papers(tmp_path, seed))


def test_random_streams_under_papers_reach_every_branch(tmp_path: Path) -> None:
    """The comparison is worth something only where both readings find much, of every sort."""
    seen: Counter[tuple[object, ...]] = Counter()
    for seed in SEEDS:
        for episode in product(*write_stream_of_papers(tmp_path / str(seed), seed))[0]:
            seen[tuple(episode.get(trait) for trait in ("kind", "severity", "lead", "reason"))] += 1
    wanted: list[tuple[object, ...]] = [("V09", severity, False, None) for severity in (3, 4)]
    wanted += [("V26", 3, False, reason) for reason in ("no_sheet", "off_route")]
    wanted += [("V27", 3, False, "load_told"), ("V27", 2, True, "load_guessed"), ("V28", 4, False, None)]
    wanted += [("V29", severity, False, None) for severity in (3, 4)]
    wanted += [("V30", severity, False, reason) for severity in (3, 4) for reason in ("lapsed", "unqualified")]
    wanted += [("V30", 4, False, "no_escort")]
    wanted += [("V31", 2, False, "other_driver"), ("V31", 2, True, "no_driver")]
    assert not [trait for trait in wanted if seen[trait] < 10], seen


@pytest.mark.parametrize("size", [1, 7, 500])
def test_batches_of_a_stream_under_papers_may_be_cut_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    stream = write_stream_of_papers(tmp_path, 3, fixes=1_500)
    whole = product(*stream)
    monkeypatch.setattr(replay, "BATCH_FIXES", size)
    monkeypatch.setattr("ingest.lines.CHUNK_BYTES", 150 * size)
    assert product(*stream) == whole


@pytest.mark.parametrize("seed", [2, 7])
def test_kernels_of_papers_run_by_the_interpreter_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    stream = write_stream_of_papers(tmp_path, seed, fixes=1_500)
    compiled = product(*stream)
    interpret(monkeypatch)
    assert product(*stream) == compiled


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ending", [False, True])
def test_warnings_of_papers_that_end(tmp_path: Path, seed: int, ending: bool) -> None:
    positions, registry = write_stream_of_papers(tmp_path, seed, ending=ending)
    plain = [one.shown() for one in reminders(Positions(positions), Registry.read(registry))]
    found = warned(positions, registry)
    assert sorted(found) == sorted(plain)
    assert found or not ending


def test_a_relay_permit_that_ends_while_a_stretch_is_pending(tmp_path: Path) -> None:
    """The fix that makes the stretch driving decides: its driving counts from its own beginning."""
    two = START_MS + 2 * 3_600_000
    fixes = []
    for second in range(-600, 720, 20):
        lat, speed = 44.0 + max(0, second) * 1.5e-5, 6 if second >= 0 else 0
        fixes.append({"plate": "P0", "time": two + second * 1_000, "lon": 87.0, "lat": lat, "speed_kmh": speed})
    (tmp_path / "positions.ndjson").write_text("".join(f"{json.dumps(fix)}\n" for fix in fixes), encoding="utf-8")
    (tmp_path / "vehicles.csv").write_text("plate,class\nP0,L\n", encoding="utf-8")
    permits = f"plate,permit,valid_from,valid_to\nP0,relay,,{two + 30_000}\n"
    (tmp_path / "permits.csv").write_text(permits, encoding="utf-8")
    [found] = assert_agree(tmp_path / "positions.ndjson", tmp_path)
    assert (found["kind"], found["begins_ms"]) == ("V09", two)
