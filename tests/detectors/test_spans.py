"""Spans against a plain reading of their docstring, compiled and as plain Python, however the stream is cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.found import Fact
from detectors.limits import Limits
from detectors.spans import SPAN, SPANNED, span
from tests.detectors.rows import facts, joined, latest, values
from tests.detectors.test_verbs import T, enriched
from tests.plain import interpret

NAMES = ("points", "far_dm", "hold_ms", "away_ms", "gap_ms", "away_gap_ms", "merge_ms")


@dataclass
class Fix:
    """A fix with all that a span looks at; `numbers` by name."""

    vehicle: int
    t: int
    dt: int
    dm: int
    when: bool
    severity: int
    mark: int
    fence: int
    value: int
    ahead: int
    set: int


@dataclass
class Run:
    first: Fix
    last: Fix
    points: int = 0
    dm: int = 0
    highest: int = -1
    episode: dict[str, int] | None = None


def read(fixes: list[Fix], sets: list[dict[str, int]], *, exceed: bool, either: bool) -> Iterator[dict[str, int]]:
    """Episodes of one vehicle, as the docstring has them."""
    run: Run | None = None
    last: dict[str, int] | None = None
    for fix in fixes:
        if run is not None:
            gap = sets[run.first.set]["away_gap_ms" if run.first.mark else "gap_ms"]
            if not fix.when or fix.t - run.last.t > gap:
                run = None
        if not fix.when:
            continue
        if run is None:
            run = Run(fix, fix)
        else:
            run.dm += fix.dm
        run.last, run.points, run.highest = fix, run.points + 1, max(run.highest, fix.value)
        numbers = sets[run.first.set]
        if run.episode is None:
            time = fix.t - run.first.t
            least = numbers["away_ms" if run.first.mark else "hold_ms"]
            many, far = run.points >= numbers["points"], run.dm >= numbers["far_dm"]
            place = (many or far) if either else (many and far)
            if place and (time > least if exceed else time >= least):
                if last is None or run.first.t - last["ends_ms"] > numbers["merge_ms"]:
                    last = {
                        "begins_ms": run.first.t, "raised_ms": fix.t, "severity": fix.severity, "mark": run.first.mark,
                        "fence": run.first.fence, "distance_dm": 0, "highest": -1,
                    }  # fmt: skip
                    yield last
                run.episode = last
                last["distance_dm"] += run.dm
        else:
            run.episode["distance_dm"] += fix.dm
        if run.episode is not None:
            run.episode["ends_ms"] = fix.t
            run.episode["highest"] = max(run.episode["highest"], run.highest)


def warned(fixes: list[Fix]) -> list[tuple[int, int]]:
    """Time and fence of each warning of one vehicle."""
    found, now = [], -1
    for fix in fixes:
        if fix.when or fix.ahead == -1:
            now = -1
        if not fix.when and fix.ahead >= 0 and fix.ahead != now:
            now = fix.ahead
            found.append((fix.t, now))
    return found


def made(random: Random, n: int) -> tuple[list[Fix], list[dict[str, int]]]:
    """Random fixes of three vehicles, and parameter sets."""
    sets = [
        {
            "points": random.choice((0, 1, 3, 5)), "far_dm": random.choice((0, 0, 4_000)),
            "hold_ms": random.choice((0, 30_000, 60_000)), "away_ms": random.choice((90_000, 200_000)),
            "gap_ms": random.choice((30_000, 60_000)), "away_gap_ms": 120_000,
            "merge_ms": random.choice((0, 60_000, 200_000)),
        }
        for _ in range(3)
    ]  # fmt: skip
    fixes: list[Fix] = []
    for vehicle in range(3):
        t, when, ahead = T, False, -2
        for at in range(n):
            dt = random.choice((10_000, 10_000, 20_000, 30_000, 31_000, 150_000)) if at else -1
            t += max(dt, 0)
            when = when if random.random() < 0.75 else not when
            ahead = ahead if random.random() < 0.7 else random.choice((-2, -1, 4, 5))
            one = (random.choice((2, 3)), random.randrange(2), random.randrange(4), random.randrange(9_000), ahead)
            fixes.append(Fix(vehicle, t, dt, random.randrange(3_000) if at else 0, when, *one, random.randrange(3)))
    return fixes, sets


def judge(fixes: list[Fix], sets: list[dict[str, int]], state: np.ndarray, *, exceed: bool, either: bool) -> np.ndarray:
    batch = enriched([fix.vehicle for fix in fixes], [(fix.t - T) / 1000 for fix in fixes], [0.0] * len(fixes))
    batch.dt_ms[:] = [fix.dt for fix in fixes]
    batch.lon[:] = [80 + (fix.t - T) / 1e6 for fix in fixes]
    batch.lat[:] = [30 + fix.vehicle for fix in fixes]
    object.__setattr__(batch, "distance_dm", np.array([fix.dm for fix in fixes], np.int64))

    def column(name: str, kind: Any) -> np.ndarray:
        return np.array([getattr(fix, name) for fix in fixes], kind)

    table = np.array([tuple(one[name] for name in NAMES) for one in sets], [(name, "i8") for name in NAMES])
    slot = np.where(column("vehicle", np.int32) == 2, 1, column("vehicle", np.int32) * 2).astype(np.int32)
    limits = Limits(table, column("set", np.int32), np.ones(len(fixes), np.bool_), slot)
    return span(
        batch,
        column("when", np.bool_),
        limits,
        state,
        severity=column("severity", np.uint8),
        fence=column("fence", np.int32),
        value=column("value", np.int64),
        mark=column("mark", np.uint8),
        holds=("hold_ms", "away_ms"),
        gaps=("gap_ms", "away_gap_ms"),
        ahead=(column("ahead", np.int32), np.full(len(fixes), 77, np.int64)),
        exceed=exceed,
        either=either,
    )


SHOWN = ("begins_ms", "raised_ms", "ends_ms", "severity", "mark", "fence", "distance_dm", "highest")


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("compiled", [True, False])
def test_the_verb_is_its_docstring(monkeypatch: pytest.MonkeyPatch, seed: int, *, compiled: bool) -> None:
    if not compiled:
        interpret(monkeypatch)
    random = Random(seed)
    fixes, sets = made(random, 300 if compiled else 80)
    how = {"exceed": bool(seed % 2), "either": bool(seed // 2 % 2)}
    found = judge(fixes, sets, np.zeros(3, SPAN), **how)
    for vehicle in range(3):
        own = [fix for fix in fixes if fix.vehicle == vehicle]
        rows = found[found["vehicle"] == vehicle]
        episodes = latest(rows[rows["fact"] != Fact.WARNED])
        expected = list(read(own, sets, **how))
        assert [tuple(int(row[name]) for name in SHOWN) for row in episodes] == [
            tuple(one[name] for name in SHOWN) for one in expected
        ]
        told = rows[rows["fact"] == Fact.WARNED]
        assert list(zip(told["begins_ms"].tolist(), told["fence"].tolist(), strict=True)) == warned(own)
        assert (told["distance_dm"] == 77).all()


@pytest.mark.parametrize("seed", range(6))
def test_cuts_change_nothing(seed: int) -> None:
    random = Random(seed)
    fixes, sets = made(random, 60)
    fixes.sort(key=lambda fix: (fix.t, fix.vehicle))
    how = {"exceed": bool(seed % 2), "either": bool(seed // 2 % 2)}

    def run(cuts: list[int]) -> np.ndarray:
        state, parts = np.zeros(3, SPAN), []
        for begin, end in zip([0, *cuts], [*cuts, len(fixes)], strict=True):
            part = sorted(fixes[begin:end], key=lambda fix: fix.vehicle)
            parts.append(judge(part, sets, state, **how))
        found = joined(parts)
        assert found.dtype == SPANNED
        return found[np.argsort(found["vehicle"], kind="stable")]

    whole = run([])
    assert len(facts(whole)) > 10
    for _ in range(8):
        cut = run(sorted(random.sample(range(len(fixes)), random.choice((1, 5, 40)))))
        assert facts(cut).tolist() == facts(whole).tolist()
        assert values(cut) == values(whole)


def test_a_vehicle_without_a_slot_is_passed_over() -> None:
    _, sets = made(Random(1), 1)
    batch = enriched([0] * 5, [0, 10, 20, 30, 40], [0.0] * 5)
    table = np.array([tuple(sets[0][name] for name in NAMES)], [(name, "i8") for name in NAMES])
    limits = Limits(table, np.zeros(5, np.int32), np.ones(5, np.bool_), np.full(5, -1, np.int32))
    state = np.zeros(1, SPAN)
    found = span(batch, np.ones(5, np.bool_), limits, state, severity=np.full(5, 2, np.uint8))
    assert not len(found)
    assert not state.view(np.uint8).any()
