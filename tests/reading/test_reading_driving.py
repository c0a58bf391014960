"""Rulebook §4 by hand: parts, stops, yard moves, rests, unknown parts, gap-drive."""

from .parameters import Setting
from .registry import Registry, Row
from .replay import replay_fixes
from .track import HOUR, MIN, Track, at

FOUR = 4 * HOUR
T0 = at("06:00:00")


def test_v05_opens_past_four_hours_and_rises_past_five() -> None:
    # 4 h 00 min driven at 10:00 is not more than 4 h; the next minute is
    assert Track(T0).drive(FOUR).found("V05") == []
    one = Track(T0).drive(FOUR + MIN)
    end = T0 + FOUR + MIN
    assert one.found("V05") == [(T0, end, end, 3, 0)]
    assert one.read().episodes[0]["excess_s"] == 60
    assert one.read().episodes[0]["basis"] == "vehicle"
    five = T0 + 5 * HOUR
    assert Track(T0).drive(5 * HOUR).found("V05") == [(T0, end, five, 3, 0)]
    assert Track(T0).drive(5 * HOUR + 1).found("V05") == [(T0, end, five + 1, 4, 0)]
    assert one.found("V05", Row("A1", "T")) == [(T0, end, end, 3, 0)]


def test_parts_of_a_minute_go_by_the_speed_of_a() -> None:
    # 4.9 km/h: all stop, however far it went; so 3 h + 20 min of it + 2 h is no V05
    slow = Track(T0).drive(3 * HOUR)
    for _ in range(20):
        slow.leg(MIN, 800, 4.9)
    assert slow.drive(2 * HOUR).found("V05") == []


def test_parts_of_one_to_five_minutes_go_by_distance() -> None:
    def with_pairs(n: int, ms: int, dm: int) -> list[tuple[int, ...]]:
        track = Track(T0).drive(2 * HOUR)
        for _ in range(n):
            track.leg(ms, dm, 0.0)
        return track.drive(2 * HOUR).found("V05")

    # 20 x 61 s of 100 m (5.9 km/h): drive, so C4 = 4 h 20 min 20 s
    assert len(with_pairs(20, 61_000, 1_000)) == 1
    assert with_pairs(20, 61_000, 999) == []  # all stop: 1 220 s is a rest
    # 300 s: 5 km/h is 4 166.67 dm
    assert len(with_pairs(4, 300_000, 4_167)) == 1
    assert with_pairs(4, 300_000, 4_166) == []


def test_rest_is_twenty_minutes_and_the_next_counter_begins_after_it() -> None:
    nearly = Track(T0).drive(3 * HOUR).stand(20 * MIN - 1).drive(HOUR + MIN)
    end = T0 + FOUR + 21 * MIN - 1
    assert nearly.found("V05") == [(T0, end, end, 3, 0)]
    assert Track(T0).drive(3 * HOUR).stand(20 * MIN).drive(HOUR + MIN).found("V05") == []
    twice = Track(T0).drive(FOUR + MIN).stand(20 * MIN).drive(FOUR + MIN)
    second = T0 + FOUR + 21 * MIN
    assert [e[:3] for e in twice.found("V05")] == [
        (T0, T0 + FOUR + MIN, T0 + FOUR + MIN),
        (second, second + FOUR + MIN, second + FOUR + MIN),
    ]


def test_short_stops_count_as_driving() -> None:
    # 3 h 56 min + stop of 4 min 59.999 s: with 1 more ms of drive C4 = 4 h 0 min 59.999 s + ...
    track = Track(T0).drive(FOUR - 4 * MIN).stand(5 * MIN - 1)
    assert track.found("V05") == []  # the stop is not over
    start = T0 + FOUR + MIN - 1
    # the stretch is pending for 10 s of 100 m, and driving when it exceeds 200 m at 30 s
    track.leg(10_000, 1_000, 60).leg(20_000, 1_001, 60)
    assert track.found("V05") == [(T0, start + 30_000, start + 30_000, 3, 0)]
    # C4 = 236 min + 299 999 ms + 30 s = 14 489 999
    assert track.read().episodes[0]["excess_s"] == 89.999
    five = Track(T0).drive(FOUR - 4 * MIN).stand(5 * MIN).drive(4 * MIN)
    assert five.found("V05") == []  # S = 300 000 adds nothing: C4 = 4 h exactly


def test_yard_moves_join_the_stop() -> None:
    def with_move(*legs: tuple[int, int]) -> int:
        track = Track(T0).drive(3 * HOUR).stand(9 * MIN + 30_000)
        for ms, dm in legs:
            track.leg(ms, dm, 10.0).stand(MIN)
        return len(track.stand(9 * MIN).drive(HOUR + MIN).found("V05"))

    assert with_move((60_000, 2_000)) == 0  # 9.5 + 1 + 1 + 9 = 20.5 min: one rest
    assert with_move((60_000, 2_001)) == 1  # driving
    assert with_move((30_000, 2_000), (30_000, 2_000), (30_000, 1_000)) == 0  # together 5 000
    assert with_move((30_000, 2_000), (30_000, 2_000), (30_000, 1_001)) == 1  # 5 001
    long = Track(T0).drive(3 * HOUR).stand(10 * MIN).leg(30_000, 500, 10).leg(30_001, 500, 10).stand(19 * MIN)
    assert len(long.drive(HOUR + MIN).found("V05")) == 1  # 60 001 ms: driving; then 19 min are no rest


def test_the_joined_time_counts_for_the_rest() -> None:
    # 10 min + 1 min yard move + 9 min = 20 min exactly
    joined = Track(T0).drive(3 * HOUR).stand(10 * MIN).leg(MIN, 2_000, 10).stand(9 * MIN)
    assert joined.drive(HOUR + MIN).found("V05") == []
    less = Track(T0).drive(3 * HOUR).stand(10 * MIN).leg(MIN, 2_000, 10).stand(9 * MIN - 1)
    assert len(less.drive(HOUR + MIN).found("V05")) == 1


def test_a_first_stretch_is_driving_at_once_and_a_pending_one_at_the_end_is_not() -> None:
    settings = [Setting("V05", "limit_ms", 30_000)]
    registry = Registry([Row("A1", "L")], None, settings)
    first = Track(T0).leg(31_000, 100, 10)
    assert first.found("V05", registry=registry) == [(T0, T0 + 31_000, T0 + 31_000, 3, 0)]
    assert Track(T0).stand(MIN).leg(31_000, 100, 10).found("V05", registry=registry) == []
    begun = T0 + MIN  # pending becomes driving from its own beginning, at the pair that exceeds
    late = Track(T0).stand(MIN).leg(31_000, 100, 10).leg(29_001, 100, 10)
    assert late.found("V05", registry=registry) == [(begun, begun + 60_001, begun + 60_001, 3, 0)]


def test_an_unknown_part_ends_a_stop_and_makes_a_pending_stretch_driving() -> None:
    registry = Registry([Row("A1", "L")], None, [Setting("V05", "limit_ms", 30_000)])
    # stop, 31 s pending, then a gap of 30 min with 1 km: gap-drive 6 * 10 000 = 60 s, U = 29 min unknown
    track = Track(T0).stand(MIN).leg(31_000, 100, 10).gap(30 * MIN, 10_000)
    raised = T0 + MIN + 31_000 + 30 * MIN
    assert track.found("V05", registry=registry) == [(T0 + MIN, raised, raised, 3, 0)]
    # a stop of 19 min, a gap with 10 min unknown, a stop of 1 min: no rest
    apart = Track(T0).drive(3 * HOUR).stand(19 * MIN).gap(11 * MIN, 10_000).stand(MIN).drive(HOUR)
    # C4 = 3 h + 1 min gap-drive + 1 min short stop + 1 h; without the gap-drive it was 4 h at raised_ms
    end = T0 + FOUR + 31 * MIN
    assert [(e[0], e[2:]) for e in apart.found("V05")] == [(T0, (end, 2, 1))]
    assert apart.read().episodes[0]["excess_s"] == 120


def test_gaps() -> None:
    def after_gap(ms: int, dm: int) -> list[tuple[int, ...]]:
        track = Track(T0).drive(3 * HOUR).gap(ms, dm).drive(59 * MIN)
        return track.leg(5 * MIN, 50_000, 60).found("V05")  # a last piece of 5 min

    assert after_gap(25 * MIN, 4_999) == []  # near: all stop, a rest
    # 5 000 dm: gap-drive 30 s, unknown 24.5 min >= 20 min: a lead
    assert [e[3:] for e in after_gap(25 * MIN, 5_000)] == [(2, 1)]
    # unknown 19 min 59.999 s: no lead (C4 = 3 h + 30 s + 1 h 4 min, 4 min without the 30 s)
    assert [e[3:] for e in after_gap(20 * MIN + 29_999, 5_000)] == [(3, 0)]
    assert [e[3:] for e in after_gap(20 * MIN + 30_000, 5_000)] == [(2, 1)]
    # U = 4 h exactly is a stop, hence a rest; one ms less is unknown
    assert after_gap(FOUR + 30_000, 5_000) == []
    assert [e[3:] for e in after_gap(FOUR + 29_999, 5_000)] == [(2, 1)]
    # a jump: 60 km in 6 min is 600 km/h: all unknown, 6 min, no lead
    assert [e[3:] for e in after_gap(6 * MIN, 600_000)] == [(3, 0)]
    # 10 km in 10 min: all gap-drive
    # exceeds at 3 h + 10 min + 51 min; 3 h 51 min without the gap: a lead, and it stays one
    assert after_gap(10 * MIN, 100_000) == [(T0, T0 + FOUR + MIN, T0 + FOUR + 14 * MIN, 2, 1)]


def test_without_gap_drive_it_would_not_exceed() -> None:
    # 10 min gap-drive, then 4 h: exceeds at 4 h 1 min of C4 with 3 h 51 without it: lead, for good
    lead = Track(T0).drive(10 * MIN).gap(10 * MIN, 100_000).drive(4 * HOUR)
    assert [e[3:] for e in lead.found("V05")] == [(2, 1)]
    # opened without it: the counter takes the gap after it was raised
    after = Track(T0).drive(FOUR + MIN).gap(10 * MIN, 100_000).drive(HOUR)
    assert [e[3:] for e in after.found("V05")] == [(4, 0)]


def test_a_later_unknown_part_bars_the_rise() -> None:
    # raised at 4 h 1 min (3); then 21 min unknown and 1 min gap-drive; C4 passes 5 h: stays 3
    barred = Track(T0).drive(FOUR + MIN).gap(22 * MIN, 10_000).drive(HOUR)
    assert [e[3:] for e in barred.found("V05")] == [(3, 0)]
    # but a rise is not undone
    kept = Track(T0).drive(5 * HOUR + MIN).gap(22 * MIN, 10_000).drive(MIN)
    assert [e[3:] for e in kept.found("V05")] == [(4, 0)]


def test_a_stop_without_drive_before_it_changes_no_counter() -> None:
    # short stop first: not added. 4 min + 4 h of drive is not more than 4 h
    assert Track(T0).stand(4 * MIN).drive(FOUR).found("V05") == []
    # the restart stays at the first fix: basis is read from there (driver shown only later)
    late = Track(T0).stand(30 * MIN)
    late.driver = "X"
    late.stand(MIN).drive(FOUR + MIN)
    assert late.read().episodes[0]["basis"] == "vehicle"


def test_an_unknown_vehicle_drives_on_but_opens_nothing() -> None:
    begin = T0 + FOUR + 5 * MIN
    row = Row("A1", "L", valid_from=begin)
    track = Track(T0).drive(FOUR + 10 * MIN)
    assert track.found("V05", row) == [(T0, begin, T0 + FOUR + 10 * MIN, 3, 0)]
    gone = Row("A1", "L", valid_to=begin)  # not extended at 4 h 5 min and later
    assert track.found("V05", gone) == [(T0, T0 + FOUR + MIN, begin - MIN, 3, 0)]


def test_counter_parameters_are_those_of_the_pair_its_first_drive_begins_in() -> None:
    registry = Registry([Row("A1", "L")], None, [Setting("V05", "limit_ms", HOUR, valid_from=T0 + MIN)])
    assert Track(T0).drive(2 * HOUR).found("V05", registry=registry) == []  # begun at T0: 4 h
    later = Track(T0 + MIN).drive(HOUR + MIN)
    assert [e[0] for e in later.found("V05", registry=registry)] == [T0 + MIN]
    # gap-drive first: the later fix's
    gap = Track(T0).gap(10 * MIN, 10_000).drive(HOUR)  # U = 9 min unknown, gap-drive from T0 + 9 min
    assert [e[0] for e in gap.found("V05", registry=registry)] == [T0 + 9 * MIN]


def test_vehicles_do_not_touch_each_other() -> None:
    one, two = Track(T0).drive(FOUR + MIN), Track(T0, plate="B2").stand(HOUR)
    mixed = sorted([*one.fixes, *two.fixes], key=lambda fix: fix.time or 0)
    registry = Registry([Row("A1", "L"), Row("B2", "L")])
    assert replay_fixes(mixed, registry).episodes == one.read().episodes
