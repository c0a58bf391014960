"""Silence against ticks: a plain reading, record by record, and cuts anywhere."""

import itertools
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.found import Fact, Found
from ingest.batch import MISSING_MS, Batch, no_fixes
from ingest.registry import read_registry
from ingest.ticks import NO_TICKS, TICK_MS, Clock, Ticks, first_tick
from tests.detectors.rows import facts, joined
from tests.plain import interpret

START_MS = 1_772_409_600_000
Record = tuple[str, int, int, float, int, float]
"""What it is, vehicle or partition, time [ms], speed, status, longitude."""

LETTERS = "LHBTF"
PARTITIONS = 2


def stream(seed: int, length: int = 400) -> list[Record]:
    """Fixes of vehicles 0 to 4 and ticks of partitions 0 and 1, one after another."""
    random = Random(seed)
    now, records = START_MS, list[Record]()
    times = [START_MS] * len(LETTERS)
    silent: dict[int, int] = {}
    for _ in range(length):
        now += random.choice((1_000, 10_000, 30_000, 60_000, 60_001, 150_000))
        if random.random() < 0.5:
            records.append(("tick", random.randrange(PARTITIONS), now - random.choice((0, 0, 0, 30_000)), 0.0, 0, 0.0))
            continue
        vehicle = random.randrange(len(LETTERS))
        if silent.get(vehicle, 0) > now:
            continue
        if random.random() < 0.15:
            silent[vehicle] = now + random.choice((300_000, 360_000, 900_000, 1_900_000, 4_000_000))
        time_ms = now - random.choice((0, 0, 0, 500, 400_000, 700_000))
        if random.random() < 0.1:
            time_ms = times[vehicle]
        times[vehicle] = max(time_ms, times[vehicle])
        speed = random.choice((0.0, 19.9, 20.0, 60.0, 60.0))
        lon = random.choice((87.0, 87.0, 87.0, 87.5, 90.0))
        records.append(("fix", vehicle, time_ms, speed, random.choice((-1, -1, 3, 2, 1)), lon))
    return records


def batch_of(records: list[Record], home: list[int]) -> tuple[Batch, Ticks]:
    fixes = [record for record in records if record[0] == "fix"]
    marks, seen = [], 0
    for what, who, time_ms, *_ in records:
        if what == "tick":
            marks.append((seen, time_ms, who))
        seen += what == "fix"
    n = len(fixes)
    columns = {name: np.full(n, np.nan) for name in no_fixes().columns()}
    columns |= {
        "vehicle": np.array([fix[1] for fix in fixes], np.int32),
        "time_ms": np.array([fix[2] for fix in fixes], np.int64),
        "speed_kmh": np.array([fix[3] for fix in fixes]),
        "status": np.array([fix[4] for fix in fixes], np.int64),
        "lon": np.array([fix[5] for fix in fixes]),
        "lat": np.full(n, 44.0),
        "alarm": np.full(n, -1),
        "received_ms": np.full(n, MISSING_MS),
        "backfill": np.zeros(n, np.bool_),
        "driver": np.zeros(n, np.int64),
        "items": np.zeros(n, np.int64),
    }
    return Batch(**columns), Ticks.of(marks, np.array(home, np.int32))


def engine(folder: Path) -> Engine:
    folder.mkdir(exist_ok=True)
    rows = "".join(f"测A0000{at},{letter}\n" for at, letter in enumerate(LETTERS))
    (folder / "vehicles.csv").write_text("plate,class\n" + rows, encoding="utf-8")
    ring = "[[[87.4,43.9],[87.6,43.9],[87.6,44.1],[87.4,44.1],[87.4,43.9]]]"
    (folder / "fences.geojson").write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"A","kind":"coverage_hole"},'
        f'"geometry":{{"type":"Polygon","coordinates":{ring}}}}}]}}',
        encoding="utf-8",
    )
    return Engine(read_registry(folder), {"V11": CATALOGUE["V11"]})


def plain(records: list[Record], verdicts: list[int], home: list[int]) -> list[tuple[int, str, int, int, int, int]]:
    """The docstring's words: (vehicle, fact, begin, raised, end, severity) in the order in which they are told."""
    watch: dict[int, tuple[int, int]] = {}
    open_: dict[int, tuple[int, int, int]] = {}
    told, verdict = [], iter(verdicts)
    for what, who, time_ms, speed, status, lon in records:
        if what == "tick":
            for vehicle in sorted(watch):
                t, limit = watch[vehicle]
                if home[vehicle] == who and time_ms > t + limit:
                    del watch[vehicle]
                    open_[vehicle] = t, time_ms, 3 if limit == 300_000 else 2
                    told.append((vehicle, "RAISED", t, time_ms, t, open_[vehicle][2]))
            continue
        said = next(verdict)
        if said in (2, 7) and who in watch and time_ms > watch[who][0]:
            del watch[who]
        if said != 0:
            continue
        if who in open_:
            t, raised, severity = open_.pop(who)
            told.append((who, "ENDED", t, raised, time_ms, severity))
        watch.pop(who, None)
        if LETTERS[who] in "LCHBF" and speed >= 20 and (status == -1 or status & 1) and lon != 87.5:
            watch[who] = time_ms, 300_000 if LETTERS[who] == "H" else 600_000
    return told


def seen(found: Found) -> list[tuple[Any, ...]]:
    rows = facts(found)
    rows = rows[np.argsort(rows["vehicle"], kind="stable")]
    names = ("begins_ms", "raised_ms", "ends_ms", "severity")
    return [(int(one["vehicle"]), Fact(one["fact"]).name, *(int(one[name]) for name in names)) for one in rows]


@pytest.mark.parametrize("seed", range(12))
def test_silence_is_what_the_plain_reading_says(tmp_path: Path, seed: int) -> None:
    records, home = stream(seed), [Random(seed + vehicle).randrange(PARTITIONS) for vehicle in range(len(LETTERS))]
    batch, ticks = batch_of(records, home)
    whole = engine(tmp_path)
    result = whole.detect(batch, ticks)
    expected = sorted(plain(records, result.verdict.tolist(), home), key=lambda told: told[0])
    assert seen(result.found["V11"]) == expected
    assert len(expected) >= 3
    random = Random(seed)
    for size in (1, 2, 5, 40, len(records)):
        cuts = sorted({0, len(records), *random.choices(range(len(records)), k=size)})
        other = engine(tmp_path)
        parts = [other.detect(*batch_of(records[a:b], home)).found["V11"] for a, b in itertools.pairwise(cuts)]
        assert seen(joined(parts)) == expected, cuts


def test_the_kernel_as_plain_python_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records, home = stream(3), [0] * len(LETTERS)
    compiled = engine(tmp_path).detect(*batch_of(records, home)).found["V11"]
    interpret(monkeypatch)
    assert engine(tmp_path).detect(*batch_of(records, home)).found["V11"].tolist() == compiled.tolist()


def test_ticks_of_a_file_are_its_minutes() -> None:
    """They do not depend on cuts, stand before the fix that passes them, and never go back."""
    fixes: list[Record] = [
        ("fix", 0, START_MS + second * 1_000, 0.0, -1, 87.0) for second in (59, 60, 61, 30, 119, 300, 301, 290, 360)
    ]
    batch, _ = batch_of(fixes, [])
    located = np.ones(len(batch), np.bool_)
    whole = Clock().ticks(batch, located)
    rows = zip(
        whole.at.tolist(), (whole.first_ms - START_MS).tolist(), (whole.last_ms - START_MS).tolist(), strict=True
    )
    assert list(rows) == [(1, 60_000, 60_000), (5, 120_000, 300_000), (8, 360_000, 360_000)]
    for cut in range(len(batch) + 1):
        clock = Clock()
        first = clock.ticks(batch.take(slice(0, cut)), located[:cut])
        second = clock.ticks(batch.take(slice(cut, None)), located[cut:])
        assert np.concatenate([first.at, second.at + cut]).tolist() == whole.at.tolist()
        assert np.concatenate([first.first_ms, second.first_ms]).tolist() == whole.first_ms.tolist()
        assert np.concatenate([first.last_ms, second.last_ms]).tolist() == whole.last_ms.tolist()
    nobody = Clock().ticks(batch, np.zeros(len(batch), np.bool_))
    assert not len(nobody)
    late = replace(batch, received_ms=batch.time_ms + 3_600_000)
    assert Clock().ticks(late, located).first_ms[0] == START_MS + 3_660_000, (
        "where the receipt is known it is the clock"
    )


def test_the_first_tick_behind_a_moment() -> None:
    at, first = np.array([0, 2, 2, 5]), np.array([10, 20, 15, 60_000])
    last = np.array([10, 20, 15, 60_000 + 3 * TICK_MS])

    def tick(since: int, upto: int, moment_ms: int) -> int:
        return first_tick(at, first, last, 0, 4, since, upto, moment_ms)

    assert tick(0, 9, 9) == 10
    assert tick(0, 9, 10) == 20
    assert tick(1, 2, 5) == 20, "the first in arrival order"
    assert tick(0, 2, 20) == -1
    assert tick(0, 5, 60_000) == 120_000
    assert tick(0, 5, 119_999) == 120_000
    assert tick(0, 5, 240_000) == -1
    assert tick(3, 4, 0) == -1
    assert first_tick(NO_TICKS.at, NO_TICKS.first_ms, NO_TICKS.last_ms, 0, 0, 0, 9, 0) == -1
