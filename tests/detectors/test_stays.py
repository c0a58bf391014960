"""Stays and stops against a plain reading of their docstrings, compiled and as plain Python, however they are cut."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.limits import Limits
from detectors.stays import STAY, STOPS, stay, stops_near
from ingest.geodesy import distance_dm
from ingest.moment import BEIJING_MS, DAY_MS
from tests.detectors.rows import facts, joined, latest, values
from tests.detectors.test_verbs import T, enriched
from tests.plain import interpret

STAY_NAMES = ("still_dm", "stop_ms", "parked_ms")
STOP_NAMES = ("still_dm", "far_dm", "least_ms", "unseen_ms", "most_ms", "points", "severe_points")


@dataclass
class Fix:
    vehicle: int
    t: int
    dm: int
    lon: float
    lat: float
    still: bool
    counts: bool
    seen: bool
    fence: int
    mark: int
    set: int


def stays(fixes: list[Fix], sets: list[dict[str, int]]) -> Iterator[list[Fix]]:
    """Maximal sequences of still fixes that do not move, of one vehicle."""
    one: list[Fix] = []
    for fix in fixes:
        if one and not (fix.still and fix.dm < sets[one[0].set]["still_dm"]):
            yield one
            one = []
        if fix.still:
            one.append(fix)
    if one:
        yield one


def read_stays(fixes: list[Fix], sets: list[dict[str, int]]) -> Iterator[tuple[int, ...]]:
    """Begin, raise, end, severity, lead and fence of the episodes of `stay`."""
    for one in stays(fixes, sets):
        least = sets[one[0].set]["parked_ms" if one[0].mark else "stop_ms"]
        for at, fix in enumerate(one):
            if not fix.counts:
                break
            if fix.t - one[0].t > least:
                lead = not any(before.seen for before in one[: at + 1])
                fences = [every.fence for every in one if every.fence >= 0]
                fence = fences[0] if fences else -1
                grave = fences and not lead
                yield one[0].t, fix.t, one[-1].t, 4 if grave else 2, int(lead), fence
                break


def read_stops(fixes: list[Fix], sets: list[dict[str, int]]) -> Iterator[tuple[int, ...]]:
    """The same, and how many stops, of the episodes of `stops_near`."""
    days: dict[int, list[Fix]] = {}
    for fix in fixes:
        days.setdefault((fix.t + BEIJING_MS) // DAY_MS, []).append(fix)
    for own in days.values():
        counted: list[tuple[list[Fix], Fix, int]] = []
        for one in stays(own, sets):
            after = own.index(one[-1]) + 1
            before = [fix for fix in own[: own.index(one[0])] if fix.fence >= 0]
            if after == len(own) or not before or not all(fix.counts for fix in one):
                continue
            numbers, left = sets[one[0].set], before[-1]
            if distance_dm(left.lon, left.lat, one[0].lon, one[0].lat) > numbers["far_dm"]:
                continue
            least = numbers["least_ms" if any(fix.seen for fix in one) else "unseen_ms"]
            if least <= one[-1].t - one[0].t <= numbers["most_ms"]:
                counted.append((one, own[after], left.fence))
        severity = lead = raised = 0
        for at, (one, after_it, _) in enumerate(counted, 1):
            numbers = sets[one[0].set]
            doors = sum(any(fix.seen for fix in some) for some, *_ in counted[:at])
            if not severity and at >= numbers["points"]:
                severity, raised, lead = 2, after_it.t, int(doors < numbers["points"])
            if severity == 2 and not lead and doors >= numbers["severe_points"]:
                severity = 3
        if severity:
            begins, ends = counted[0][0][0].t, counted[-1][0][-1].t
            yield begins, raised, ends, severity, lead, counted[0][2], len(counted)


def made(random: Random, n: int) -> list[Fix]:
    fixes: list[Fix] = []
    for vehicle in range(3):
        t, lon, still, counts = T + 10 * 3_600_000, 87.0, False, True
        for at in range(n):
            t += random.choice((15_000, 30_000, 30_000, 60_000, 600_000, 3_000_000 if random.random() < 0.2 else 0))
            t += 1 if fixes and fixes[-1].t == t else 0
            still = still if random.random() < 0.7 else not still
            counts = random.random() < 0.93
            lon += 0 if still else random.choice((-0.01, 0.005, 0.01))
            moved = random.randrange(950, 1_050) if random.random() < 0.1 else 0
            fence = random.choice((3, 4)) if random.random() < 0.1 else -1
            seen, mark = random.random() < 0.3, random.randrange(2)
            fixes.append(
                Fix(vehicle, t, moved if at else 0, lon, 44.0, still, counts, seen, fence, mark, random.randrange(2))
            )
    return fixes


def sets_of(random: Random) -> list[dict[str, int]]:
    return [
        {
            "still_dm": 1_000, "stop_ms": 30_000, "parked_ms": random.choice((120_000, 90_000)),
            "far_dm": random.choice((20_000, 40_000)), "least_ms": 30_000, "unseen_ms": 60_000, "most_ms": 700_000,
            "points": random.choice((1, 2)), "severe_points": 3,
        }
        for _ in range(2)
    ]  # fmt: skip


def judge(fixes: list[Fix], sets: list[dict[str, int]], names: tuple[str, ...], state: np.ndarray) -> np.ndarray:
    batch = enriched([fix.vehicle for fix in fixes], [(fix.t - T) / 1000 for fix in fixes], [0.0] * len(fixes))

    def column(name: str, kind: Any) -> np.ndarray:
        return np.array([getattr(fix, name) for fix in fixes], kind)

    batch.lon[:], batch.lat[:] = column("lon", np.float64), column("lat", np.float64)
    object.__setattr__(batch, "distance_dm", column("dm", np.int64))
    table = np.array([tuple(one[name] for name in names) for one in sets], [(name, "i8") for name in names])
    limits = Limits(table, column("set", np.int32), np.ones(len(fixes), np.bool_), column("vehicle", np.int32))
    still, counts, seen = (column(name, np.bool_) for name in ("still", "counts", "seen"))
    fence = column("fence", np.int32)
    if names is STOP_NAMES:
        return stops_near(batch, still, counts & (fence < 0), limits, state, seen=seen, inside=fence)
    mark, stops = column("mark", np.uint8), ("stop_ms", "parked_ms")
    return stay(batch, still, counts, limits, state, seen=seen, grave=fence, mark=mark, stops=stops)


SHOWN = ("begins_ms", "raised_ms", "ends_ms", "severity", "lead", "fence")
Read = Callable[[list[Fix], list[dict[str, int]]], Iterator[tuple[int, ...]]]
VERBS = [
    pytest.param(read_stays, STAY_NAMES, STAY, SHOWN, id="stay"),
    pytest.param(read_stops, STOP_NAMES, STOPS, (*SHOWN, "stops"), id="stops_near"),
]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("read", "names", "dtype", "shown"), VERBS)
def test_the_verb_is_its_docstring(
    monkeypatch: pytest.MonkeyPatch, read: Read, names: Any, dtype: Any, shown: Any, seed: int, *, compiled: bool
) -> None:
    if not compiled:
        interpret(monkeypatch)
    random = Random(seed)
    fixes, sets = made(random, 600 if compiled else 120), sets_of(random)
    if names is STOP_NAMES:
        for fix in fixes:
            fix.counts = fix.counts and fix.fence < 0
    found, total = judge(fixes, sets, names, np.zeros(3, dtype)), 0
    for vehicle in range(3):
        own = [fix for fix in fixes if fix.vehicle == vehicle]
        expected = list(read(own, sets))
        rows = latest(found[found["vehicle"] == vehicle])
        assert [tuple(int(row[name]) for name in shown) for row in rows] == expected
        total += len(expected)
    assert total >= (4 if compiled else 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("read", "names", "dtype", "shown"), VERBS)
def test_cuts_change_nothing(read: Read, names: Any, dtype: Any, shown: Any, seed: int) -> None:  # noqa: ARG001
    random = Random(seed)
    fixes, sets = made(random, 150), sets_of(random)
    fixes.sort(key=lambda fix: (fix.t, fix.vehicle))

    def run(cuts: list[int]) -> np.ndarray:
        state, parts = np.zeros(3, dtype), []
        for begin, end in zip([0, *cuts], [*cuts, len(fixes)], strict=True):
            parts.append(judge(sorted(fixes[begin:end], key=lambda fix: fix.vehicle), sets, names, state))
        found = joined(parts)
        return found[np.argsort(found["vehicle"], kind="stable")]

    whole = run([])
    assert len(facts(whole)) > 3
    for _ in range(6):
        cut = run(sorted(random.sample(range(len(fixes)), random.choice((1, 5, 100)))))
        assert facts(cut).tolist() == facts(whole).tolist()
        assert values(cut) == values(whole)
