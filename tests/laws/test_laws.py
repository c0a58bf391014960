"""Laws that every kind keeps, for every kind and example found in the catalogue. Rulebook §1."""

import copy
import itertools
from pathlib import Path
from random import Random

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.found import Fact, Found
from detectors.kind import Example, Kind
from ingest.batch import concat
from ingest.registry import read_registry
from tests.detectors.rows import joined, values
from tests.drives import PLATE, Course, batch_of, register

CASES = [
    pytest.param(kind, example, id=f"{kind.code} {example.title}")
    for kind in CATALOGUE.values()
    for example in kind.examples
]


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
    enriched = course.enriched(0, len(course.batch))
    limits = course.engine.limits(kind, enriched)
    before = copy.deepcopy((enriched, limits))
    kind.detect(enriched, limits, course.state)
    for name, column in enriched.columns().items():
        np.testing.assert_array_equal(column, getattr(before[0], name), err_msg=name)
    for name in ("sets", "index", "applies"):
        np.testing.assert_array_equal(getattr(limits, name), getattr(before[1], name), err_msg=name)


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

    def found(*parts: object) -> list[tuple[object, ...]]:
        engine = Engine(read_registry(tmp_path), {kind.code: kind})
        results = [engine.detect(part).found[kind.code] for part in parts]  # type: ignore[arg-type]
        return values(joined(results))

    assert found(together) == found(*batches) == found(*reversed(batches))
