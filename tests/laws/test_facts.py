"""Facts: rows that do not depend on where the stream is cut, against the plain reading fix by fix."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.found import Fact, Found
from detectors.kind import Example, Kind
from ingest.batch import Batch, concat
from ingest.formats import read_positions
from ingest.registry import read_registry
from ingest.rejects import Rejects
from ingest.ticks import Clock
from tests.detectors.rows import facts, joined, values
from tests.drives import Course
from tests.plain import interpret
from tests.reading.positions import Positions
from tests.reading.registry import Registry
from tests.reading.replay import Vehicle
from tests.readings import read_kinds
from tests.streams import write_stream

HOLDS = ("V01", "V02", "V03", "V04", "V20")
CASES = [
    pytest.param(kind, example, id=f"{kind.code} {example.title}")
    for kind in CATALOGUE.values()
    for example in kind.examples
]


def stream(folder: Path, seed: int, **shape: Any) -> tuple[Path, Path]:
    return write_stream(folder / f"{seed}", seed, **shape)


class Judge:
    """A stream on its way through an engine, in as many batches as one likes."""

    def __init__(self, positions: Path, registry: Path, kinds: Mapping[str, Kind] = CATALOGUE) -> None:
        self.engine = Engine(read_registry(registry), kinds)
        with positions.open("rb") as file:
            parts = read_positions(file, positions.name, self.engine.registry.vehicles, Rejects())
            self.batch: Batch = concat([part.batch for part in parts])

        self.clock = Clock()

    def judge(self, begin: int, end: int) -> dict[str, Found]:
        return self.engine.detect(self.batch.take(slice(begin, end)), self.clock).found

    def all(self, cuts: list[int]) -> dict[str, Found]:
        """All rows, where the stream is cut at these fixes."""
        self.clock = Clock()
        parts = [self.judge(begin, end) for begin, end in itertools.pairwise([0, *cuts, len(self.batch)])]
        return {code: joined([part[code] for part in parts]) for code in parts[0]}


def by_vehicle(found: dict[str, Found]) -> dict[str, list[Any]]:
    """Rows of each kind, all columns, in order for each vehicle."""
    return {code: rows[np.argsort(rows["vehicle"], kind="stable")].tolist() for code, rows in found.items()}


def all_facts(found: dict[str, Found]) -> dict[str, list[Any]]:
    return by_vehicle({code: facts(rows) for code, rows in found.items()})


@pytest.mark.parametrize(("kind", "example"), CASES)
def test_facts_of_an_example_do_not_depend_on_a_cut(tmp_path: Path, kind: Kind, example: Example) -> None:
    whole = Course(tmp_path, kind, example)
    n = len(whole.batch)
    expected = facts(whole.judge(0, n)).tolist()
    assert len([row for row in expected if row[1] == Fact.RAISED]) == len(example.raised)
    for cut in range(n + 1):
        course = Course(tmp_path, kind, example)
        assert facts(joined([course.judge(0, cut), course.judge(cut, n)])).tolist() == expected, f"cut at row {cut}"
    course = Course(tmp_path, kind, example)
    assert facts(joined([course.judge(row, row + 1) for row in range(n)])).tolist() == expected


@pytest.mark.parametrize("seed", range(12))
def test_facts_of_a_stream_do_not_depend_on_cuts(tmp_path: Path, seed: int) -> None:
    paths = stream(tmp_path, seed, vehicles=4, fixes=2_500)
    whole = Judge(*paths)
    n = len(whole.batch)
    found = whole.all([])
    expected, standing = all_facts(found), {code: values(rows) for code, rows in found.items()}
    assert any(expected.values())
    random = Random(seed)
    patterns = [sorted(random.choices(range(n + 1), k=k)) for k in (1, 1, 2, 5, 20, 100)]
    patterns += [list(range(0, n, step)) for step in (7, 100)]
    for cuts in patterns if seed else [*patterns, list(range(n))]:
        found = Judge(*paths).all(cuts)
        assert all_facts(found) == expected, cuts
        assert {code: values(rows) for code, rows in found.items()} == standing, cuts


@pytest.mark.parametrize("seed", [3, 5])
def test_facts_of_a_short_stream_do_not_depend_on_any_cut(tmp_path: Path, seed: int) -> None:
    paths = stream(tmp_path, seed, vehicles=2, fixes=500, dirt=0.02)
    whole = Judge(*paths)
    expected = all_facts(whole.all([]))
    assert sum(map(len, expected.values())) >= 10
    fresh = Judge(*paths)
    empty = {name: fresh.engine.states[name] for name in fresh.engine.states}
    for cut in range(len(whole.batch) + 1):
        assert all_facts(fresh.all([cut])) == expected, cut
        for table in empty:
            fresh.engine.states[table][:] = np.zeros((), fresh.engine.states[table].dtype)


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_kernels_run_by_the_interpreter_tell_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """They would also say so if there were no room for a row."""
    paths = stream(tmp_path, seed, fixes=1_500)
    compiled = by_vehicle(Judge(*paths).all([700]))
    interpret(monkeypatch)
    assert by_vehicle(Judge(*paths).all([700])) == compiled


Told = tuple[str, str, int, int, int]
"""Kind, plate, begin, when it was raised, and what severity it came to."""


def read_on(positions: Path, registry: Path) -> Iterator[tuple[tuple[str, int], set[Told], set[Told], int]]:
    """What each fix raises and what it makes graver, as the plain reading of all fixes up to it has it.

    The reading is fed on, fix by fix: it is what it would be of the prefix, for it knows no end of input.
    """
    lines, rules = Positions(positions), Registry.read(registry)
    vehicles: dict[tuple[str, int], Vehicle] = {}
    for fix in lines:
        key = fix.plate, fix.plate_color
        vehicle = vehicles.setdefault(key, Vehicle(rules, key))
        before = {id(episode): episode.severity for episode in vehicle.episodes}
        accepted = vehicle.gate.accepted
        vehicle.take(fix, vehicle.gate.take(fix), Counter())
        raised, risen = set[Told](), set[Told]()
        for episode in vehicle.episodes:
            one = episode.kind, fix.plate, episode.begins_ms, episode.raised_ms, episode.severity
            if id(episode) not in before:
                raised.add(one)
            elif episode.severity > before[id(episode)]:
                risen.add(one)
        now = vehicle.gate.accepted
        yield key, raised, risen, -1 if now is None or now is accepted else now.t


@pytest.mark.parametrize("seed", [101, 117, 134, 151])
def test_raised_and_risen_are_what_every_prefix_tells(tmp_path: Path, seed: int) -> None:
    paths = stream(tmp_path, seed, vehicles=3, fixes=3_000)
    kinds = {code: kind for code, kind in read_kinds().items() if code != "V11"}  # ticks raise it, not fixes
    product = Judge(*paths, kinds)
    names = product.engine.registry.vehicles.names
    seen: Counter[Fact] = Counter()
    read = list(read_on(*paths))
    assert len(read) == len(product.batch)
    for row, (key, raised, risen, now_ms) in enumerate(read):
        assert tuple(names[product.batch.vehicle[row]]) == key
        told: dict[tuple[str, int], list[Any]] = {}
        for code, rows in product.judge(row, row + 1).items():
            for one in rows:
                if one["fact"] in (Fact.RAISED, Fact.RISEN):
                    told.setdefault((code, int(one["begins_ms"])), []).append(one)
                    seen[Fact(one["fact"])] += 1
        own_raised, own_risen = set[Told](), set[Told]()
        for (code, begins_ms), rows_of in told.items():
            last = rows_of[-1]
            assert [one["fact"] for one in rows_of[1:]] == [Fact.RISEN] * (len(rows_of) - 1)
            into = own_raised if rows_of[0]["fact"] == Fact.RAISED else own_risen
            into.add((code, key[0], begins_ms, int(last["raised_ms"]), int(last["severity"])))
        assert own_raised == raised
        assert own_risen == risen
        assert all(raised_ms == now_ms for *_, raised_ms, _ in raised)
    assert seen[Fact.RAISED] >= 20
    assert seen[Fact.RISEN] >= 2


@pytest.mark.parametrize("seed", range(8))
def test_what_is_over_does_not_change(tmp_path: Path, seed: int) -> None:
    """Only a counter that is taken up again goes on; and it does so by driving."""
    found = Judge(*stream(tmp_path, seed)).all([1_000, 2_000])
    ended: Counter[str] = Counter()
    for code, rows in found.items():
        over: dict[tuple[int, int], tuple[Any, ...]] = {}
        begun: set[tuple[int, int]] = set()
        for row in rows[rows["fact"] != Fact.WARNED]:
            episode, fact = (int(row["vehicle"]), int(row["begins_ms"])), Fact(row["fact"])
            assert (fact is Fact.RAISED) == (episode not in begun)
            begun.add(episode)
            if episode in over:
                assert code in ("V05", "V06"), "it ended"
                assert row["ends_ms"] > over.pop(episode), "ended twice without having gone on"
            if fact is Fact.ENDED:
                over[episode] = row["ends_ms"]
                ended[code] += 1
    assert sum(ended.values()) >= 20


@pytest.mark.parametrize("seed", range(8))
def test_every_hold_ends_once_and_so_does_all_at_the_next_rest(tmp_path: Path, seed: int) -> None:
    """Two days after the stream every vehicle stands, and sets off: nothing is left open."""
    judge = Judge(*stream(tmp_path, seed))
    found = judge.all([])
    names = judge.engine.registry.vehicles
    rows = np.arange(len(names))
    late = judge.engine.states["gate"]["time_ms"][: len(names)].max() + 2 * 86_400_000
    later = [late + 1_000 * second for second in (0, 1, *range(60, 4_000, 60))]
    speeds = [0.0] * 40 + [60.0] * (len(later) - 40)
    lat = 44.0 + np.cumsum([0.0, *speeds[:-1]]) / 3.6 * 60 / 111_195
    behind = [
        Batch(
            vehicle=rows.astype(np.int32),
            time_ms=np.full(len(rows), time_ms),
            lon=np.full(len(rows), 87.0),
            lat=np.full(len(rows), north),
            speed_kmh=np.full(len(rows), speed),
            **{name: np.full(len(rows), np.nan) for name in ("heading_deg", "altitude_m")},
            **{name: np.full(len(rows), np.nan) for name in ("recorder_speed_kmh", "mileage_km")},
            **{name: np.full(len(rows), -1) for name in ("alarm", "status")},
            received_ms=np.full(len(rows), np.iinfo(np.int64).min),
            backfill=np.zeros(len(rows), np.bool_),
            driver=np.zeros(len(rows), np.int64),
            items=np.zeros(len(rows), np.int64),
        )
        for time_ms, north, speed in zip(later, lat, speeds, strict=True)
    ]
    last = judge.engine.detect(concat(behind)).found
    for code in found:
        every = joined([found[code], last[code]])
        every = every[every["fact"] != Fact.WARNED]
        of = Counter((int(row["vehicle"]), int(row["begins_ms"])) for row in every if row["fact"] == Fact.ENDED)
        begun = {
            (int(row["vehicle"]), int(row["begins_ms"])) for row in every if int(row["raised_ms"]) < late - 86_400_000
        }
        assert begun <= of.keys(), code
        if code not in ("V05", "V06"):
            assert set(of.values()) <= {1}, code
