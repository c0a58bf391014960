from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from detectors.activity import PIECE
from detectors.enrich import Enriched
from detectors.kind import Severity
from detectors.limits import Limits
from detectors.verbs import HOLD, hold, no_measures, speed_measures
from tests.detectors.rows import latest, told

T = 1_772_409_600_000  # 2026-03-02 08:00 Beijing time
SPEEDING = {"ratio": 1.0, "margin_kmh": 3.0, "points": 3, "hold_ms": 30_000, "gap_ms": 120_000, "merge_ms": 60_000}
SPEEDING |= {"severe_ratio": 1.2}
INSIDE = {"points": 2, "hold_ms": 30_000, "gap_ms": 300_000, "merge_ms": 60_000}
TYPES = {"vehicle": np.int32, "time_ms": np.int64, "dt_ms": np.int64}


def enriched(vehicle: list[int], at_s: list[float], speed_kmh: list[float]) -> Enriched:
    """Accepted fixes by vehicle, then time; the n-th lies at lon 80 + n, lat 30 + n."""
    n = len(at_s)
    time_ms = T + (np.array(at_s) * 1_000).round().astype(np.int64)
    dt_ms = np.diff(time_ms, prepend=0)
    dt_ms[np.diff(np.array(vehicle), prepend=-1) != 0] = -1
    given: dict[str, Any] = {
        "vehicle": np.array(vehicle, np.int32),
        "time_ms": time_ms,
        "dt_ms": dt_ms,
        "speed_kmh": np.array(speed_kmh, np.float64),
        "lon": 80.0 + np.arange(n),
        "lat": 30.0 + np.arange(n),
        "pieces": np.empty(0, PIECE),
    }
    return Enriched(**{field.name: given.get(field.name, np.zeros(n)) for field in fields(Enriched)})


def limits_of(
    n: int, *sets: Mapping[str, float], index: list[int] | None = None, slot: list[int] | None = None
) -> Limits:
    whole = ("points", "hold_ms", "gap_ms", "merge_ms")
    columns = [(name, "i8" if name in whole else "f8") for name in sets[0]]
    table = np.array([tuple(one.values()) for one in sets], columns)
    return Limits(
        table, np.array(index or [0] * n, np.int32), np.ones(n, np.bool_), np.array(slot or [0] * n, np.int32)
    )


class Road:
    """Holds under test: fixes as (second, speed) against a limit of 100 km/h, and what is remembered."""

    def __init__(self, *sets: dict[str, float], severity: Severity = Severity.GENERAL, reach: bool = False) -> None:
        self.sets = sets or (SPEEDING,)
        self.severity, self.reach = severity, reach
        self.state = np.zeros(2, HOLD)

    def rows(
        self,
        *fixes: tuple[float, float],
        limit: list[float] | float = 100.0,
        unmatched: tuple[int, ...] = (),
        index: list[int] | None = None,
        when: list[bool] | None = None,
        vehicle: list[int] | None = None,
        fence: list[int] | None = None,
    ) -> np.ndarray:
        n = len(fixes)
        batch = enriched(vehicle or [0] * n, [at for at, _ in fixes], [speed for _, speed in fixes])
        return hold(
            batch,
            np.array(when or [True] * n),
            limits_of(n, *self.sets, index=index, slot=vehicle),
            self.state,
            severity=self.severity,
            limit_kmh=np.full(n, limit, np.float64) if isinstance(limit, float) else np.array(limit, np.float64),
            fence=np.array(fence or [-1] * n, np.int32),
            unmatched=np.isin(np.arange(n), unmatched),
            reach=self.reach,
        )

    def found(self, *fixes: tuple[float, float], **columns: Any) -> np.ndarray:
        """What is found, as it stands at the end."""
        return latest(self.rows(*fixes, **columns))

    def told(self, *fixes: tuple[float, float], **columns: Any) -> list[tuple[object, ...]]:
        """Every row: its fact, begin and end [s], severity."""
        rows = told(self.rows(*fixes, **columns), "begins_ms", "ends_ms", "severity")
        return [(fact, (begin - T) / 1_000, (end - T) / 1_000, grade) for fact, begin, end, grade in rows]  # type: ignore[operator]

    def spans(self, *fixes: tuple[float, float], **columns: Any) -> list[tuple[float, float, float]]:
        """Begin, raise and end of what is found [s]."""
        rows = self.found(*fixes, **columns)
        times = ("begins_ms", "raised_ms", "ends_ms")
        return [tuple((int(row[name]) - T) / 1_000 for name in times) for row in rows]  # type: ignore[misc]


def steady(first: float, last: float, speed: float = 110.0, step: float = 10.0) -> list[tuple[float, float]]:
    count = round((last - first) / step) + 1
    return [(first + step * number, speed) for number in range(count)]


def test_a_run_must_last_longer_than_its_time() -> None:
    assert Road().spans(*steady(0, 30)) == []
    assert Road().spans(*steady(0, 20), (30.001, 110)) == [(0, 30.001, 30.001)]
    assert Road().spans(*steady(0, 60)) == [(0, 40, 60)]


def test_reaching_its_time_is_enough_where_the_rule_says_so() -> None:
    assert Road(reach=True).spans(*steady(0, 20), (29.999, 110)) == []
    assert Road(reach=True).spans(*steady(0, 30)) == [(0, 30, 30)]


def test_a_run_needs_its_points() -> None:
    assert Road().spans((0, 110), (100, 110)) == []
    assert Road().spans((0, 110), (50, 110), (100, 110)) == [(0, 100, 100)]


def test_the_bound_must_be_exceeded_or_reached() -> None:
    assert Road().spans(*steady(0, 60, 103.0)) == []
    assert Road().spans(*steady(0, 60, 103.1)) == [(0, 40, 60)]
    assert Road(reach=True).spans(*steady(0, 60, 102.9)) == []
    assert Road(reach=True).spans(*steady(0, 60, 103.0)) == [(0, 30, 60)]


def test_the_bound_is_a_share_of_the_limit_and_a_margin() -> None:
    night = SPEEDING | {"ratio": 0.8}  # 0.8 x 60 + 3 = 51
    assert Road(night).spans(*steady(0, 60, 51.0), limit=60.0) == []
    assert Road(night).spans(*steady(0, 60, 51.1), limit=60.0) == [(0, 40, 60)]


def test_an_unknown_limit_is_never_exceeded() -> None:
    assert Road().spans(*steady(0, 60, 199.0), limit=float("nan")) == []


def test_a_fix_below_the_bound_ends_the_run() -> None:
    assert Road().spans(*steady(0, 20), (25, 90), *steady(30, 60)) == []
    assert Road().spans(*steady(0, 20), (25, 90), *steady(30, 70)) == [(30, 70, 70)]


def test_a_fix_on_the_bound_neither_begins_a_run_nor_goes_on_with_it() -> None:
    assert Road().spans((0, 103), *steady(10, 40)) == []
    assert Road().spans(*steady(0, 20), (30, 103), *steady(40, 70)) == []
    assert Road().spans(*steady(0, 40), (50, 103), (60, 110)) == [(0, 40, 40)]


def test_the_first_run_of_all_belongs_to_no_episode_not_even_in_1970() -> None:
    assert Road().spans(*((at - T / 1_000, speed) for at, speed in steady(0, 40))) == [
        (-T / 1_000, 40 - T / 1_000, 40 - T / 1_000)
    ]


def test_a_fix_to_which_the_rule_does_not_apply_ends_the_run() -> None:
    when = [True] * 3 + [False] + [True] * 5
    assert Road().spans(*steady(0, 80), when=when) == [(40, 80, 80)]
    assert Road().spans(*steady(0, 60), when=[False] * 7) == []


def test_a_gap_of_data_ends_the_run_and_the_fix_behind_it_begins_another() -> None:
    assert Road().spans((0, 110), (120, 110), (240, 110)) == [(0, 240, 240)]
    assert Road().spans((0, 110), (10, 110), (130.001, 110)) == []
    assert Road().spans((0, 110), (120.001, 110), (130.001, 110), (151, 110)) == [(120.001, 151, 151)]


def test_a_gap_ends_a_confirmed_run_too() -> None:
    assert Road().spans(*steady(0, 40), *steady(161, 171)) == [(0, 40, 40)]


def test_a_run_that_begins_soon_enough_extends_the_episode() -> None:
    # over at 40; the next run begins 60 s later and is confirmed at 140
    assert Road().spans(*steady(0, 40), (50, 90), *steady(100, 140)) == [(0, 40, 140)]
    assert Road().spans(*steady(0, 40), (50, 90), *steady(100, 130)) == [(0, 40, 40)]
    assert Road().spans(*steady(0, 40), (50, 90), *steady(100.001, 140.001)) == [
        (0, 40, 40),
        (100.001, 140.001, 140.001),
    ]


def test_an_unconfirmed_run_neither_extends_nor_bridges() -> None:
    fixes = *steady(0, 40), (50, 90), *steady(60, 80), (90, 90), *steady(110, 150)
    assert Road().spans(*fixes) == [(0, 40, 40), (110, 150, 150)]


def test_three_episodes_of_one_batch_are_all_written() -> None:
    fixes = *steady(0, 40), (90, 90), *steady(200, 240), (290, 90), *steady(400, 440)
    assert Road().spans(*fixes) == [(0, 40, 40), (200, 240, 240), (400, 440, 440)]


def test_only_what_a_batch_changed_is_written() -> None:
    road = Road()
    assert road.spans(*steady(0, 40)) == [(0, 40, 40)]
    assert road.spans((50, 90)) == []
    assert road.spans(*steady(100, 110)) == []
    assert road.spans(*steady(120, 150)) == [(0, 40, 150)]
    assert road.spans((160, 110)) == [(0, 40, 160)]
    assert road.spans((170, 90), *steady(220, 230)) == []
    assert road.spans((235, 90)) == [(0, 40, 160)]  # it is over
    assert road.spans(*steady(240, 280)) == [(240, 280, 280)]


def test_each_row_tells_why_it_was_written() -> None:
    rise = *steady(0, 40), (50, 130), (60, 130), (70, 110)
    assert Road().told(*rise) == [("RAISED", 0, 40, 2), ("RISEN", 0, 60, 3), ("STANDS", 0, 70, 3)]
    assert Road().told(*steady(0, 30, 130), (35, 130)) == [("RAISED", 0, 35, 3)]
    ended = *steady(0, 40), (50, 110), (60, 90), (110, 90), (110.001, 90), (999, 90)
    assert Road().told(*ended) == [("RAISED", 0, 40, 2), ("ENDED", 0, 50, 2)]
    again = *ended, *steady(1_000, 1_040)
    assert Road().told(*again)[2:] == [("RAISED", 1_000, 1_040, 2)]


def test_a_rise_is_told_once_and_not_of_what_was_raised_high() -> None:
    fast = *steady(0, 40), *steady(50, 90, 130)
    assert Road().told(*fast) == [("RAISED", 0, 40, 2), ("RISEN", 0, 60, 3), ("STANDS", 0, 90, 3)]
    severe = Road(severity=Severity.SEVERE)
    assert severe.told(*fast) == [("RAISED", 0, 40, 4), ("STANDS", 0, 90, 4)]


def test_an_episode_is_over_when_nothing_can_extend_it_any_more() -> None:
    raised = "RAISED", 0, 40, 2
    ended = "ENDED", 0, 40, 2
    assert Road().told(*steady(0, 40), (100, 90)) == [raised]
    assert Road().told(*steady(0, 40), (100.001, 90)) == [raised, ended]
    # a run that can still extend it keeps it open, until it breaks off
    waiting = *steady(0, 40), (50, 90), *steady(100, 130)
    assert Road().told(*waiting) == [raised]
    assert Road().told(*waiting, (135, 90)) == [raised, ended]
    assert Road().told(*waiting, (131, 110)) == [raised, ("STANDS", 0, 131, 2)]
    # one that cannot does not
    assert Road().told(*steady(0, 40), (50, 90), (100.001, 110)) == [raised, ended]


def test_an_episode_is_over_when_the_set_that_merges_from_farthest_cannot_extend_it() -> None:
    far = SPEEDING | {"merge_ms": 90_000}
    raised, ended = ("RAISED", 0, 40, 2), ("ENDED", 0, 40, 2)
    road = Road(SPEEDING, far)
    assert road.told(*steady(0, 40), (120, 90)) == [raised]
    assert road.told((130, 90)) == []
    assert road.told((130.001, 90)) == [ended]
    # a run under the nearer set, that breaks off, hides none under the farther one
    fixes = *steady(0, 40), (50, 90), (101, 110), (105, 90), *steady(110, 150)
    assert Road(SPEEDING, far).told(*fixes, index=[0] * 8 + [1] * 5) == [raised, ("STANDS", 0, 150, 2)]
    # at the latest it is over when another is raised
    near = SPEEDING | {"hold_ms": 19_000}
    soon = *steady(0, 40), (50, 90), *steady(101, 121, 160)
    assert Road(near, far).told(*soon) == [("RAISED", 0, 20, 2), ended, ("RAISED", 101, 121, 3)]


def test_an_episode_that_another_registry_extends_goes_on_and_ends_once_more() -> None:
    road = Road()
    assert road.told(*steady(0, 40), (101, 90)) == [("RAISED", 0, 40, 2), ("ENDED", 0, 40, 2)]
    road.sets = (SPEEDING | {"merge_ms": 90_000},)
    assert road.told(*steady(110, 150)) == [("STANDS", 0, 150, 2)]
    assert road.told((241, 90), (999, 90)) == [("ENDED", 0, 150, 2)]


def test_every_fix_may_end_one_episode_and_raise_another() -> None:
    quick = SPEEDING | {"points": 1, "hold_ms": 0, "gap_ms": 0, "merge_ms": 0}
    found = Road(quick, reach=True).told(*steady(0, 30))
    assert [fact for fact, *_ in found] == ["RAISED", *["ENDED", "RAISED"] * 3]
    assert [fact for fact, *_ in Road(quick, reach=True).told(*steady(0, 30), vehicle=[0, 0, 1, 1])] == [
        *("RAISED", "ENDED", "RAISED") * 2
    ]


def test_it_begins_where_the_run_begins() -> None:
    found = Road().found((0, 90), *steady(10, 50), (60, 90), *steady(70, 110))
    assert [tuple(row) for row in found[["vehicle", "lon", "lat"]].tolist()] == [(0, 81.0, 31.0)]
    fixes = *steady(0, 40), (50, 90), *steady(200, 240)
    assert Road().found(*fixes)[["lon", "lat"]].tolist() == [(80.0, 30.0), (86.0, 36.0)]


def test_vehicles_keep_to_themselves() -> None:
    both = [*steady(0, 30), *steady(40, 80)]
    found = Road().found(*both, vehicle=[0] * 4 + [1] * 5)
    assert found["vehicle"].tolist() == [1]
    found = Road().found(*steady(0, 40), *steady(0, 40), vehicle=[0] * 5 + [1] * 5)
    assert found["vehicle"].tolist() == [0, 1]
    assert found["begins_ms"].tolist() == [T, T]


def severity(*speeds: float, road: Road | None = None, **columns: Any) -> list[tuple[int, int]]:
    """Severity and lead of what a run of these speeds comes to, a fix every 20 s."""
    found = (road or Road()).found(*((20.0 * number, speed) for number, speed in enumerate(speeds)), **columns)
    return [(int(row["severity"]), int(row["lead"])) for row in found]


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [
        ((110, 110, 110, 110), 2),
        ((120, 120, 110), 3),  # 1.2 twice
        ((120, 119.9, 110), 2),
        ((160, 110, 110, 110), 2),  # once is no second highest
        ((160, 110, 119.9, 110), 2),
        ((160, 110, 120), 3),
        ((110, 160, 120), 3),  # higher, then the second highest
        ((110, 120, 160), 3),
        ((110, 110, 110, 120, 160), 3),  # both after it was confirmed
        ((110, 110, 110, 160, 120), 3),
        ((110, 110, 110, 160, 110), 2),
        ((120, 110, 110, 110, 120), 3),  # one before, one after
        ((110, 160, 110, 110, 120), 3),
    ],
)
def test_the_second_highest_ratio_makes_it_serious(speeds: tuple[float, ...], expected: int) -> None:
    assert severity(*speeds) == [(expected, 0)]


def test_a_ratio_is_taken_against_the_limit_at_its_fix() -> None:
    assert severity(96, 96, 96, limit=[80.0, 80.0, 90.0]) == [(3, 0)]  # 1.2, 1.2, 1.07
    assert severity(96, 96, 96, limit=[80.0, 90.0, 90.0]) == [(2, 0)]


def test_ratios_are_taken_over_all_runs_of_an_episode_and_of_none_other() -> None:
    high = [*steady(0, 30), (40, 130)]
    assert Road().found(*high, (50, 90), (60, 130), *steady(70, 100))["severity"].tolist() == [3]
    assert Road().found(*high, (50, 90), (101, 130), *steady(111, 141))["severity"].tolist() == [2, 2]
    # a second run that is the higher one: 1.1 before, 1.3 and 1.25 behind
    later = (50, 90), (60, 130), (70, 125), (95, 110)
    assert Road().found(*steady(0, 40), *later)["severity"].tolist() == [3]


def test_a_run_that_was_broken_off_leaves_no_ratio() -> None:
    fixes = (0, 150), (10, 150), (20, 90), *steady(30, 70)
    assert Road().found(*fixes)[["severity", "peak_kmh"]].tolist() == [(2, 110.0)]


def test_ratios_below_one_are_as_good_as_others() -> None:
    slow = Road(SPEEDING | {"ratio": 0.5, "severe_ratio": 0.9})
    assert severity(95, 60, 60, road=slow) == [(2, 0)]  # 0.95, then 0.6
    assert severity(60, 60, 60, 95, road=Road(*slow.sets)) == [(2, 0)]
    assert severity(95, 60, 90, road=Road(*slow.sets)) == [(3, 0)]


def test_without_a_ratio_of_severity_it_never_rises() -> None:
    plain = {name: value for name, value in SPEEDING.items() if name != "severe_ratio"}
    assert severity(190, 190, 190, road=Road(plain)) == [(2, 0)]
    assert severity(190, 190, 190, road=Road(plain, severity=Severity.SEVERE)) == [(4, 0)]


def test_a_rise_never_lowers() -> None:
    assert severity(190, 190, 190, road=Road(severity=Severity.SEVERE)) == [(4, 0)]


def test_an_unmatched_fix_of_the_run_makes_a_lead() -> None:
    for row in range(3):
        assert severity(190, 190, 190, unmatched=(row,)) == [(2, 1)]
        assert severity(190, 190, 190, unmatched=(row,), road=Road(severity=Severity.SEVERE)) == [(2, 1)]
    assert severity(190, 190, 190, unmatched=(0,), road=Road(severity=Severity.NOTICE)) == [(1, 1)]


def test_an_unmatched_fix_of_a_run_that_was_broken_off_does_not() -> None:
    found = Road().found((0, 110), (10, 90), *steady(20, 60, 130), unmatched=(0,))
    assert found[["severity", "lead"]].tolist() == [(3, 0)]


def test_an_unmatched_fix_that_joins_later_bars_a_rise() -> None:
    assert severity(110, 110, 110, 190, 190, unmatched=(3,)) == [(2, 0)]
    assert severity(110, 110, 110, 110, 190, 190, unmatched=(3,)) == [(2, 0)]
    assert severity(110, 110, 110, 190, 190, 190, unmatched=(5,)) == [(3, 0)]  # too late: it has risen


def test_an_unmatched_fix_of_a_later_run_bars_a_rise() -> None:
    later = (50, 90), *steady(60, 90, 190), (100, 190)
    assert Road().found(*steady(0, 40), *later, unmatched=(6,))[["severity", "lead"]].tolist() == [(2, 0)]
    assert Road().found(*steady(0, 40), *later)[["severity", "lead"]].tolist() == [(3, 0)]


def test_a_lead_stays_a_lead_and_the_next_episode_is_none() -> None:
    fixes = *steady(0, 40), (50, 190), (60, 190), (70, 90), *steady(200, 240, 190)
    assert Road().found(*fixes, unmatched=(0,))[["severity", "lead"]].tolist() == [(2, 1), (3, 0)]
    fixes = *steady(0, 40), (50, 190), (60, 190), (70, 90), *steady(200, 240, 190)
    assert Road().found(*fixes, unmatched=(5,))[["severity", "lead"]].tolist() == [(2, 0), (3, 0)]


def test_the_peak_is_shown_with_its_limit_and_fence() -> None:
    shown = ["peak_kmh", "limit_kmh", "fence"]
    limit = [100.0, 101.0, 102.0, 103.0, 104.0]

    def peak(*speeds: float) -> list[Any]:
        found: list[Any] = (
            Road()
            .found(
                *((20.0 * number, speed) for number, speed in enumerate(speeds)), limit=limit, fence=[5, 6, 7, 8, 9]
            )[shown]
            .tolist()
        )
        return found

    assert peak(110, 112, 111, 110, 110) == [(112.0, 101.0, 6)]  # before it is confirmed
    assert peak(110, 112, 111, 113, 110) == [(113.0, 103.0, 8)]  # after
    assert peak(110, 112, 112, 112, 112) == [(112.0, 101.0, 6)]  # of equal ones the first
    assert peak(110, 110, 110, 110, 110) == [(110.0, 100.0, 5)]


def test_the_peak_is_that_of_all_runs_of_an_episode() -> None:
    fixes = *steady(0, 40, 115), (50, 90), *steady(60, 100, 112), (110, 90), *steady(200, 240, 111)
    assert Road().found(*fixes)["peak_kmh"].tolist() == [115.0, 111.0]
    assert speed_measures(Road().found(*fixes)[0]) == {"peak_kmh": 115.0, "limit_kmh": 100.0}


def test_a_run_keeps_the_parameters_of_its_first_fix() -> None:
    strict = SPEEDING | {"margin_kmh": 0.0, "points": 2, "hold_ms": 5_000, "gap_ms": 60_000, "merge_ms": 0}
    road = Road(SPEEDING, strict)
    assert road.spans(*steady(0, 40), index=[0, 1, 1, 1, 1]) == [(0, 40, 40)]
    assert Road(SPEEDING, strict).spans(*steady(0, 40), index=[1, 0, 0, 0, 0]) == [(0, 10, 40)]
    # 102 exceeds the strict bound only; gaps of 70 s hold under the lenient set only
    assert Road(SPEEDING, strict).spans((0, 110), (10, 102), (20, 102), (30, 102), index=[0, 1, 0, 0]) == [(10, 20, 30)]
    assert Road(SPEEDING, strict).spans((0, 102), (10, 102), (20, 102), index=[1, 0, 0]) == [(0, 10, 20)]
    assert Road(SPEEDING, strict).spans((0, 110), (70, 110), (140, 110), index=[0, 1, 1]) == [(0, 140, 140)]
    assert Road(SPEEDING, strict).spans((0, 110), (70, 110), (140, 110), index=[1, 0, 0]) == []


def test_merge_and_severity_are_those_of_the_run() -> None:
    apart = SPEEDING | {"merge_ms": 0, "severe_ratio": 9.0, "ratio": 0.9}
    fixes = *steady(0, 40), (50, 80), *steady(60, 100, 190)
    assert Road(SPEEDING, apart).spans(*fixes, index=[0] * 6 + [1] * 5) == [(0, 40, 40), (60, 100, 100)]
    assert Road(SPEEDING, apart).spans(*fixes, index=[1] * 6 + [0] * 5) == [(0, 40, 100)]
    assert Road(SPEEDING, apart).found(*fixes, index=[1] * 6 + [0] * 5)["severity"].tolist() == [3]
    assert Road(SPEEDING, apart).found(*fixes, index=[0] * 6 + [1] * 5)["severity"].tolist() == [2, 2]


def test_the_ratio_of_the_bound_is_that_of_the_run() -> None:
    slow = SPEEDING | {"ratio": 0.5}
    assert Road(SPEEDING, slow).spans(*steady(0, 60, 60.0), index=[1, 0, 0, 0, 0, 0, 0]) == [(0, 40, 60)]
    assert Road(SPEEDING, slow).spans(*steady(0, 60, 60.0), index=[0, 1, 0, 0, 0, 0, 0]) == [(10, 50, 60)]


def test_places_count_at_any_speed() -> None:
    def inside(*at: float, when: list[bool] | None = None) -> list[Any]:
        n = len(at)
        found: list[Any] = hold(
            enriched([0] * n, list(at), [0.0] * n),
            np.array(when or [True] * n),
            limits_of(n, INSIDE),
            np.zeros(1, HOLD),
            severity=Severity.SEVERE,
        )[["begins_ms", "raised_ms", "severity", "lead", "fence", "limit_kmh"]].tolist()
        return found

    assert inside(0, 29.999) == []
    assert inside(0, 30) == [(T, T + 30_000, 4, 0, -1, 0.0)]
    assert inside(0, 300) == [(T, T + 300_000, 4, 0, -1, 0.0)]
    assert inside(0, 300.001) == []
    assert inside(0, 30, 60, when=[True, False, True]) == []


def test_a_vehicle_without_state_is_passed_over() -> None:
    fixes = steady(0, 60)
    n = 2 * len(fixes)
    batch = enriched(
        [0] * len(fixes) + [1] * len(fixes), [at for at, _ in fixes * 2], [speed for _, speed in fixes * 2]
    )
    limits = limits_of(n, SPEEDING, slot=[-1] * len(fixes) + [0] * len(fixes))
    found = hold(
        batch, limits.applies, limits, np.zeros(1, HOLD), severity=Severity.GENERAL, limit_kmh=np.full(n, 100.0)
    )
    assert found["vehicle"].tolist() == [1, 1]


def test_measures_of_a_place_are_none() -> None:
    assert no_measures(None) == {}


def test_batches_may_be_cut_anywhere() -> None:
    fixes = *steady(0, 40), (50, 90), (60, 130), *steady(70, 100), (110, 90), *steady(250, 300, 125)
    shown = ["begins_ms", "raised_ms", "ends_ms", "severity", "lead", "lon", "lat", "peak_kmh"]
    expected = {row["begins_ms"]: row[shown].tolist() for row in Road().found(*fixes)}
    assert len(expected) == 2
    batch = enriched([0] * len(fixes), [at for at, _ in fixes], [speed for _, speed in fixes])
    for cut in range(len(fixes) + 1):
        state = np.zeros(1, HOLD)
        found = {}
        for rows in (slice(0, cut), slice(cut, None)):
            cut_columns = {name: c if name == "pieces" else c[rows] for name, c in batch.columns().items()}
            part = Enriched(**cut_columns, around=batch.around)
            n = len(part)
            parts = limits_of(n, SPEEDING), state
            for row in hold(part, np.ones(n, np.bool_), *parts, severity=Severity.GENERAL, limit_kmh=np.full(n, 100.0)):
                found[row["begins_ms"]] = row[shown].tolist()
        assert found == expected, cut
