"""Truth of papers: V26-V31, and V09 under relay permits, against an independent plain reading of their docstrings."""

from collections import Counter
from pathlib import Path

import pytest

from api import replay
from tests.plain import interpret
from tests.readings import assert_agree, product
from tests.streams_papers import write_stream_of_papers

SEEDS = range(32)


@pytest.mark.parametrize("seed", SEEDS)
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
