"""Where V07, V11, V12 and V17, as written, accuse a lawful vehicle or let an unlawful one go.

Each test says what the law would want and is expected to fail while the rules stand as they are.
"""

from .positions import Fix
from .registry import Registry, Row
from .replay import replay_fixes
from .test_reading_defects import defect
from .track import HOUR, MIN, Track, at, brief

T0 = at("06:00:00")


@defect("without a receive time the clock that makes the ticks is the furthest vehicle's, be it wrong")
def test_a_wrong_clock_aboard_another_vehicle_accuses_nobody_of_silence() -> None:
    made = [Fix("A1", 2, T0 + s * 1_000, 110.0, 25.0, 60.0) for s in range(-10, 600, 10)]
    made[20:20] = [Fix("B1", 2, T0 + 59 * MIN + s, 110.0, 25.0, 0.0) for s in (0, 1)]
    reading = replay_fixes(made, Registry([Row("A1", "L"), Row("B1", "L")]))
    assert brief(reading, "V11") == []


@defect("each pair is looked at by itself: one fix in the middle of a silence hides it")
def test_an_hour_of_silence_over_50_km_is_seen_though_the_terminal_spoke_once() -> None:
    track = Track(T0).drive(10 * MIN).gap(29 * MIN, 250_000).gap(29 * MIN, 250_000).drive(10 * MIN)
    assert len(track.found("V12")) == 1


@defect("records sent again count as received and as good ones")
def test_good_records_sent_three_times_do_not_hide_the_bad_ones() -> None:
    good = [Fix("A1", 2, T0 + s * 1_000, 110.0, 25.0, 0.0) for s in range(18)]
    bad = [Fix("A1", 2, T0 + s * 1_000, 0.0, 0.0, 0.0) for s in (18, 19)]
    registry = Registry([Row("A1", "L")])
    assert len(brief(replay_fixes([*good, *bad], registry), "V17")) == 1
    assert len(brief(replay_fixes([*good, *good, *good, *bad], registry), "V17")) == 1


@defect("V07 leaves gap-drive out: a device that reports every 301 s drives for no time at all")
def test_ten_hours_of_driving_are_seen_at_any_rhythm() -> None:
    track = Track(T0)
    for _ in range(10 * HOUR // 301_000):
        track.gap(301_000, 50_000)
    assert len(track.found("V07")) == 1
