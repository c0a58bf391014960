"""Truth: the product against an independent plain reading of the rulebook."""

import json
from collections import Counter
from pathlib import Path

import pytest

from api import replay
from ingest.fleet import generate
from ingest.profile import read_profile
from tests.plain import interpret
from tests.readings import READ, assert_agree, printed, product
from tests.streams import write_stream
from tests.traces import TRACES, as_rulebook, registry_of_traces

SEEDS = range(32)
"""All of them are judged by the product; a part by both readings, for the plain one takes its time."""


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_random_streams_with_all_the_dirt(tmp_path: Path, seed: int) -> None:
    assert assert_agree(*write_stream(tmp_path, seed))


def test_random_streams_reach_every_branch_of_the_outcome(tmp_path: Path) -> None:
    """The comparison is worth something only where both readings find much, of every sort."""
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        for episode in product(*write_stream(tmp_path / str(seed), seed))[0]:
            seen[episode["kind"]] += 1
            for trait in ("severity", "lead", "basis", "superseded_by"):
                seen[f"{episode['kind']} {trait} {episode.get(trait)}"] += 1
    wanted = [f"{kind} severity 2" for kind in ("V01", "V02", "V03", "V04", "V05", "V06")]
    wanted += [f"{kind} severity 3" for kind in ("V01", "V02", "V05", "V06", "V09")]
    wanted += [f"{kind} severity 4" for kind in ("V04", "V05", "V09", "V20")]
    wanted += [f"{kind} lead {lead}" for kind in ("V01", "V03", "V04", "V05", "V06") for lead in (True, False)]
    wanted += [f"{kind} basis {basis}" for kind in ("V05", "V06") for basis in ("driver", "vehicle")]
    wanted += [f"{kind} superseded_by V04" for kind in ("V01", "V02")]
    assert not [trait for trait in wanted if seen[trait] < 10], seen


@pytest.mark.parametrize("size", [1, 7, 500])
def test_batches_may_be_cut_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    stream = write_stream(tmp_path, 3, fixes=1_500)
    whole = product(*stream)
    monkeypatch.setattr(replay, "BATCH_FIXES", size)
    monkeypatch.setattr("ingest.lines.CHUNK_BYTES", 150 * size)
    assert product(*stream) == whole


def test_replay_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    stream = write_stream(tmp_path, 5)
    assert printed(product(*stream)[0]) == printed(product(*stream)[0])


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_kernels_run_by_the_interpreter_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    stream = write_stream(tmp_path, seed, fixes=1_500)
    compiled = product(*stream)
    interpret(monkeypatch)
    assert product(*stream) == compiled


@pytest.mark.skipif(not TRACES, reason="the real traces are not beside the project")
@pytest.mark.parametrize("trace", TRACES, ids=lambda path: path.name)
def test_real_traces(tmp_path: Path, trace: Path) -> None:
    registry = registry_of_traces(tmp_path)
    converted = as_rulebook(trace, tmp_path / "positions.ndjson")
    found = assert_agree(converted, registry)
    assert found
    assert product(trace, registry, read_profile("tipdm"))[0] == found


def test_the_fleet_every_planted_violation_and_nothing_else(tmp_path: Path) -> None:
    generate(tmp_path, vehicles=150, hours=24, seed=1)
    found = assert_agree(tmp_path / "positions.ndjson", tmp_path / "registry")
    labels = [json.loads(line) for line in (tmp_path / "labels.ndjson").read_text(encoding="utf-8").splitlines()]
    planted = {(label["plate"], kind) for label in labels for kind in (label["kind"], *label.get("implies", ()))}
    planted = {(plate, kind) for plate, kind in planted if kind in READ}
    assert {(episode["plate"], episode["kind"]) for episode in found} == planted
    assert {kind for _, kind in planted} == READ
    for label in labels:
        if label["kind"] not in READ:
            continue
        slack = label["tolerance_ms"]
        assert [
            episode
            for episode in found
            if (episode["plate"], episode["kind"]) == (label["plate"], label["kind"])
            and abs(episode["begins_ms"] - label["begin_ms"]) <= slack
            and abs(episode["ends_ms"] - label["end_ms"]) <= slack
        ], label
