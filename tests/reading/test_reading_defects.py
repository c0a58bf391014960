"""Rulebook §1.6: where the page accuses a lawful vehicle or lets an unlawful one go.

Each test says what the law would want and is expected to fail while the page stands as it is.
"""

from collections.abc import Callable

import pytest

from .positions import Fix
from .registry import Registry, Row
from .replay import replay_fixes
from .track import HOUR, MIN, Track, at, brief, square

T0 = at("06:00:00")
FOUR = 4 * HOUR


def defect(reason: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Expected to fail, and told if it no longer does."""
    return pytest.mark.xfail(strict=True, reason=reason)


@defect("a stop is cut at a driver change; a card shown in the middle of a rest undoes the rest")
def test_a_rest_of_25_minutes_is_a_rest_whatever_card_is_shown_in_it() -> None:
    track = Track(T0, "A").drive(3 * HOUR).stand(10 * MIN).change("B").change("A").stand(13 * MIN)
    assert track.drive(HOUR + MIN).found("V05") == []


@defect("one place for the counters laid aside: a third card replaces the first driver's")
def test_two_cards_shown_for_a_moment_win_nothing() -> None:
    track = Track(T0, "A").drive(FOUR).change("B").change("C").change("A").drive(HOUR)
    assert len(track.found("V05")) == 1


@defect("a stop and the unknown part that follows it are not looked at together")
def test_stop_and_unknown_part_of_25_minutes_may_have_been_a_rest() -> None:
    track = Track(T0).drive(3 * HOUR).stand(15 * MIN).gap(11 * MIN, 10_000).drive(58 * MIN)
    [(*_, lead)] = track.leg(5 * MIN, 50_000, 60).found("V05")
    assert lead == 1


@defect("a lead is decided when the counter first exceeds, and 30 s of gap-drive suffice to make it one")
def test_ten_hours_of_driving_are_an_accusation_in_spite_of_30_s_of_gap_drive() -> None:
    track = Track(T0).drive(MIN).gap(6 * MIN, 5_000).drive(10 * HOUR)
    [(*_, lead)] = track.found("V05")
    assert lead == 0


@defect("the bar on a rise looks at the limit of 4 h, not at the 5 h that make severity 4")
def test_severity_4_does_not_rest_on_gap_drive() -> None:
    track = Track(T0).drive(FOUR + MIN).gap(59 * MIN, 590_000).drive(MIN)
    [(*_, severity, _)] = track.found("V05")
    assert severity == 3  # without its gap-drive 4 h 2 min


@defect("a card pulled and another put in shows a fix without driver between: no driver change")
def test_a_change_seen_through_an_empty_slot_is_a_change() -> None:
    track = Track(T0, "A").drive(3 * HOUR).change(None).change("B").drive(2 * HOUR)
    assert track.found("V05") == []


@defect("a pair that sets out at 6 km/h is all drive, so the change at its end is 'while driving'")
def test_a_change_in_the_minute_of_coming_to_a_halt_is_a_change() -> None:
    track = Track(T0, "A").drive(3 * HOUR)
    track.driver = "B"
    track.leg(MIN, 50, 6.0).stand(4 * MIN).drive(2 * HOUR)
    assert track.found("V05") == []


@defect("pairs of more than a minute below 100 m are stops, and their way is in no sum")
def test_a_queue_that_creeps_two_kilometres_is_no_rest() -> None:
    track = Track(T0).drive(3 * HOUR)
    for _ in range(20):
        track.leg(61_000, 990, 6.0)  # 99 m a minute
    assert len(track.drive(HOUR + MIN).found("V05")) == 1


@defect("V09 leaves gap-drive out: a device that reports every 301 s is never seen")
def test_three_hours_through_the_small_hours_are_seen_at_any_rhythm() -> None:
    track = Track(at("02:00:00"))
    for _ in range(35):
        track.gap(301_000, 50_000)
    assert len(track.found("V09")) == 1


@defect("a V04 that is only a lead supersedes a V02 that is none")
def test_a_lead_does_not_take_an_accusation_away() -> None:
    made = [Fix("A1", 2, T0 + s * 1_000, 110.0, 25.0, 100.0) for s in (0, 1, 16, 32)]
    reading = replay_fixes(made, Registry([Row("A1", "B")], [square("speed", 60)]))
    assert brief(reading, "V04")[0][4] == 1  # unmatched: the default of 60 for a bus
    [v02] = [e for e in reading.episodes if e["kind"] == "V02"]
    assert "superseded_by" not in v02


@defect("gap 300 000: a parked vehicle that reports every 10 minutes has no run")
def test_a_hazmat_vehicle_parked_in_a_no_go_fence_is_found() -> None:
    track = Track(T0)
    for _ in range(12):
        track.gap(10 * MIN, 0)
    registry = Registry([Row("A1", "H")], [square("hazmat_no_go", 0)])
    assert len(track.found("V20", registry=registry)) == 1


@defect("without a receive time one fix 59 minutes ahead makes an hour of fixes late")
def test_one_wrong_clock_does_not_silence_an_hour() -> None:
    made = [Fix("A1", 2, T0 + s * 1_000, 110.0, 25.0, 120.0) for s in range(-1, 600, 10)]
    made.insert(3, Fix("A1", 2, T0 + 59 * MIN, 110.0, 25.0, 0.0))
    reading = replay_fixes(made, Registry([Row("A1", "L")], [square("road", 100)]))
    assert len(brief(reading, "V01")) == 1


@defect("a stop before the first drive restarts nothing: a card put in after a night's parking is too late")
def test_a_card_put_in_before_setting_off_makes_the_basis_driver() -> None:
    track = Track(T0).stand(HOUR)
    track.driver = "A"
    track.stand(MIN).drive(FOUR + MIN)
    assert track.read().episodes[0]["basis"] == "driver"


@defect(
    "the rulebook believes the satellite though the recorder disagrees (regulation §3.1: then no speeding, but V16)"
)
def test_a_satellite_speed_that_the_recorder_denies_is_no_speeding() -> None:
    track = Track(T0).drive(5 * MIN)
    for fix in track.fixes:
        fix.speed_kmh, fix.recorder_speed_kmh = 130.0, 60.0
    assert track.found("V01", registry=Registry([Row("A1", "L")], [square("road", 100)])) == []
