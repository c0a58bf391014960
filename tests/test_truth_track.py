"""Truth of the terminals: V11-V17, V07, V08 and parameters by fence, against an independent plain reading."""

from collections import Counter
from pathlib import Path

import pytest

from api import replay
from tests.plain import interpret
from tests.readings import assert_agree, product
from tests.streams_track import write_stream_of_track

SEEDS = range(32)
"""All of them are judged by the product; a part by both readings, for the plain one takes its time."""


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_random_streams_of_terminals(tmp_path: Path, seed: int) -> None:
    assert assert_agree(*write_stream_of_track(tmp_path, seed))


def test_random_streams_of_terminals_reach_every_branch(tmp_path: Path) -> None:
    """The comparison is worth something only where both readings find much, of every sort."""
    seen: Counter[tuple[object, ...]] = Counter()
    for seed in SEEDS:
        for episode in product(*write_stream_of_track(tmp_path / str(seed), seed))[0]:
            seen[tuple(episode.get(trait) for trait in ("kind", "severity", "lead", "sign"))] += 1
            seen[episode["kind"], str(episode.get("signs", "")).count(",")] += 1
    wanted: list[tuple[object, ...]] = [("V07", 3, False, None), ("V07", 2, True, None)]
    wanted += [("V08", 2, lead, None) for lead in (True, False)]
    wanted += [("V11", severity, False, None) for severity in (2, 3)]
    wanted += [("V12", severity, severity == 2, None) for severity in (2, 3, 4)]
    wanted += [("V13", severity, False, None) for severity in (1, 2)]
    wanted += [("V14", 1, False, None), ("V15", 1, False, None), ("V17", 1, False, None)]
    wanted += [("V16", 2, True, sign) for sign in ("speeds_differ", "frozen", "no_position", "two_places")]
    wanted += [("V16", 1)]
    assert not [trait for trait in wanted if seen[trait] < 10], seen


@pytest.mark.parametrize("size", [1, 7, 500])
def test_batches_of_a_stream_of_terminals_may_be_cut_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    stream = write_stream_of_track(tmp_path, 3, fixes=1_500)
    whole = product(*stream)
    monkeypatch.setattr(replay, "BATCH_FIXES", size)
    monkeypatch.setattr("ingest.lines.CHUNK_BYTES", 150 * size)
    assert product(*stream) == whole


@pytest.mark.parametrize("seed", [2, 7])
def test_kernels_of_terminals_run_by_the_interpreter_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    stream = write_stream_of_track(tmp_path, seed, fixes=1_500)
    compiled = product(*stream)
    interpret(monkeypatch)
    assert product(*stream) == compiled
