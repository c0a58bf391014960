import math
from typing import Any

import numpy as np
import pytest

from ingest.batch import MISSING_MS, Batch, concat, no_fixes
from ingest.gate import STATE, Verdict, explain, gate
from ingest.geodesy import distance_dm, jumps

T = 1_772_409_600_000  # 2026-03-02 08:00 Beijing time
S, HOUR = 1_000, 3_600_000
DM_DEG = 0.1 * 180.0 / math.pi / 6_371_008.8  # a decimetre along a meridian
FIX: dict[str, tuple[type, Any]] = {
    "vehicle": (np.int32, 0),
    "time_ms": (np.int64, T),
    "lon": (np.float64, 87.6),
    "lat": (np.float64, 43.8),
    "speed_kmh": (np.float64, 60.0),
    "heading_deg": (np.float64, math.nan),
    "altitude_m": (np.float64, math.nan),
    "recorder_speed_kmh": (np.float64, math.nan),
    "mileage_km": (np.float64, math.nan),
    "alarm": (np.int64, -1),
    "status": (np.int64, -1),
    "received_ms": (np.int64, MISSING_MS),
    "backfill": (np.bool_, False),
    "driver": (np.int64, 0),
    "items": (np.int64, 0),
}


def batch(*fixes: dict[str, Any]) -> Batch:
    return Batch(**{name: np.array([fix.get(name, value) for fix in fixes], of) for name, (of, value) in FIX.items()})


def at(ms: int, **columns: Any) -> dict[str, Any]:
    return {"time_ms": T + ms, **columns}


def north(ms: int, dm: int, **columns: Any) -> dict[str, Any]:
    return at(ms, lat=43.8 + dm * DM_DEG, **columns)


def started(*vehicles: int) -> np.ndarray:
    """Gate of vehicles whose last located fix is at T - 1; none was accepted yet."""
    state = np.zeros(max(vehicles, default=0) + 1, STATE)
    state["has_located"], state["located_ms"] = 1, T - 1
    return state


def names(verdict: np.ndarray) -> list[str]:
    return [Verdict(value).name for value in verdict]


def judged(*fixes: dict[str, Any], state: np.ndarray | None = None) -> list[str]:
    return names(gate(batch(*fixes), started() if state is None else state)[1])


def fresh(*fixes: dict[str, Any]) -> list[str]:
    return judged(*fixes, state=np.zeros(1, STATE))


def below(value: float) -> float:
    return math.nextafter(value, -math.inf)


def above(value: float) -> float:
    return math.nextafter(value, math.inf)


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("lon", 73.55, 135.0833),
        ("lat", 3.85, 53.55),
        ("speed_kmh", 0.0, 200.0),
        ("altitude_m", -200.0, 6500.0),
        ("heading_deg", 0.0, 360.0),
    ],
)
def test_step_1_a_field_must_lie_in_its_range(field: str, low: float, high: float) -> None:
    for value in (low, (low + high) / 2, high):
        assert judged({field: value}) == ["ACCEPTED"], value
    for value in (-math.inf, low - 1, below(low), above(high), high + 1, math.inf):
        assert judged({field: value}) == ["UNQUALIFIED"], value


@pytest.mark.parametrize("field", ["lon", "lat", "speed_kmh"])
def test_step_1_a_field_must_be_there(field: str) -> None:
    assert judged({field: math.nan}) == ["UNQUALIFIED"]


def test_step_1_a_time_must_be_there_whatever_the_receipt() -> None:
    assert judged({"time_ms": MISSING_MS}, {"time_ms": MISSING_MS, "received_ms": T}) == ["UNQUALIFIED"] * 2


def test_step_1_a_clock_may_run_60_seconds_ahead_of_the_receipt() -> None:
    assert judged(at(0, received_ms=T - 60_000)) == ["ACCEPTED"]
    assert judged(at(0, received_ms=T - 60_001)) == ["UNQUALIFIED"]
    assert judged(at(0, received_ms=T + HOUR)) == ["ACCEPTED"]


def test_step_2_bit_1_of_a_status_that_is_given() -> None:
    for status, verdict in ((0, "NO_FIX"), (1, "NO_FIX"), (2, "ACCEPTED"), (3, "ACCEPTED"), (4, "NO_FIX")):
        assert judged(at(0, status=status)) == [verdict], status
    assert judged(at(0, status=-1)) == ["ACCEPTED"]


def test_steps_1_to_3_come_in_this_order() -> None:
    assert judged(at(0, backfill=True)) == ["BACKFILL"]
    assert judged(at(0, backfill=True, status=0)) == ["NO_FIX"]
    assert judged(at(0, backfill=True, status=0, lon=0.0)) == ["UNQUALIFIED"]


def test_steps_1_to_3_leave_no_trace() -> None:
    refused = at(5 * S, lon=0.0), at(6 * S, status=0), at(7 * S, backfill=True)
    assert judged(*refused, at(1 * S)) == ["UNQUALIFIED", "NO_FIX", "BACKFILL", "ACCEPTED"]


def test_step_4_against_the_last_located_fix() -> None:
    assert judged(at(0), at(0)) == ["ACCEPTED", "DUPLICATE"]
    assert judged(at(0), at(-1)) == ["ACCEPTED", "LATE"]
    assert judged(at(0), at(1)) == ["ACCEPTED", "ACCEPTED"]
    assert judged(at(0), at(HOUR)) == ["ACCEPTED", "ACCEPTED"]
    assert judged(at(0), at(HOUR + 1)) == ["ACCEPTED", "UNCONFIRMED"]


def test_step_4_duplicate_and_late_fixes_do_not_become_the_last() -> None:
    assert judged(at(0), at(-5), at(0), at(-5), at(-4)) == ["ACCEPTED", "LATE", "DUPLICATE", "LATE", "LATE"]


def test_step_4_the_first_fix_is_a_candidate_that_a_later_one_confirms() -> None:
    for ms, verdict in ((-1, "UNCONFIRMED"), (0, "UNCONFIRMED"), (1, "ACCEPTED"), (2, "ACCEPTED")):
        assert fresh(at(0), at(ms)) == ["UNCONFIRMED", verdict], ms
    assert fresh(at(0), at(HOUR)) == ["UNCONFIRMED", "ACCEPTED"]
    assert fresh(at(0), at(HOUR + 1)) == ["UNCONFIRMED", "UNCONFIRMED"]


def test_step_4_a_confirmed_fix_is_the_first_located_one() -> None:
    assert fresh(at(0), at(5), at(5), at(4), at(6)) == ["UNCONFIRMED", "ACCEPTED", "DUPLICATE", "LATE", "ACCEPTED"]


def test_step_4_an_unconfirmed_fix_is_the_next_candidate() -> None:
    assert fresh(at(0), at(2 * HOUR), at(2 * HOUR + 1)) == ["UNCONFIRMED", "UNCONFIRMED", "ACCEPTED"]
    assert fresh(at(0), at(-1), at(HOUR)) == ["UNCONFIRMED"] * 3  # from -1 it is an hour and 1 ms


def test_step_4_nothing_is_known_of_a_fresh_vehicle_not_even_1970() -> None:
    for ms in (-1, 0, 1, HOUR):
        assert fresh({"time_ms": ms}) == ["UNCONFIRMED"], ms


def test_step_4_costs_one_fix_after_a_long_absence() -> None:
    fixes = at(0), at(2 * HOUR), at(2 * HOUR + 10 * S), at(2 * HOUR + 20 * S)
    assert judged(*fixes) == ["ACCEPTED", "UNCONFIRMED", "ACCEPTED", "ACCEPTED"]


def test_step_4_an_unconfirmed_fix_is_not_located() -> None:
    assert judged(at(0), at(2 * HOUR), at(10 * S), at(0)) == ["ACCEPTED", "UNCONFIRMED", "ACCEPTED", "LATE"]


def test_step_4_a_located_fix_clears_the_candidate() -> None:
    fixes = at(0), at(2 * HOUR), at(10 * S), at(2 * HOUR + 1)
    assert judged(*fixes) == ["ACCEPTED", "UNCONFIRMED", "ACCEPTED", "UNCONFIRMED"]


def test_step_5_over_500_metres_and_over_200_kmh() -> None:
    assert judged(at(0), north(1 * S, 5_000)) == ["ACCEPTED", "ACCEPTED"]
    assert judged(at(0), north(1 * S, 5_001)) == ["ACCEPTED", "DRIFT"]
    # 10 000 dm in 18 s: 360 x 10 000 = 200 x 18 000
    assert judged(at(0), north(18_000, 10_000)) == ["ACCEPTED", "ACCEPTED"]
    assert judged(at(0), north(17_999, 10_000)) == ["ACCEPTED", "DRIFT"]


def test_step_5_is_believed_after_three_minutes() -> None:
    assert judged(at(0), north(180_000, 200_000)) == ["ACCEPTED", "DRIFT"]
    assert judged(at(0), north(180_001, 200_000)) == ["ACCEPTED", "ACCEPTED"]


def test_step_5_drift_is_located_but_not_accepted() -> None:
    far = 200_000
    fixes = at(0), north(60 * S, far), north(60 * S, 0), north(50 * S, 0), north(120 * S, far), north(181 * S, far)
    assert judged(*fixes) == ["ACCEPTED", "DRIFT", "DUPLICATE", "LATE", "DRIFT", "ACCEPTED"]


def test_step_5_drift_is_measured_on_both_axes() -> None:
    east = at(60 * S, lon=87.6 + 0.1)  # 0.1 deg x cos 43.8 = 8 km in a minute
    assert judged(at(0), east) == ["ACCEPTED", "DRIFT"]


def test_the_first_accepted_fix_ends_no_pair() -> None:
    accepted, _ = gate(batch(at(0)), started())
    assert (accepted.dt_ms.tolist(), accepted.distance_dm.tolist(), accepted.jump.tolist()) == ([-1], [0], [False])


def test_an_accepted_fix_carries_its_pair() -> None:
    first = at(0, speed_kmh=40.0, driver=7)
    fixes = first, north(5 * S, 900_000), north(30 * S, 1_234, speed_kmh=41.0, driver=8), north(40 * S, 1_300)
    accepted, verdict = gate(batch(*fixes), started())
    assert names(verdict) == ["ACCEPTED", "DRIFT", "ACCEPTED", "ACCEPTED"]
    assert accepted.time_ms.tolist() == [T, T + 30 * S, T + 40 * S]
    assert accepted.dt_ms.tolist() == [-1, 30 * S, 10 * S]  # the drift fix between is none of them
    assert accepted.distance_dm.tolist() == [0, 1_234, 66]
    assert accepted.jump.tolist() == [False, False, False]
    assert accepted.before_lon[1:].tolist() == [87.6, 87.6]
    assert accepted.before_lat[1:].tolist() == [43.8, 43.8 + 1_234 * DM_DEG]
    assert accepted.before_speed_kmh[1:].tolist() == [40.0, 41.0]
    assert accepted.before_driver[1:].tolist() == [7, 8]


def test_a_pair_that_jumps_has_no_distance() -> None:
    accepted, _ = gate(batch(at(0), north(200 * S, 200_000), north(210 * S, 200_050)), started())
    assert accepted.jump.tolist() == [False, True, False]
    assert accepted.distance_dm.tolist() == [0, 0, 50]
    assert accepted.dt_ms.tolist() == [-1, 200 * S, 10 * S]


def test_vehicles_come_one_after_another_and_keep_to_themselves() -> None:
    fixes = [at(0, vehicle=1), at(5 * S, lat=30.0), at(10 * S, vehicle=1), north(10 * S, 0, lon=90.0)]
    accepted, verdict = gate(batch(*fixes, at(5 * S, vehicle=1)), started(0, 1))
    assert names(verdict) == ["ACCEPTED", "ACCEPTED", "ACCEPTED", "DRIFT", "LATE"]
    assert accepted.vehicle.tolist() == [0, 1, 1]
    assert accepted.dt_ms.tolist() == [-1, -1, 10 * S]


def test_batches_may_be_cut_anywhere() -> None:
    whole = batch(at(0, driver=3), north(10 * S, 70), north(20 * S, 9_000), at(2 * HOUR), at(2 * HOUR + 5), at(9))
    expected, verdict = gate(whole, started())
    for cut in range(len(whole) + 1):
        state = started()
        parts = [gate(whole.take(slice(*ends)), state) for ends in ((0, cut), (cut, len(whole)))]
        assert np.concatenate([part[1] for part in parts]).tolist() == verdict.tolist()
        for name in ("dt_ms", "distance_dm", "jump", "before_driver", "before_speed_kmh", "before_lat"):
            found = np.concatenate([getattr(part[0], name) for part in parts])
            assert found[1:].tolist() == getattr(expected, name)[1:].tolist(), (name, cut)


def test_heading_360_is_read_as_0_and_the_input_stays_as_it_is() -> None:
    given = batch(*(at(ms, heading_deg=heading) for ms, heading in enumerate((0.0, 359.0, 360.0, math.nan))))
    accepted, _ = gate(given, started())
    assert accepted.heading_deg[:3].tolist() == [0.0, 359.0, 0.0]
    assert math.isnan(accepted.heading_deg[3])
    assert given.heading_deg[2] == 360.0


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        ({"lon": 20.0}, "lon 20 is not in [73.55, 135.0833]"),
        ({"lon": 43.8, "lat": 87.6}, "lon 43.8 is not in [73.55, 135.0833]; lat 87.6 is not in [3.85, 53.55]"),
        (
            {"speed_kmh": -1.0, "heading_deg": 361.0},
            "speed_kmh -1 is not in [0, 200]; heading_deg 361 is not in [0, 360]",
        ),
        ({"altitude_m": -201.0}, "altitude_m -201 is not in [-200, 6500]"),
        ({"altitude_m": math.inf}, "altitude_m is missing or unreadable"),
        ({"lon": math.nan, "lat": math.nan}, "lon is missing or unreadable"),
        ({"lon": math.nan, "lat": 90.0}, "lat 90 is not in [3.85, 53.55]"),
        ({"time_ms": MISSING_MS}, "time is missing or unreadable"),
        (
            {"time_ms": MISSING_MS, "speed_kmh": -1.0, "heading_deg": 361.0},
            "time is missing or unreadable; speed_kmh -1 is not in [0, 200]; heading_deg 361 is not in [0, 360]",
        ),
        ({"received_ms": T - HOUR}, "time is ahead of the receipt"),
    ],
)
def test_explain_tells_the_flaws_of_an_unqualified_fix(fix: dict[str, Any], words: str) -> None:
    for row, fixes in enumerate(([fix, at(0), at(1)], [at(0), fix, at(1)], [at(0), at(1), fix])):
        assert explain(batch(*fixes), row, Verdict.UNQUALIFIED) == words


def test_explain_has_words_for_every_other_reason() -> None:
    reasons = [verdict for verdict in Verdict if verdict not in (Verdict.ACCEPTED, Verdict.UNQUALIFIED)]
    words = [explain(batch(at(0, lon=0.0)), 0, reason) for reason in reasons]
    assert len(set(words)) == len(words) == 6


def test_a_great_circle_in_decimetres() -> None:
    degree = 1_111_951  # 6 371 008.8 x pi / 180 = 111 195.0797 m
    assert distance_dm(100.0, 0.0, 101.0, 0.0) == degree
    assert distance_dm(100.0, 30.0, 100.0, 31.0) == distance_dm(100.0, 31.0, 100.0, 30.0) == degree
    assert distance_dm(100.0, 60.0, 101.0, 60.0) == 555_970  # 2R asin(cos 60 deg x sin 0.5 deg) = 55 597.01 m
    assert distance_dm(0.0, 0.0, 180.0, 0.0) == 200_151_144  # pi R = 20 015 114.352 m, half the globe
    assert distance_dm(100.0, 20.0, 101.0, 21.0) == distance_dm(101.0, 21.0, 100.0, 20.0)
    assert distance_dm(100.0, 20.0, 100.0, 20.0) == 0


@pytest.mark.parametrize(("dm", "rounded"), [(0.4, 0), (0.51, 1), (1.49, 1), (1.51, 2), (12_345.4, 12_345)])
def test_decimetres_are_rounded(dm: float, rounded: int) -> None:
    assert distance_dm(100.0, 0.0, 100.0, dm * DM_DEG) == rounded
    assert distance_dm(100.0, 0.0, 100.0 + dm * DM_DEG, 0.0) == rounded


@pytest.mark.parametrize(
    ("dm", "dt_ms", "answer"),
    [
        (5_000, 1, False),
        (5_001, 1, True),
        (5_001, 9_001, True),  # 360 x 5 001 = 1 800 360 > 1 800 200
        (5_001, 9_002, False),  # 1 800 400
        (10_000, 18_000, False),
        (10_000, 17_999, True),
    ],
)
def test_a_pair_jumps(dm: int, dt_ms: int, answer: bool) -> None:
    assert jumps(dm, dt_ms) is answer


def test_all_the_fixes_of_a_batch_are_judged() -> None:
    many = concat([batch(at(second * S)) for second in range(50)])
    accepted, verdict = gate(many, started())
    assert not verdict.any()
    assert len(accepted) == 50


@pytest.mark.parametrize("vehicles", [1, 3, 65_535, 65_536, 65_537, 3_000_000])
def test_fixes_are_put_by_vehicle_in_order_of_arrival(vehicles: int) -> None:
    random = np.random.default_rng(vehicles)
    vehicle = random.integers(0, vehicles, 5_000).astype(np.int32)
    columns = {name: np.zeros(len(vehicle), column.dtype) for name, column in no_fixes().columns().items()}
    order = Batch(**columns | {"vehicle": vehicle}).by_vehicle()
    assert order.tolist() == sorted(range(len(vehicle)), key=lambda row: vehicle[row])
    assert no_fixes().by_vehicle().tolist() == []
