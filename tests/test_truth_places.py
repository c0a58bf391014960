"""Truth of places: V10, V18-V22, V24, V25 against an independent plain reading of their docstrings."""

from collections import Counter
from pathlib import Path

import pytest

from api import replay
from tests.plain import interpret
from tests.readings import assert_agree, product
from tests.streams_places import write_stream_of_places

SEEDS = range(48)
"""All of them are judged by the product; a part by both readings, for the plain one takes its time."""


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_random_streams_among_places(tmp_path: Path, seed: int) -> None:
    assert assert_agree(*write_stream_of_places(tmp_path, seed))


def test_random_streams_among_places_reach_every_branch(tmp_path: Path) -> None:
    """The comparison is worth something only where both readings find much, of every sort."""
    seen: Counter[tuple[object, ...]] = Counter()
    for seed in SEEDS:
        for episode in product(*write_stream_of_places(tmp_path / str(seed), seed))[0]:
            seen[tuple(episode.get(trait) for trait in ("kind", "severity", "lead", "area"))] += 1
    wanted: list[tuple[object, ...]] = [("V10", 3, False, None), ("V20", 4, False, None), ("V21", 3, False, None)]
    wanted += [("V18", severity, False, None) for severity in (2, 3)]
    wanted += [("V19", 2, True, None), *(("V19", severity, False, None) for severity in (2, 4))]
    wanted += [("V22", 2, False, area) for area in ("beyond", "away")]
    wanted += [("V24", 4, False, None)]
    wanted += [("V25", 2, True, None), *(("V25", severity, False, None) for severity in (2, 3))]
    assert not [trait for trait in wanted if seen[trait] < 10], seen


@pytest.mark.parametrize("size", [1, 7, 500])
def test_batches_of_a_stream_among_places_may_be_cut_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    stream = write_stream_of_places(tmp_path, 3, fixes=1_500)
    whole = product(*stream)
    monkeypatch.setattr(replay, "BATCH_FIXES", size)
    monkeypatch.setattr("ingest.lines.CHUNK_BYTES", 150 * size)
    assert product(*stream) == whole


@pytest.mark.parametrize("seed", [2, 7])
def test_kernels_of_places_run_by_the_interpreter_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    stream = write_stream_of_places(tmp_path, seed, fixes=1_500)
    compiled = product(*stream)
    interpret(monkeypatch)
    assert product(*stream) == compiled
