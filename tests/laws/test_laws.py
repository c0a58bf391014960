"""Laws that every kind keeps, for every kind and example found in the catalogue. Rulebook §1."""

import copy
import itertools
from dataclasses import fields, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.days import Day
from detectors.engine import Engine
from detectors.enrich import Enriched
from detectors.found import Fact, Found
from detectors.kind import Example, Kind
from ingest.batch import Batch, concat
from ingest.registry import read_registry
from ingest.ticks import Clock, Ticks
from tests.detectors.rows import joined, values
from tests.drives import PLATE, Course, batch_of, register

CASES = [
    pytest.param(kind, example, id=f"{kind.code} {example.title}")
    for kind in CATALOGUE.values()
    for example in kind.examples
]


TICK = ("at", "first_ms", "last_ms", "partition")


def ticks_of(batch: Batch, partition: int, partitions: int) -> Ticks:
    """A tick a minute among one vehicle's fixes, in a partition of its own."""
    ticks = Clock().ticks(batch, np.ones(len(batch), np.bool_))
    home = np.arange(partitions, dtype=np.int32)
    return replace(ticks, partition=np.full(len(ticks), partition, np.int32), home=home)


def latest(*parts: Found) -> list[tuple[object, ...]]:
    """Each episode as it stands at the end, in order."""
    return values(joined(list(parts)))


@pytest.mark.parametrize(("kind", "example"), CASES)
def test_examples_hold(tmp_path: Path, kind: Kind, example: Example) -> None:
    course = Course(tmp_path, kind, example)
    assert course.raised(course.judge(0, len(course.batch))) == list(example.raised)


@pytest.mark.parametrize(("kind", "example"), CASES)
def test_cut_at_every_row(tmp_path: Path, kind: Kind, example: Example) -> None:
    whole = Course(tmp_path, kind, example)
    n = len(whole.batch)
    expected = latest(whole.judge(0, n))
    for cut in range(n + 1):
        course = Course(tmp_path, kind, example)
        assert latest(course.judge(0, cut), course.judge(cut, n)) == expected, f"cut at row {cut}"


@pytest.mark.parametrize(("kind", "example"), CASES)
def test_random_cuts(tmp_path: Path, kind: Kind, example: Example) -> None:
    whole = Course(tmp_path, kind, example)
    n = len(whole.batch)
    expected, random = latest(whole.judge(0, n)), Random(kind.code)
    for _ in range(5):
        cuts = sorted({0, n, *(random.randrange(n + 1) for _ in range(random.randrange(1, 9)))})
        course = Course(tmp_path, kind, example)
        parts = [course.judge(begin, end) for begin, end in itertools.pairwise(cuts)]
        assert latest(*parts) == expected, f"cuts at {cuts}"


@pytest.mark.parametrize(("kind", "example"), CASES)
def test_raised_is_never_moved_and_the_end_only_forward(tmp_path: Path, kind: Kind, example: Example) -> None:
    course = Course(tmp_path, kind, example)
    seen: dict[int, tuple[int, int, int]] = {}
    for row in range(len(course.batch)):
        found = course.judge(row, row + 1)
        for episode in found[found["fact"] != Fact.WARNED]:
            begins, raised, ends = (int(episode[name]) for name in ("begins_ms", "raised_ms", "ends_ms"))
            before = seen.get(begins, (raised, ends, 0))
            assert before[0] == raised
            assert before[1] <= ends
            assert before[2] <= episode["severity"]
            seen[begins] = raised, ends, int(episode["severity"])


@pytest.mark.parametrize(("kind", "example"), CASES)
def test_input_is_only_read(tmp_path: Path, kind: Kind, example: Example) -> None:
    course = Course(tmp_path, kind, example)
    asked: Enriched | Day
    if kind.scope == "day":
        course.close(0, len(course.batch))
        assert course.engine.days is not None
        asked = course.engine.days.day(course.engine.registry, course.day_ms)
        limits = course.engine.day_limits(kind, asked)
    else:
        asked = course.enriched(0, len(course.batch))
        limits = course.engine.limits(kind, asked)
    before = copy.deepcopy((asked, limits))
    state = np.zeros(max(len(asked), 1), kind.state)
    kind.detect(asked, limits, state)
    for one, was in zip((asked, limits), before, strict=True):
        columns = {column.name: getattr(one, column.name) for column in fields(one)}
        arrays = {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}
        assert arrays
        for name, column in arrays.items():
            assert column.tobytes() == getattr(was, name).tobytes(), name


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=str)
def test_an_empty_batch_changes_nothing(tmp_path: Path, kind: Kind) -> None:
    course = Course(tmp_path, kind, kind.examples[0])
    assert not len(course.judge(0, 0))
    assert not course.state.view(np.uint8).any()


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=str)
def test_vehicles_do_not_see_each_other(tmp_path: Path, kind: Kind) -> None:
    """All examples of a kind at once, interleaved by time, as vehicles of one batch."""
    mapped = (kind.examples[0].fences, kind.examples[0].lines)
    examples = [example for example in kind.examples if (example.fences, example.lines) == mapped]
    register(tmp_path, kind, {f"{PLATE}{number}": example for number, example in enumerate(examples)})
    batches = [batch_of(example, vehicle) for vehicle, example in enumerate(examples)]
    together = concat(batches)
    together = together.take(np.argsort(together.time_ms, kind="stable"))

    own = [ticks_of(batch, vehicle, len(batches)) for vehicle, batch in enumerate(batches)]
    moved = [replace(ticks, at=np.flatnonzero(together.vehicle == one)[ticks.at]) for one, ticks in enumerate(own)]
    all_ticks = replace(moved[0], **{name: np.concatenate([getattr(one, name) for one in moved]) for name in TICK})

    def found(*parts: tuple[Batch, Ticks]) -> list[tuple[object, ...]]:
        engine = Engine(read_registry(tmp_path), {kind.code: kind}, daily=kind.scope == "day")
        results = [engine.detect(*part).found for part in parts]
        results = [engine.close()] if kind.scope == "day" else results
        return values(joined([result[kind.code] for result in results]))

    alone = list(zip(batches, own, strict=True))
    assert found((together, all_ticks)) == found(*alone) == found(*reversed(alone))
