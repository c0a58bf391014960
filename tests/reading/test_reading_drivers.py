"""Rulebook §4 by hand: driver change, resume, basis; the night (V06) and the small hours (V09)."""

import pytest

from .parameters import Setting
from .registry import Registry, Row
from .track import HOUR, MIN, ROUND_DM, Track, at

FOUR = 4 * HOUR
T0 = at("06:00:00")


def test_a_driver_change_restarts_the_counters() -> None:
    # A 3 h, change in a standing minute, B 3 h: nobody drove more than 4 h
    track = Track(T0, "A").drive(3 * HOUR).change("B").drive(3 * HOUR)
    assert track.found("V05") == []
    more = track.drive(HOUR + MIN)
    begin = T0 + 3 * HOUR + MIN
    assert [e[:3] for e in more.found("V05")] == [(begin, begin + FOUR + MIN, begin + FOUR + MIN)]
    assert more.read().episodes[0]["basis"] == "driver"


def test_a_change_while_driving_or_through_no_card_is_no_change() -> None:
    moving = Track(T0, "A").drive(3 * HOUR)
    moving.driver = "B"
    assert len(moving.drive(2 * HOUR).found("V05")) == 1
    assert moving.read().episodes[0]["basis"] == "vehicle"
    pulled = Track(T0, "A").drive(3 * HOUR).change(None).change("B").drive(2 * HOUR)
    assert len(pulled.found("V05")) == 1


def test_a_card_shown_for_a_moment_wins_nothing() -> None:
    # A 3 h; B for a standing minute; A again 1 h 1 min: C4(A) = 3 h + 1 min short stop + 1 h 1 min
    track = Track(T0, "A").drive(3 * HOUR).change("B").change("A").drive(HOUR + MIN)
    reading = track.read()
    assert [(e["begins_ms"], e["basis"], e["excess_s"]) for e in reading.episodes] == [(T0, "driver", 120)]
    # A's part of the stop: 1 min to the change (short, added); B's minute is B's (no drive: nothing);
    # from the second change S = 0: nothing. 3 h + 1 + 61 min = 4 h 2 min.


def test_the_place_is_taken_up_below_twenty_minutes_only() -> None:
    def back_after(ms: int) -> list[tuple[int, ...]]:
        track = Track(T0, "A").drive(3 * HOUR).change("B").stand(ms - 2 * MIN).change("A")
        return track.drive(HOUR + MIN).found("V05")

    assert len(back_after(20 * MIN - 1)) == 1
    assert back_after(20 * MIN) == []


def test_the_end_laid_aside_is_that_of_the_vehicles_last_drive() -> None:
    # A 3 h 50, B drives 10 min after a minute; A is back 15 min after A's own end: taken up
    track = Track(T0, "A").drive(FOUR - 10 * MIN).change("B").drive(12 * MIN).change("A").drive(10 * MIN)
    # C4(A) = 3 h 50 + 1 min short stop + 10 min = 4 h 1 min; B's 12 min and A's S = 0 add nothing
    assert [e[0] for e in track.found("V05")] == [T0]
    assert track.read().episodes[0]["excess_s"] == 60
    assert track.read().episodes[0]["basis"] == "driver"  # "skips the time between"
    # and now B within 20 min of B's last drive: B's counter of 12 + 1 min goes on
    goes_on = track.change("B").drive(FOUR - 14 * MIN)
    assert len(goes_on.found("V05")) == 1  # 12 + 1 (short stop) + 226 = 239 min for B
    assert len(goes_on.drive(2 * MIN).found("V05")) == 2


def test_an_episode_with_the_same_begin_goes_on() -> None:
    track = Track(T0, "A").drive(FOUR + MIN).change("B").change("A").drive(10 * MIN)
    assert track.found("V05") == [(T0, T0 + FOUR + MIN, T0 + FOUR + 13 * MIN, 3, 0)]


def test_a_place_without_drive_is_not_taken_up_but_takes_the_place() -> None:
    # A 3 h -> B (A aside) -> A (taken up, B aside without drive) -> B (fresh; A aside) -> A (taken up)
    flick = Track(T0, "A").drive(3 * HOUR).change("B").change("A").change("B").change("A")
    assert len(flick.drive(HOUR).found("V05")) == 1
    # with a third card A's counter is replaced in the one place
    three = Track(T0, "A").drive(3 * HOUR).change("B").change("C").change("A")
    assert three.drive(HOUR + MIN).found("V05") == []


def test_not_tested_at_a_change_itself() -> None:
    # A 3 h 58, then a stop of 4 min ended by a change: C4(A) = 4 h 2 min, but no episode of A
    track = Track(T0, "A").drive(FOUR - 2 * MIN).stand(3 * MIN).change("B").drive(MIN)
    assert track.found("V05") == []


def test_rest_at_a_change() -> None:
    # 20 min of stop end at the change: a rest, so A's place is empty and A begins anew at once
    track = Track(T0, "A").drive(3 * HOUR).stand(19 * MIN).change("B").change("A").drive(HOUR + MIN)
    assert track.found("V05") == []


def test_basis_and_two_drivers() -> None:
    two = Row("A1", "L", drivers=2)
    with_card = Track(T0, "A").drive(FOUR + MIN)
    assert [e[3:] for e in with_card.found("V05", two)] == [(3, 0)]
    without = Track(T0).drive(FOUR + MIN)
    assert [e[3:] for e in without.found("V05", two)] == [(2, 1)]
    assert [e[3:] for e in without.found("V05")] == [(3, 0)]
    # the fix at the rest's end counts: its card was not yet in
    late = Track(T0).drive(MIN).stand(20 * MIN)
    late.driver = "A"
    assert late.drive(FOUR + MIN).read().episodes[0]["basis"] == "vehicle"
    early = Track(T0).drive(MIN).stand(19 * MIN)
    early.driver = "A"
    assert early.stand(MIN).drive(FOUR + MIN).read().episodes[0]["basis"] == "driver"
    # a pulled card after raised_ms bars the rise with two drivers
    pulled = Track(T0, "A").drive(FOUR + MIN)
    pulled.driver = None
    assert [e[3:] for e in pulled.drive(HOUR).found("V05", two)] == [(3, 0)]
    assert [e[3:] for e in pulled.found("V05")] == [(4, 0)]


NINE = at("21:00:00")
TEN = at("22:00:00")


def test_v06_counts_only_the_night_and_begins_at_22() -> None:
    # begun 21:00:30, so a pair is cut at 22:00; C2 > 2 h at the fix 00:00:30
    track = Track(NINE + 30_000).drive(3 * HOUR)
    assert track.found("V06") == [(TEN, TEN + 2 * HOUR + 30_000, TEN + 2 * HOUR + 30_000, 3, 0)]
    assert [e["excess_s"] for e in track.read().episodes if e["kind"] == "V06"] == [30]
    assert Track(NINE).drive(3 * HOUR).found("V06") == []  # exactly 2 h
    assert track.found("V06", Row("A1", "H")) == []
    rest = Track(TEN).drive(HOUR).stand(20 * MIN).drive(2 * HOUR)
    assert rest.found("V06") == []


def test_v06_ends_with_the_night_and_restarts_at_22() -> None:
    four = at("2026-03-11T03:59:30")
    track = Track(four).drive(3 * HOUR)
    six = at("2026-03-11T06:00:00")
    # the pair 05:59:30-06:00:30 applies the piece to 06:00: C2 = 2 h 30 s
    assert track.found("V06") == [(four, six + 30_000, six, 3, 0)]
    # 20 h of driving without a rest: C2 of the first night is 2 h at 06:00, the second begins at 22:00
    on = Track(at("2026-03-11T04:00:00")).drive(20 * HOUR + MIN)
    ten = at("2026-03-11T22:00:00")
    assert [e[:2] for e in on.found("V06")] == [(ten, ten + 2 * HOUR + MIN)]


def test_short_stops_in_c2_only_inside_a_night_that_runs() -> None:
    # 22:00-23:58 drive, 4 min stop, 1 min drive (1 km: past 200 m, driving at once): C2 = 118 + 4 + 1 min
    track = Track(TEN).drive(118 * MIN).stand(4 * MIN).drive(MIN)
    end = TEN + 123 * MIN
    assert track.found("V06") == [(TEN, end, end, 3, 0)]
    assert Track(TEN).drive(118 * MIN).stand(5 * MIN).drive(2 * MIN).found("V06") == []  # exactly 2 h
    # 04:02 drive to 05:59, stop to 06:02: only its minute before 06:00 is added: 118 min
    begin = at("2026-03-11T04:02:00")
    assert Track(begin).drive(117 * MIN).stand(3 * MIN).drive(HOUR).found("V06") == []
    # from 03:59 it is 120 + 1 min, past 2 h, but C2 is tested after its own pieces only, and none follows
    assert Track(begin - 3 * MIN).drive(2 * HOUR).stand(3 * MIN).drive(HOUR).found("V06") == []


def test_short_stop_over_22_adds_nothing_to_the_new_night() -> None:
    # drive to 21:58, stop to 22:02, drive 2 h to 00:02: C2 = 2 h exactly
    track = Track(NINE).drive(58 * MIN).stand(4 * MIN).drive(2 * HOUR)
    assert track.found("V06") == []
    assert track.drive(MIN).found("V06")[0][0] == TEN + 2 * MIN


def test_v06_without_gap_drive_is_a_lead() -> None:
    track = Track(TEN).drive(HOUR).gap(30 * MIN, 300_000).drive(31 * MIN)
    assert [e[3:] for e in track.found("V06")] == [(2, 1)]


DAY2 = "2026-03-11T"


def test_v09_ten_minutes_or_five_kilometres() -> None:
    two = at(DAY2 + "02:00:00")
    slow = 100  # dm a minute: never 5 km; the speed of 60 makes it drive
    assert Track(two).drive(10 * MIN - 1, slow).found("V09") == []
    ten = Track(two).drive(10 * MIN, slow)
    assert ten.found("V09") == [(two, two + 10 * MIN, two + 10 * MIN, 3, 0)]
    [found] = ten.read().episodes
    assert (found["drive_s"], found["distance_m"]) == (600, 100)
    # 5 km: 5 pairs of 1 km
    assert Track(two).drive(5 * MIN).found("V09") == [(two, two + 5 * MIN, two + 5 * MIN, 3, 0)]
    assert Track(two).drive(5 * MIN, ROUND_DM - 1).found("V09") == []


def test_v09_cuts_at_02_and_05_and_floors_each_pair() -> None:
    before = at(DAY2 + "01:59:40")
    two = at(DAY2 + "02:00:00")
    # the first pair lies 40 s of 60 s inside: 10 001 * 40 / 60 = 6 667.3 -> 6 667 dm
    track = Track(before).drive(6 * MIN, 10_001)
    # 6 667 + 4 * 10 001 = 46 671 < 50 000 after five pairs; the sixth: 56 672
    assert track.found("V09") == [(two, before + 6 * MIN, before + 6 * MIN, 3, 0)]
    [found] = track.read().episodes
    assert (found["drive_s"], found["distance_m"]) == (340, 5_667.2)
    end = Track(at(DAY2 + "04:49:30")).drive(20 * MIN, 100)
    five = at(DAY2 + "05:00:00")
    assert end.found("V09") == [(five - 630_000, five - 30_000, five, 3, 0)]


def test_v09_severity_one_per_night_exempt_and_gap_drive() -> None:
    two = at(DAY2 + "02:00:00")
    assert Track(two).drive(HOUR).found("V09")[0][3] == 3
    broken = Track(two).drive(HOUR).stand(30 * MIN).drive(MIN)
    assert broken.found("V09") == [(two, two + 5 * MIN, two + 91 * MIN, 4, 0)]
    assert broken.found("V09", Row("A1", "L", small_hours_exempt=True)) == []
    assert broken.found("V09", Row("A1", "H")) == []
    assert Track(two).gap(30 * MIN, 300_000).found("V09") == []
    # only pairs whose later fix is eligible: known from 02:30 on, its pairs end at 02:30 and later
    known = Track(two).drive(HOUR).found("V09", Row("A1", "L", valid_from=two + 30 * MIN))
    assert known == [(two + 29 * MIN, two + 34 * MIN, two + HOUR, 3, 0)]


def test_pending_small_hours_are_applied_when_it_is_driving() -> None:
    two = at(DAY2 + "02:00:00")
    registry = Registry([Row("A1", "L")], None, [Setting("V09", "open_ms", 30_000)])
    track = Track(two).stand(MIN).leg(40_000, 100, 10)
    assert track.found("V09", registry=registry) == []
    track.leg(30_000, 100, 10)
    begin = two + MIN
    assert track.found("V09", registry=registry) == [(begin, begin + 70_000, begin + 70_000, 3, 0)]


@pytest.mark.parametrize("minute", [MIN, 5 * MIN])
def test_cutting_does_not_depend_on_the_pairs(minute: int) -> None:
    track = Track(NINE)
    for _ in range(3 * HOUR // minute + 1):
        track.leg(minute, ROUND_DM * minute // MIN, 60)
    assert [e[0] for e in track.found("V06")] == [TEN]
