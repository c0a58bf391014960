from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import pytest

from detectors.activity import (
    ACTIVITY,
    BEGIN,
    CHANGE,
    DRIVE,
    DRIVING,
    GAP_DRIVE,
    NEVER,
    PAUSE,
    REST,
    SHORT_STOP,
    UNKNOWN,
    drive,
    small_hours_ms,
)
from ingest.gate import Accepted

T = 1_772_409_600_000  # 2026-03-02 08:00 Beijing time
MIDNIGHT = T - 8 * 3_600_000
S, MIN, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
KM = 10_000  # dm
NO_NUMBERS: Mapping[str, float] = {}
WORDS = {
    BEGIN: "begin",
    DRIVE: "drive",
    GAP_DRIVE: "gap-drive",
    SHORT_STOP: "short",
    REST: "rest",
    UNKNOWN: "unknown",
    CHANGE: "change",
    PAUSE: "pause",
}


class Leg(NamedTuple):
    """A pair: how long, how far, the speed it sets out with, and the driver at its end."""

    ms: int
    dm: int = 0
    kmh: float = 0.0
    driver: int | None = None
    jump: bool = False


def moving(ms: int, dm: int = KM) -> Leg:
    return Leg(ms, dm, 60.0)


def standing(ms: int) -> Leg:
    """Minutes and less are told by the speed, up to 5 minutes by the distance."""
    return Leg(ms, 0, 0.0)


class Track:
    """A vehicle's pairs through `drive`, with what is remembered between calls."""

    before = 77
    """What the first fix has of a fix before it means nothing."""

    def __init__(self, *, start: int = T, driver: int = 0, numbers: Mapping[str, float] = NO_NUMBERS) -> None:
        self.now, self.driver, self.first = start, driver, True
        self.start = start
        table = [(name, "i8" if isinstance(value, int) else "f8") for name, value in DRIVING.items()]
        self.sets = np.array([tuple((dict(DRIVING) | dict(numbers)).values())], table)
        self.state = np.zeros(1, ACTIVITY)

    def accepted(self, *legs: Leg) -> Accepted:
        pairs = [(-1, 0, 0.0, self.before, self.driver, False, self.now)] if self.first else []
        self.first = False
        for leg in legs:
            before, self.now = self.driver, self.now + leg.ms
            self.driver = before if leg.driver is None else leg.driver
            pairs.append((leg.ms, leg.dm, leg.kmh, before, self.driver, leg.jump, self.now))
        n = len(pairs)
        dt, dm, kmh, before_driver, driver, jump, time = (list(one) for one in zip(*pairs, strict=True))
        given: dict[str, Any] = {
            "vehicle": np.zeros(n, np.int32),
            "time_ms": np.array(time, np.int64),
            "dt_ms": np.array(dt, np.int64),
            "distance_dm": np.array(dm, np.int64),
            "jump": np.array(jump, np.bool_),
            "before_lon": 80.0 + np.arange(n),
            "before_lat": 30.0 + np.arange(n),
            "before_speed_kmh": np.array(kmh, np.float64),
            "driver": np.array(driver, np.int64),
            "before_driver": np.array(before_driver, np.int64),
        }
        return Accepted(**{field.name: given.get(field.name, np.zeros(n)) for field in fields(Accepted)})

    def rows(self, *legs: Leg) -> Any:
        accepted = self.accepted(*legs)
        return drive(accepted, self.sets, np.zeros(len(accepted), np.int32), self.state)

    def pieces(self, *legs: Leg) -> list[tuple[str, float, float]]:
        """What, from and to [s after the start], without the first fix."""
        return [
            (WORDS[int(row["what"])], (int(row["from_ms"]) - self.start) / S, (int(row["to_ms"]) - self.start) / S)
            for row in self.rows(*legs)
            if row["what"] != BEGIN
        ]


def pieces(*legs: Leg, numbers: Mapping[str, float] = NO_NUMBERS) -> list[tuple[str, float, float]]:
    return Track(numbers=numbers).pieces(*legs)


def test_the_first_fix_begins() -> None:
    rows = Track().rows()
    assert rows[["what", "row", "from_ms", "to_ms", "at_ms"]].tolist() == [(BEGIN, 0, T, T, T)]


@pytest.mark.parametrize("before", [0, 1, 77])
def test_what_was_before_the_first_fix_means_nothing(monkeypatch: pytest.MonkeyPatch, before: int) -> None:
    monkeypatch.setattr(Track, "before", before)
    assert Track(driver=1).rows()[["what", "since_ms"]].tolist() == [(BEGIN, T)]


def test_up_to_a_minute_the_speed_at_its_beginning_tells() -> None:
    assert pieces(Leg(60 * S, 0, 5.0)) == [("drive", 0, 60)]
    assert pieces(Leg(60 * S, 9 * KM, 4.9)) == []
    assert pieces(Leg(60_001, 0, 5.0)) == []  # a minute and a millisecond: the distance tells


def test_up_to_five_minutes_the_distance_tells() -> None:
    assert pieces(Leg(60_001, 1_000)) == [("drive", 0, 60.001)]
    assert pieces(Leg(60_001, 999)) == []
    # 5 km/h over 300 s are 416.67 m: 360 x 4 167 = 1 500 120 >= 5 x 300 000
    assert pieces(Leg(300 * S, 4_167)) == [("drive", 0, 300)]
    assert pieces(Leg(300 * S, 4_166)) == []
    assert pieces(Leg(72 * S, 1_000)) == [("drive", 0, 72)]  # 360 x 1 000 = 5 x 72 000
    assert pieces(Leg(72_001, 1_000)) == []


def test_a_gap_with_little_distance_is_a_stop() -> None:
    assert pieces(Leg(300_001, 4_999)) == []
    assert pieces(moving(MIN), Leg(20 * MIN, 4_999), moving(MIN, 5_001)) == [
        ("drive", 0, 60),
        ("rest", 1_260, 1_260),
        ("drive", 1_260, 1_320),
    ]


def test_a_gap_with_distance_is_driving_at_its_end_and_unknown_before() -> None:
    # 5 000 dm at 6 ms are 30 s; the rest, 270.001 s, is too short to have been a rest
    assert pieces(Leg(300_001, 5_000)) == [("gap-drive", 270.001, 300.001)]
    # 10 km are 600 s; 1 199.999 s and 1 200 s before
    assert pieces(Leg(1_799_999, 10 * KM)) == [("gap-drive", 1_199.999, 1_799.999)]
    assert pieces(Leg(1_800_000, 10 * KM)) == [("unknown", 0, 1_200), ("gap-drive", 1_200, 1_800)]


def test_a_gap_that_is_all_driving() -> None:
    assert pieces(Leg(10 * MIN, 20 * KM)) == [("gap-drive", 0, 600)]
    assert pieces(Leg(10 * MIN, 10 * KM)) == [("gap-drive", 0, 600)]


def test_a_very_long_gap_holds_a_rest() -> None:
    # 10 km are 600 s; before them 4 h and 4 h less 1 ms
    assert pieces(moving(MIN), Leg(15_000_000, 10 * KM)) == [
        ("drive", 0, 60),
        ("rest", 14_460, 15_060),
        ("gap-drive", 14_460, 15_060),
    ]
    assert pieces(moving(MIN), Leg(14_999_999, 10 * KM)) == [
        ("drive", 0, 60),
        ("unknown", 60, 14_459.999),
        ("gap-drive", 14_459.999, 15_059.999),
    ]


def test_a_gap_that_jumps_is_unknown() -> None:
    assert pieces(Leg(20 * MIN, 0, jump=True)) == [("unknown", 0, 1_200)]
    assert pieces(Leg(1_199_999, 0, jump=True)) == []
    assert pieces(Leg(10 * HOUR, 0, jump=True)) == [("unknown", 0, 36_000)]


def test_up_to_five_minutes_a_pair_that_jumps_has_not_moved() -> None:
    assert pieces(Leg(200 * S, 0, 60.0, jump=True), moving(MIN)) == [("short", 0, 200), ("drive", 200, 260)]


def test_a_stop_is_over_when_driving_begins() -> None:
    def stop(ms: int) -> list[tuple[str, float, float]]:
        first, *rest = pieces(moving(MIN), Leg(ms, 0, 0.0), moving(MIN, 3_000))
        assert first == ("drive", 0, 60)
        assert rest[-1] == ("drive", 60 + ms / S, 120 + ms / S)
        return rest[:-1]

    assert stop(299_999) == [("short", 60, 359.999)]
    assert stop(300_000) == [("pause", 60, 360)]
    assert stop(1_199_999) == [("pause", 60, 1_259.999)]
    assert stop(1_200_000) == [("rest", 1_260, 1_260)]


def test_stop_parts_add_up() -> None:
    assert pieces(moving(MIN), *[standing(MIN)] * 4, moving(MIN, 3_000)) == [
        ("drive", 0, 60),
        ("short", 60, 300),
        ("drive", 300, 360),
    ]
    assert pieces(moving(MIN), *[standing(MIN)] * 20, moving(MIN, 3_000))[1] == ("rest", 1_260, 1_260)
    assert pieces(moving(MIN), *[standing(MIN)] * 19, moving(MIN, 3_000)) == [
        ("drive", 0, 60),
        ("pause", 60, 1_200),
        ("drive", 1_200, 1_260),
    ]


def test_a_millisecond_is_a_part() -> None:
    assert pieces(moving(MIN), Leg(1), moving(MIN)) == [
        ("drive", 0, 60),
        ("short", 60, 60.001),
        ("drive", 60.001, 120.001),
    ]
    assert pieces(Leg(1, 5, 60.0)) == [("drive", 0, 0.001)]
    # 5 km are 300 s: what is left of the gap is unknown, and ends the stop, so that nothing is pending
    bounds = {"yard_ms": HOUR, "yard_dm": 9 * KM, "yard_total_dm": 9 * KM}
    assert pieces(standing(MIN), Leg(300_000, 5 * KM), numbers=bounds) == []
    assert pieces(standing(MIN), Leg(300_001, 5 * KM), numbers=bounds) == [
        ("short", 0, 60),
        ("gap-drive", 60.001, 360.001),
    ]


def test_a_stop_at_the_very_beginning() -> None:
    assert pieces(standing(MIN), moving(MIN, 3_000)) == [("short", 0, 60), ("drive", 60, 120)]
    assert pieces(moving(MIN, 10)) == [("drive", 0, 60)]  # follows no stop: driving at once


@pytest.mark.parametrize(
    ("ms", "dm", "driven"),
    [(60_000, 2_000, False), (60_000, 2_001, True), (60_001, 2_000, True), (1, 1, False)],
)
def test_a_stretch_behind_a_stop_is_pending_within_its_bounds(ms: int, dm: int, driven: bool) -> None:
    found = pieces(moving(MIN), standing(MIN), Leg(ms, dm, 60.0))
    expected = [("short", 60, 120), ("drive", 120, 120 + ms / S)] if driven else []
    assert found == [("drive", 0, 60), *expected]


def test_a_pending_stretch_joins_the_stop_that_follows() -> None:
    # 100 + 10 + 200 s of standing, with the yard move in it
    legs: tuple[Leg, ...] = moving(MIN), Leg(100 * S), moving(10 * S, 100), Leg(200 * S), moving(MIN, 3_000)
    assert pieces(*legs) == [("drive", 0, 60), ("pause", 60, 370), ("drive", 370, 430)]
    legs = moving(MIN), Leg(100 * S), moving(10 * S, 100), Leg(180 * S), moving(MIN, 3_000)
    assert pieces(*legs) == [("drive", 0, 60), ("short", 60, 350), ("drive", 350, 410)]


def test_a_pending_stretch_is_driving_from_its_own_beginning_once_it_exceeds_a_bound() -> None:
    begun = moving(MIN), standing(MIN), moving(30 * S, 1_000)
    assert pieces(*begun, moving(30 * S, 1_000)) == [("drive", 0, 60)]
    assert pieces(*begun, moving(30 * S, 1_001)) == [
        ("drive", 0, 60),
        ("short", 60, 120),
        ("drive", 120, 150),
        ("drive", 150, 180),
    ]
    assert pieces(*begun, moving(30_001, 1)) == [
        ("drive", 0, 60),
        ("short", 60, 120),
        ("drive", 120, 150),
        ("drive", 150, 180.001),
    ]


def test_all_stretches_that_join_a_stop_may_cover_500_metres() -> None:
    yard = moving(10 * S, 2_000), standing(MIN)
    begun = moving(MIN), standing(MIN), *yard, *yard
    assert pieces(*begun, moving(10 * S, 1_000)) == [("drive", 0, 60)]
    found = pieces(*begun, moving(10 * S, 1_001))
    assert found == [("drive", 0, 60), ("short", 60, 260), ("drive", 260, 270)]
    # the pending one counts as a whole: 4 000 + 500 + 501
    found = pieces(*begun, moving(10 * S, 500), moving(10 * S, 501))
    assert found == [("drive", 0, 60), ("short", 60, 260), ("drive", 260, 270), ("drive", 270, 280)]


def test_the_next_stop_counts_its_yard_moves_anew() -> None:
    yard = moving(10 * S, 2_000), standing(MIN)
    legs: tuple[Leg, ...] = standing(MIN), *yard, *yard, moving(MIN), standing(MIN), *yard, *yard, moving(10 * S, 1_000)
    assert pieces(*legs)[-1] == ("drive", 200, 260)  # the last one is pending behind the second stop
    legs = standing(MIN), *yard, *yard, moving(MIN), standing(MIN), moving(10 * S, 2_000)
    assert pieces(*legs)[-1] == ("drive", 200, 260)


def test_what_was_pending_is_forgotten_once_it_has_joined() -> None:
    legs: tuple[Leg, ...] = standing(MIN), moving(10 * S, 1_500), standing(MIN), moving(10 * S, 1_500)
    assert pieces(*legs) == []
    legs = standing(MIN), moving(MIN, 1_500), moving(MIN, 1_500), standing(MIN), moving(10 * S, 1_500)
    assert pieces(*legs) == [("short", 0, 60), ("drive", 60, 120), ("drive", 120, 180)]


def test_driving_on_behind_a_stretch_that_was_pending_is_not_pending() -> None:
    legs: tuple[Leg, ...] = standing(MIN), moving(MIN, 1_500), moving(MIN, 1_500), moving(10 * S, 1)
    assert pieces(*legs)[-1] == ("drive", 180, 190)


def test_an_unknown_part_ends_a_stop() -> None:
    assert pieces(moving(MIN), standing(MIN), Leg(20 * MIN, 0, jump=True), moving(10 * S, 1)) == [
        ("drive", 0, 60),
        ("short", 60, 120),
        ("unknown", 120, 1_320),
        ("drive", 1_320, 1_330),  # follows no stop: driving at once
    ]
    assert pieces(moving(MIN), standing(MIN), Leg(10 * MIN, 0, jump=True), moving(10 * S, 1)) == [
        ("drive", 0, 60),
        ("short", 60, 120),
        ("drive", 720, 730),
    ]


def test_an_unknown_part_behind_driving_ends_no_stop_a_second_time() -> None:
    assert pieces(standing(MIN), moving(MIN), Leg(20 * MIN, 0, jump=True)) == [
        ("short", 0, 60),
        ("drive", 60, 120),
        ("unknown", 120, 1_320),
    ]


def test_one_pair_may_settle_four_pieces() -> None:
    track = Track()
    assert track.pieces(standing(MIN), moving(10 * S, 100)) == []
    assert track.pieces(Leg(30 * MIN, 5_000)) == [
        ("short", 0, 60),
        ("drive", 60, 70),
        ("unknown", 70, 1_840),
        ("gap-drive", 1_840, 1_870),
    ]


def test_an_unknown_part_makes_driving_of_a_pending_stretch() -> None:
    assert pieces(standing(MIN), moving(10 * S, 100), moving(20 * S, 100), Leg(20 * MIN, 0, jump=True)) == [
        ("short", 0, 60),
        ("drive", 60, 90),
        ("unknown", 90, 1_290),
    ]


def test_an_unknown_part_is_no_rest_though_a_stop_before_it_was() -> None:
    found = pieces(moving(MIN), *[standing(MIN)] * 20, Leg(30 * MIN, 5_000))
    # 5 000 dm are 30 s; 1 770 s before them are unknown
    assert found == [
        ("drive", 0, 60),
        ("rest", 1_260, 1_260),
        ("unknown", 1_260, 3_030),
        ("gap-drive", 3_030, 3_060),
    ]


def test_gap_driving_behind_a_stop_is_pending_too() -> None:
    # Δt 10 min, 500 m: 570 s unknown end the stop, so 30 s are driving at once
    assert pieces(standing(MIN), Leg(10 * MIN, 5_000)) == [("short", 0, 60), ("gap-drive", 630, 660)]
    # all of it driving, directly behind the stop: too long and too far to be pending
    assert pieces(standing(MIN), Leg(10 * MIN, 10 * KM)) == [("short", 0, 60), ("gap-drive", 60, 660)]


def test_gap_driving_may_be_pending_where_parameters_let_it() -> None:
    numbers = {"long_rest_ms": 60_000, "yard_dm": 9_000, "yard_total_dm": 20_000}
    # 5 000 dm are 30 s behind a stop of 570 s: pending
    assert pieces(Leg(10 * MIN, 5_000), numbers=numbers) == []
    assert pieces(Leg(10 * MIN, 5_000), Leg(300 * S), moving(MIN, 9_001), numbers=numbers) == [
        ("pause", 0, 900),
        ("drive", 900, 960),
    ]


def test_where_a_drive_began() -> None:
    rows = Track().rows(moving(MIN), standing(MIN), moving(30 * S, 100), moving(20 * S, 100), moving(MIN, 3_000))
    shown = rows[rows["what"] == DRIVE][["row", "lon", "lat"]].tolist()
    # the pairs end at fixes 1 to 5 and begin at 80 + n; the pending one began with the third
    assert shown == [(1, 81.0, 31.0), (5, 83.0, 33.0), (5, 85.0, 35.0)]


def test_other_pieces_have_no_place_and_no_distance() -> None:
    legs: tuple[Leg, ...] = moving(MIN), standing(MIN), Leg(20 * MIN, 0, jump=True), standing(MIN), Leg(MIN, driver=1)
    rows = Track(driver=3).rows(*legs)
    others = rows[(rows["what"] != DRIVE)]
    assert set(others["what"].tolist()) == {BEGIN, SHORT_STOP, UNKNOWN, CHANGE}
    assert others[["small_dm", "lon", "lat"]].tolist() == [(0, 0.0, 0.0)] * len(others)


def test_the_fix_whose_parameters_a_counter_takes() -> None:
    track = Track()
    rows = track.rows(moving(MIN), Leg(20 * MIN), moving(30 * S, 1_500), moving(30 * S, 1_500), Leg(10 * MIN, 10 * KM))
    shown = [(WORDS[int(row["what"])], (int(row["at_ms"]) - T) / S) for row in rows]
    assert shown == [
        ("begin", 0),
        ("drive", 0),  # the earlier fix of its pair
        ("rest", 1_260),
        ("drive", 1_260),
        ("drive", 1_290),
        ("gap-drive", 1_920),  # the later one
    ]


def test_a_rest_tells_the_first_fix_from_its_end_on() -> None:
    def rest(*legs: Leg) -> list[tuple[float, float]]:
        rows = Track().rows(*legs)
        return [((int(row["to_ms"]) - T) / S, (int(row["at_ms"]) - T) / S) for row in rows if row["what"] == REST]

    assert rest(Leg(20 * MIN), moving(MIN, 3_000)) == [(1_200, 1_200)]
    assert rest(Leg(20 * MIN), moving(30 * S, 1_500), moving(30 * S, 1_500)) == [(1_200, 1_200)]
    # the rest ends inside the gap, at 14 400 s; the first fix behind is the gap's end
    assert rest(Leg(15_000_000, 10 * KM)) == [(15_000, 15_000)]
    assert rest(Leg(20 * MIN), Leg(20 * MIN, 0, jump=True)) == [(1_200, 1_200)]
    assert rest(Leg(20 * MIN), Leg(30 * MIN, 5_000)) == [(1_200, 1_200)]


def test_a_change_of_driver_at_a_stop() -> None:
    track = Track(driver=1)
    rows = track.rows(moving(MIN), standing(MIN), Leg(MIN, driver=2), moving(MIN, 3_000))
    names = ["what", "from_ms", "to_ms", "at_ms"]
    assert rows[rows["what"] == CHANGE][names].tolist() == [
        (CHANGE, T, T + 180 * S, T + 180 * S - 1_200_000)  # what ended up to 20 min before is not taken up
    ]
    assert [WORDS[int(what)] for what in rows["what"]] == ["begin", "drive", "short", "change", "drive"]
    assert int(rows[-1]["from_ms"]) == T + 180 * S


def test_a_change_of_driver_ends_a_stop_and_begins_one() -> None:
    stop = Leg(20 * MIN, driver=2)
    assert Track(driver=1).pieces(moving(MIN), stop, standing(MIN), moving(MIN, 3_000)) == [
        ("drive", 0, 60),
        ("rest", 1_260, 1_260),
        ("change", 0, 1_260),
        ("short", 1_260, 1_320),
        ("drive", 1_320, 1_380),
    ]


def test_a_change_of_driver_forgets_the_yard_moves_before_it() -> None:
    yard = moving(10 * S, 2_000), standing(MIN)
    legs: tuple[Leg, ...] = standing(MIN), *yard, *yard, Leg(MIN, driver=2), moving(10 * S, 2_000), standing(MIN)
    assert Track(driver=1).pieces(*legs) == [("short", 0, 260), ("change", 0, 260)]
    again = Leg(MIN, driver=2), *yard, *yard  # 4 000 dm behind the change: 1 000 more may join
    assert Track(driver=1).pieces(*again, moving(10 * S, 1_000)) == [("short", 0, 60), ("change", 0, 60)]
    assert len(Track(driver=1).pieces(*again, moving(10 * S, 1_001))) == 4


def test_what_is_no_change_of_driver() -> None:
    assert Track(driver=1).pieces(standing(MIN), Leg(MIN, driver=1)) == []
    assert Track(driver=0).pieces(standing(MIN), Leg(MIN, driver=1)) == []  # no driver before
    assert Track(driver=1).pieces(standing(MIN), Leg(MIN, driver=0)) == []  # none now
    assert Track(driver=1).pieces(moving(MIN), Leg(MIN, 3_000, 60.0, driver=2)) == [
        ("drive", 0, 60),
        ("drive", 60, 120),
    ]
    # pairs that are not all stop
    assert Track(driver=1).pieces(Leg(10 * MIN, 5_000, driver=2)) == [("gap-drive", 570, 600)]
    assert Track(driver=1).pieces(Leg(15_000_000, 10 * KM, driver=2))[-1] == ("gap-drive", 14_400, 15_000)
    assert Track(driver=1).pieces(Leg(20 * MIN, driver=2, jump=True)) == [("unknown", 0, 1_200)]
    assert Track(driver=1).pieces(standing(MIN), Leg(MIN, 100, 60.0, driver=2)) == []  # pending


def since(*legs: Leg, driver: int = 1) -> list[float]:
    """Since when one driver is shown [s], at each piece; -1 for never."""
    found = [int(row["since_ms"]) for row in Track(driver=driver).rows(*legs)]
    return [-1 if moment == NEVER else (moment - T) / S for moment in found]


def test_since_when_one_driver_is_shown() -> None:
    assert since(moving(MIN), moving(MIN)) == [0, 0, 0]
    assert since(moving(MIN), Leg(MIN, KM, 60.0, driver=2), moving(MIN)) == [0, 0, 120, 120]
    assert since(moving(MIN), Leg(MIN, KM, 60.0, driver=0), moving(MIN)) == [0, 0, -1, -1]
    assert since(moving(MIN), Leg(MIN, KM, 60.0, driver=0), Leg(MIN, KM, 60.0, driver=1)) == [0, 0, -1, 180]
    assert since(moving(MIN), driver=0) == [-1, -1]


def test_since_when_the_outgoing_driver_was_shown() -> None:
    legs: tuple[Leg, ...] = Leg(MIN, KM, 60.0, driver=2), standing(MIN), Leg(MIN, driver=3), moving(MIN)
    assert Track(driver=1).pieces(*legs) == [
        ("drive", 0, 60),
        ("short", 60, 180),
        ("change", 60, 180),
        ("drive", 180, 240),
    ]
    assert since(*legs) == [0, 60, 180, 180, 180]


@pytest.mark.parametrize(
    ("begin", "end", "inside"),
    [
        ("01:00", "02:00", 0),
        ("01:59", "02:01", 1),
        ("02:00", "05:00", 180),
        ("03:00", "04:00", 60),
        ("04:59", "05:01", 1),
        ("05:00", "06:00", 0),
        ("00:00", "24:00", 180),
        ("12:00", "36:00", 180),
        ("01:00", "27:00", 240),  # 180 and 60
        ("04:00", "28:00", 180),  # 60 and 120
        ("06:00", "26:00", 0),
        ("06:00", "26:01", 1),
    ],
)
def test_small_hours(begin: str, end: str, inside: int) -> None:
    moments = [MIDNIGHT + int(text[:2]) * HOUR + int(text[3:]) * MIN for text in (begin, end)]
    assert small_hours_ms(moments[0], moments[1]) == inside * MIN


def small(*legs: Leg, start: str) -> list[tuple[str, int]]:
    """Pieces of driving with what was driven inside the small hours [dm]."""
    at = MIDNIGHT + int(start[:2]) * HOUR + int(start[3:]) * MIN
    rows = Track(start=at).rows(*legs)
    return [(WORDS[int(row["what"])], int(row["small_dm"])) for row in rows if row["what"] in (DRIVE, GAP_DRIVE)]


def test_distance_inside_the_small_hours_is_a_share_of_the_pair() -> None:
    assert small(moving(MIN, 1_001), start="03:00") == [("drive", 1_001)]
    assert small(moving(MIN, 1_001), start="06:00") == [("drive", 0)]
    # from 01:59: 40 s outside, 20 s inside: 1 001 x 20 / 60 = 333.67
    assert small(standing(20 * S), moving(MIN, 10_001), start="01:59") == [("drive", 3_333)]
    assert small(Leg(3 * MIN, 10_000), start="01:58") == [("drive", 3_333)]


def test_distance_of_a_pending_stretch_is_rounded_pair_by_pair() -> None:
    # 01:59:30 .. 02:00:00 | 02:00:00 .. 02:00:20 | 02:00:20 .. 02:00:40: all of the last two
    legs: tuple[Leg, ...] = Leg(90 * S), moving(30 * S, 500), moving(20 * S, 700), moving(20 * S, 900)
    assert small(*legs, start="01:58") == [("drive", 700), ("drive", 900)]
    # two pairs of half a share: 01:59:50 .. 02:00:10, and a second one inside
    legs = Leg(110 * S), moving(20 * S, 501), moving(20 * S, 501), moving(30 * S, 5_001)
    assert small(*legs, start="01:58") == [("drive", 250 + 501), ("drive", 5_001)]


def test_a_pending_distance_that_joined_a_stop_is_forgotten() -> None:
    legs: tuple[Leg, ...] = Leg(2 * MIN), moving(20 * S, 500), standing(MIN), moving(20 * S, 300), moving(MIN, 3_000)
    assert small(*legs, start="03:00") == [("drive", 300), ("drive", 3_000)]
    legs = Leg(2 * MIN), moving(20 * S, 500), moving(MIN, 3_000), standing(MIN), moving(20 * S, 300), moving(MIN, 3_000)
    assert small(*legs, start="03:00") == [("drive", 500), ("drive", 3_000), ("drive", 300), ("drive", 3_000)]


JOURNEY = (
    *(moving(MIN), standing(MIN), moving(10 * S, 900), standing(3 * MIN), moving(40 * S, 1_900), moving(40 * S, 1_900)),
    *(Leg(20 * MIN, driver=2), moving(30 * S, 100), Leg(40 * MIN, 2 * KM), standing(MIN), Leg(20 * MIN, 0, jump=True)),
    *(
        standing(MIN),
        moving(20 * S, 100),
        Leg(15_000_000, 10 * KM),
        standing(MIN),
        Leg(MIN, driver=1),
        moving(MIN, 2_001),
    ),
)


def test_batches_may_be_cut_anywhere() -> None:
    names = ["what", "from_ms", "to_ms", "at_ms", "small_dm", "since_ms"]
    whole = Track(driver=1).rows(*JOURNEY)[names].tolist()
    assert {row[0] for row in whole} == {BEGIN, DRIVE, GAP_DRIVE, SHORT_STOP, REST, UNKNOWN, CHANGE}
    for cut in range(1, len(JOURNEY)):
        track = Track(driver=1)
        parts = [track.rows(*JOURNEY[:cut])[names].tolist(), track.rows(*JOURNEY[cut:])[names].tolist()]
        assert parts[0] + parts[1] == whole, cut
