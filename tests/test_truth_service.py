"""Truth of service: V23, V32-V34 against an independent plain reading of their docstrings."""

from collections import Counter
from pathlib import Path

import pytest

from api import replay
from tests.plain import interpret
from tests.readings import assert_agree, product
from tests.streams_service import write_stream_of_service

SEEDS = range(32)
"""All of them are judged by the product; a part by both readings, for the plain one takes its time."""


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_random_streams_under_a_timetable(tmp_path: Path, seed: int) -> None:
    assert assert_agree(*write_stream_of_service(tmp_path, seed))


def test_random_streams_under_a_timetable_reach_every_branch(tmp_path: Path) -> None:
    """The comparison is worth something only where both readings find much, of every sort."""
    seen: Counter[tuple[object, ...]] = Counter()
    for seed in SEEDS:
        for episode in product(*write_stream_of_service(tmp_path / str(seed), seed))[0]:
            seen[tuple(episode.get(trait) for trait in ("kind", "severity", "lead", "irregularity"))] += 1
    wanted: list[tuple[object, ...]] = [("V23", 1, False, None), ("V32", 3, False, None), ("V32", 2, True, None)]
    wanted += [("V33", 2, lead, "missed") for lead in (True, False)]
    wanted += [("V33", 1, False, fault) for fault in ("late", "early", "gap", "bunching")]
    wanted += [("V34", 2, lead, None) for lead in (True, False)]
    assert not [trait for trait in wanted if seen[trait] < 10], seen


@pytest.mark.parametrize("size", [1, 7, 500])
def test_batches_of_a_stream_under_a_timetable_may_be_cut_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    stream = write_stream_of_service(tmp_path, 3, fixes=1_500)
    whole = product(*stream)
    monkeypatch.setattr(replay, "BATCH_FIXES", size)
    monkeypatch.setattr("ingest.lines.CHUNK_BYTES", 150 * size)
    assert product(*stream) == whole


@pytest.mark.parametrize("seed", [2, 7])
def test_kernels_of_service_run_by_the_interpreter_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    stream = write_stream_of_service(tmp_path, seed, fixes=1_500)
    compiled = product(*stream)
    interpret(monkeypatch)
    assert product(*stream) == compiled
