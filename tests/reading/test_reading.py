"""Rulebook §2, §3 and §6 by hand: the gate and the holds."""

from collections.abc import Sequence

from .fences import Fence
from .gate import Gate
from .parameters import Setting
from .positions import Fix
from .registry import Registry, Row
from .replay import replay_fixes
from .track import DEGREES_PER_DM, HOUR, at, brief, square

T0 = at("12:00:00")
ROAD = square("road", 100)


Numbers = Sequence[float]


def fixes(times: Numbers, speeds: Numbers, lats: Numbers | None = None, t0: int = T0) -> list[Fix]:
    """Standing place, told speeds, seconds after t0; a candidate before them."""
    made = [Fix("A1", 2, t0 - 1, 110.0, 25.0, 0.0)]
    for i, (s, v) in enumerate(zip(times, speeds, strict=True)):
        made.append(Fix("A1", 2, t0 + round(s * 1000), 110.0, lats[i] if lats else 25.0, v))
    return made


def found(
    kind: str, times: Numbers, speeds: Numbers, letter: str = "L", fences: list[Fence] | None = None,
    lats: Numbers | None = None, t0: int = T0, settings: list[Setting] | None = None,
) -> list[tuple[float, ...]]:  # fmt: skip
    """(begins, raised, ends) in seconds after t0, severity, lead."""
    registry = Registry([Row("A1", letter)], [ROAD] if fences is None else fences, settings)
    reading = replay_fixes(fixes(times, speeds, lats, t0), registry)
    return [(*((x - t0) / 1000 for x in e[:3]), *e[3:]) for e in brief(reading, kind)]


def test_v01_needs_more_than_30_s_three_fixes_and_more_than_limit_and_3() -> None:
    assert found("V01", [0, 15, 30], [110] * 3) == []  # 30 000 is not > 30 000
    assert found("V01", [0, 15, 30.001], [110] * 3) == [(0, 30.001, 30.001, 2, 0)]
    assert found("V01", [0, 30.001], [110] * 2) == []  # two fixes only
    assert found("V01", [0, 15, 31], [103] * 3) == []  # 103 is not > 103
    assert found("V01", [0, 15, 31], [103.1] * 3) == [(0, 31, 31, 2, 0)]


def test_a_run_ends_by_an_accepted_fix_or_a_long_pair() -> None:
    assert found("V01", [0, 120, 240], [110] * 3) == [(0, 240, 240, 2, 0)]  # Δt = 120 000 <= gap
    assert found("V01", [0, 120.001, 240], [110] * 3) == []
    assert found("V01", [0, 15, 20, 31], [110, 110, 100, 110]) == []
    rejected = fixes([0, 15, 20, 31], [110, 110, 100, 110])
    rejected[3].status = 0  # no fix: it breaks nothing
    reading = replay_fixes(rejected, Registry([Row("A1", "L")], [ROAD]))
    assert brief(reading, "V01") == [(T0, T0 + 31_000, T0 + 31_000, 2, 0)]


def test_merge_is_from_end_to_first_fix_and_unconfirmed_runs_do_not_bridge() -> None:
    one, two = [0.0, 15, 31], [31.0 + 60, 110, 130]
    speeds = [110.0] * 3 + [50] + [110] * 3
    assert found("V01", [*one, 40, *two], speeds) == [(0, 31, 130, 2, 0)]  # 91 - 31 = 60 <= 60
    assert found("V01", [*one, 40, 91.001, 110, 130], speeds) == [(0, 31, 31, 2, 0), (91.001, 130, 130, 2, 0)]
    # a single fix at 60 (an unconfirmed run) does not carry the end on to 60
    bridge = [110.0] * 3 + [50, 110, 50] + [110] * 3
    assert len(found("V01", [*one, 40, 60, 70, 100, 115, 131], bridge)) == 2


def test_v01_severity_is_the_second_highest_ratio() -> None:
    assert found("V01", [0, 15, 31], [119.9, 120, 110]) == [(0, 31, 31, 2, 0)]  # 1.2 once
    assert found("V01", [0, 15, 31], [120, 120, 110]) == [(0, 31, 31, 3, 0)]
    assert found("V01", [0, 15, 31, 40], [120, 110, 110, 120]) == [(0, 31, 40, 3, 0)]  # it may rise


def test_an_unmatched_fix_makes_a_lead_or_bars_a_rise_but_undoes_none() -> None:
    on = 25.0
    assert found("V01", [0, 15, 31], [130] * 3, fences=[]) == [(0, 31, 31, 2, 1)]
    near = [square("road", 100, north=25.001)]  # 111 m north of the start
    out = 25.002
    assert found("V01", [0, 15, 31, 40, 50], [110] * 3 + [130] * 2, fences=near,
                 lats=[on, on, on, out, on]) == [(0, 31, 50, 2, 0)]  # fmt: skip
    assert found("V01", [0, 15, 31, 40, 50], [130] * 5, fences=near,
                 lats=[on, on, on, out, on]) == [(0, 31, 50, 3, 0)]  # fmt: skip
    assert found("V04", [0, 5, 10], [150] * 3, fences=near, lats=[on, on, out]) == [(0, 10, 10, 2, 1)]


def test_v02_least_limit_and_its_own_bounds() -> None:
    fences = [ROAD, square("speed", 60), square("speed", 40, "L"), square("speed", 20, "H")]
    assert found("V02", [0, 20], [44] * 2, fences=fences) == []  # 20 000 is not > 20 000
    assert found("V02", [0, 20.001], [43] * 2, fences=fences) == []  # 43 is not > 40 + 3
    assert found("V02", [0, 20.001], [44] * 2, fences=fences) == [(0, 20.001, 20.001, 2, 0)]
    assert found("V02", [0, 20.001], [48] * 2, fences=fences) == [(0, 20.001, 20.001, 3, 0)]  # 48/40 = 1.2
    assert found("V02", [0, 20.001], [44] * 2, "C", fences=fences) == []  # 60 for a coach
    assert found("V02", [0, 20.001], [90] * 2, "T", fences=fences) == []  # no taxi


def test_v03_by_night_only() -> None:
    ten = at("22:00:00")
    assert found("V03", [0, 15, 31], [84] * 3, t0=ten) == [(0, 31, 31, 2, 0)]  # 84 > 0.8 * 100 + 3
    assert found("V03", [0, 15, 31], [83] * 3, t0=ten) == []
    assert found("V03", [0, 15, 31], [84] * 3, t0=ten - 1) == []  # begins at 15: 16 s
    assert found("V03", [0, 15, 31], [84] * 3, t0=at("06:00:00") - 31_000) == []  # 06:00 is day
    assert found("V03", [0, 15, 31], [84] * 3, t0=at("06:00:00") - 31_001) == [(0, 31, 31, 2, 0)]
    assert found("V03", [0, 15, 31], [84] * 3, "H", t0=ten) == []


def test_v04_at_least_and_it_supersedes() -> None:
    assert found("V04", [0, 5, 10], [150] * 3) == [(0, 10, 10, 4, 0)]  # 10 000 >= 10 000
    assert found("V04", [0, 5, 9.999], [150] * 3) == []
    assert found("V04", [0, 5, 10], [149.9] * 3) == []
    registry = Registry([Row("A1", "L")], [ROAD])
    reading = replay_fixes(fixes([0, 15, 31, 45, 50, 55], [110, 110, 110, 150, 150, 150]), registry)
    by_kind = {str(e["kind"]): e for e in reading.episodes}
    assert by_kind["V01"]["superseded_by"] == "V04"
    assert "superseded_by" not in by_kind["V04"]
    assert (by_kind["V01"]["peak_kmh"], by_kind["V01"]["limit_kmh"]) == (150, 100)


def test_v20_hazmat_only() -> None:
    fences = [square("hazmat_no_go", 0)]
    assert found("V20", [0, 30], [0, 0], "H", fences=fences) == [(0, 30, 30, 4, 0)]
    assert found("V20", [0, 29.999], [0, 0], "H", fences=fences) == []
    assert found("V20", [0, 300], [0, 0], "H", fences=fences) == [(0, 300, 300, 4, 0)]
    assert found("V20", [0, 300.001], [0, 0], "H", fences=fences) == []
    assert found("V20", [0, 30], [0, 0], "L", fences=fences) == []


def test_a_run_keeps_the_parameters_of_its_first_fix() -> None:
    later = [Setting("V01", "margin_kmh", 20, valid_from=T0 + 10_000)]
    assert found("V01", [0, 15, 31], [110] * 3, settings=later) == [(0, 31, 31, 2, 0)]
    assert found("V01", [10, 25, 41], [110] * 3, settings=later) == []
    other = [Setting("V01", "margin_kmh", 20, classes="C")]
    assert found("V01", [0, 15, 31], [110] * 3, settings=other) == [(0, 31, 31, 2, 0)]
    assert found("V01", [0, 15, 31], [110] * 3, "C", settings=other) == []


def test_limits_cap_default_and_dates() -> None:
    assert found("V01", [0, 15, 31], [84] * 3, "H") == [(0, 31, 31, 2, 0)]  # min(80, 100) + 3
    assert found("V01", [0, 15, 31], [64] * 3, "B", fences=[]) == [(0, 31, 31, 2, 1)]  # default 60
    assert found("V01", [0, 15, 31], [64] * 3, "B") == []  # min(100, 100)
    registry = Registry([Row("A1", "L", valid_to=T0 + 31_000)], [ROAD])  # unknown at the third fix
    reading = replay_fixes(fixes([0, 15, 31], [110] * 3), registry)
    assert reading.episodes == []
    assert reading.counts == {"unconfirmed": 1, "accepted": 3, "unknown_vehicle": 1}


Fields = dict[str, float | None]


def step(gate: Gate, s: float, lat: float = 25.0, more: Fields | None = None) -> str:
    """A fix s seconds after T0 through the gate."""
    fix = Fix("A1", 2, T0 + round(s * 1000), 110.0, lat, 50.0)
    for name, value in (more or {}).items():
        setattr(fix, name, value)
    result = gate.take(fix)
    return result if isinstance(result, str) else "accepted"


def test_gate_step_1_and_2() -> None:
    nan = float("nan")
    bad: list[Fields] = [
        {"time": None}, {"lon": None}, {"lon": nan}, {"lon": 73.54}, {"lon": 135.0834}, {"lat": 3.84},
        {"lat": 53.56}, {"speed_kmh": 200.1}, {"speed_kmh": -0.1}, {"altitude_m": nan},
        {"altitude_m": 6500.1}, {"heading_deg": 360.1}, {"heading_deg": -1.0}, {"heading_deg": nan},
        {"received": T0 - 60_001},
    ]  # fmt: skip
    for more in bad:
        assert step(Gate(), 0, more=more) == "unqualified", more
    good: list[Fields] = [
        {"lon": 73.55}, {"lon": 135.0833}, {"speed_kmh": 200.0}, {"altitude_m": -200.0},
        {"heading_deg": 360.0}, {"received": T0 - 60_000}, {"status": 2},
    ]  # fmt: skip
    for more in good:
        assert step(Gate(), 0, more=more) == "unconfirmed", more
    assert step(Gate(), 0, more={"status": 1}) == "no_fix"
    assert step(Gate(), 0, more={"status": 1, "backfill": True}) == "no_fix"
    assert step(Gate(), 0, more={"backfill": True, "speed_kmh": 201.0}) == "unqualified"
    assert step(Gate(), 0, more={"backfill": True}) == "backfill"


def test_gate_step_4_last_and_candidate() -> None:
    gate, hour = Gate(), HOUR / 1000
    assert step(gate, 0) == "unconfirmed"
    assert step(gate, 0) == "unconfirmed"  # 0 < t - candidate does not hold
    assert step(gate, -10) == "unconfirmed"  # the candidate is now -10
    assert step(gate, hour - 10) == "accepted"  # exactly 1 h later
    assert step(gate, hour - 10) == "duplicate"
    assert step(gate, hour - 11) == "late"
    assert step(gate, 2 * hour - 10) == "accepted"
    assert step(gate, 3 * hour - 9.999) == "unconfirmed"  # 1 h and 1 ms
    assert step(gate, 2 * hour) == "accepted"  # within 1 h of `last`: the candidate is cleared
    assert step(gate, 3 * hour + 1) == "unconfirmed"
    assert step(gate, 4 * hour + 2) == "unconfirmed"  # 1 h and 1 s after the candidate: the next one
    assert step(gate, 4 * hour + 3) == "accepted"


def test_gate_step_5_a_place_that_persists_is_believed() -> None:
    gate, far = Gate(), 25.1  # 11 km
    step(gate, -1)
    assert step(gate, 0) == "accepted"
    assert step(gate, 60, far) == "drift"
    assert step(gate, 60, far) == "duplicate"  # a drift fix stays located
    assert step(gate, 180, far) == "drift"  # Δt = 180 000 to the accepted fix; 11.1 km in 180 s is 222 km/h
    assert step(gate, 180.001, far) == "accepted"
    near = far + 5_000 * DEGREES_PER_DM
    assert step(gate, 180.002, near) == "accepted"  # D = 5 000 does not jump, however fast
    assert step(gate, 180.003, near + 5_001 * DEGREES_PER_DM) == "drift"


def test_drift_is_exactly_200_km_h() -> None:
    for dm, result in ((10_000, "accepted"), (10_001, "drift")):
        gate = Gate()
        step(gate, -1)
        step(gate, 0)
        assert step(gate, 18, 25.0 + dm * DEGREES_PER_DM) == result  # 360 * 10 000 = 200 * 18 000
