from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from detectors.activity import BEGIN, CHANGE, DRIVE, GAP_DRIVE, NEVER, PAUSE, PIECE, REST, SHORT_STOP, UNKNOWN
from detectors.counters import COUNTER, counter, counter_measures
from detectors.found import Fact
from detectors.limits import Limits
from tests.detectors.rows import latest, told
from tests.plain import interpret

MIDNIGHT = 1_772_380_800_000  # 2026-03-02 00:00 Beijing time
MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MS = 1 / MIN  # a millisecond, in minutes
EIGHT = 8 * 60  # minutes of the day
FOUR_HOURS, FIVE_HOURS = 240, 300


class Piece(NamedTuple):
    """A piece between two minutes of the day; its row of the batch is its own."""

    what: int
    begin: float
    end: float
    driver: int = 0
    since: float | None = None
    before_driver: int = 0
    crew: int = 1
    vehicle: int = 0
    when: bool = True
    set: int = 0
    now: float | None = None
    at: float = 0
    dm: int = 0


def drive(begin: float, end: float, **columns: Any) -> Piece:
    return Piece(DRIVE, begin, end, **columns)


def gap(begin: float, end: float, **columns: Any) -> Piece:
    return Piece(GAP_DRIVE, begin, end, **columns)


def short(begin: float, end: float) -> Piece:
    return Piece(SHORT_STOP, begin, end)


def pause(begin: float, end: float) -> Piece:
    return Piece(PAUSE, begin, end)


def rest(end: float, **columns: Any) -> Piece:
    return Piece(REST, end, end, **columns)


def unknown(begin: float, end: float) -> Piece:
    return Piece(UNKNOWN, begin, end)


def begin_at(minute: float, **columns: Any) -> Piece:
    return Piece(BEGIN, minute, minute, **columns)


def change(at: float, before: int, driver: int, since: float, resume: float = 20) -> Piece:
    """At minute `at`; the one before was shown since `since`; driving after `at` - `resume` may be taken up."""
    return Piece(CHANGE, since, at, driver, before_driver=before, at=at - resume)


def ms(minute: float) -> int:
    return MIDNIGHT + round(minute * MIN)


def batch_of(pieces: tuple[Piece, ...]) -> Any:
    """What a counter reads of a batch."""
    rows = np.zeros(len(pieces), PIECE)
    for row, piece in enumerate(pieces):
        since = NEVER if piece.since is None else ms(piece.since)
        place = 80.0 + row, 30.0 + row
        rows[row] = piece.what, row, ms(piece.begin), ms(piece.end), ms(piece.at), piece.dm, *place, since
    now = [ms(piece.end if piece.now is None else piece.now) for piece in pieces]
    return SimpleNamespace(
        pieces=rows,
        vehicle=np.array([piece.vehicle for piece in pieces], np.int32),
        time_ms=np.array(now, np.int64),
        driver=np.array([piece.driver for piece in pieces], np.int64),
        before_driver=np.array([piece.before_driver for piece in pieces], np.int64),
        crew=np.array([piece.crew for piece in pieces], np.int32),
    )


def limits_of(pieces: tuple[Piece, ...], sets: tuple[dict[str, int], ...]) -> Limits:
    table = np.array([tuple(one.values()) for one in sets], [(name, "i8") for name in sets[0]])
    sets_of = np.array([piece.set for piece in pieces], np.int32)
    slot = np.array([piece.vehicle for piece in pieces], np.int32)
    return Limits(table, sets_of, np.ones(len(pieces), np.bool_), slot)


def when_of(pieces: tuple[Piece, ...]) -> Any:
    return np.array([piece.when for piece in pieces], np.bool_)


LIMIT = {"limit_ms": FOUR_HOURS * MIN, "severe_ms": FIVE_HOURS * MIN, "warn_ms": 0}
NIGHT = {"limit_ms": 120 * MIN, "warn_ms": 0}


class Counted:
    """A counter under test, with what it remembers."""

    def __init__(self, *sets: dict[str, int], nightly: bool = False) -> None:
        self.sets = sets or ((NIGHT,) if nightly else (LIMIT,))
        self.nightly = nightly
        self.state = np.zeros(3, COUNTER)

    def rows(self, *pieces: Piece) -> Any:
        limits = limits_of(pieces, self.sets)
        return counter(batch_of(pieces), when_of(pieces), limits, self.state, nightly=self.nightly)

    def found(self, *pieces: Piece) -> Any:
        """What is found, as it stands at the end."""
        return latest(self.rows(*pieces))

    def told(self, *pieces: Piece) -> list[tuple[object, ...]]:
        """Every row: its fact, begin and end [minutes of the day], severity."""
        rows = told(self.rows(*pieces), "begins_ms", "ends_ms", "severity")
        return [(fact, (begin - MIDNIGHT) / MIN, (end - MIDNIGHT) / MIN, grade) for fact, begin, end, grade in rows]  # type: ignore[operator]

    def spans(self, *pieces: Piece) -> list[tuple[float, float, float]]:
        """Begin, raise and end of what is found [minutes of the day]."""
        times = ("begins_ms", "raised_ms", "ends_ms")
        return [tuple((int(row[name]) - MIDNIGHT) / MIN for name in times) for row in self.found(*pieces)]  # type: ignore[misc]

    def grades(self, *pieces: Piece) -> list[tuple[int, int]]:
        """Severity and lead of what is found."""
        return [(int(row["severity"]), int(row["lead"])) for row in self.found(*pieces)]


def test_a_counter_opens_above_its_limit() -> None:
    assert Counted().spans(drive(0, 240)) == []
    assert Counted().spans(drive(0, 240.001)) == [(0, 240.001, 240.001)]
    assert Counted().spans(drive(10, 130), drive(130, 250), drive(250, 251), drive(251, 252)) == [(10, 251, 252)]


def test_what_is_not_driven_does_not_count() -> None:
    assert Counted().spans(drive(0, 120), drive(200, 320)) == []
    assert Counted().spans(drive(0, 120), drive(200, 321)) == [(0, 321, 321)]


def test_it_is_raised_by_the_fix_that_applied_the_piece() -> None:
    assert Counted().spans(drive(0, 241, now=245), drive(245, 246)) == [(0, 245, 246)]


def test_it_begins_where_the_first_drive_began() -> None:
    found = Counted().found(drive(0, 100), rest(130), drive(130, 250), drive(250, 380))
    assert found[["vehicle", "lon", "lat"]].tolist() == [(0, 82.0, 32.0)]


def test_the_excess_is_what_goes_beyond_the_limit() -> None:
    row = Counted().found(drive(0, 240), drive(240, 241), drive(250, 252.5))[0]
    driven = 14_610.0
    assert counter_measures(row) == {"excess_s": 210.0, "driven_s": driven, "certain_s": driven, "basis": "vehicle"}


def test_a_pause_changes_nothing() -> None:
    legs = drive(0, 200), pause(200, 210), drive(210, 250)
    assert Counted().spans(*legs) == []
    assert Counted().told(*legs, drive(250, 251), pause(251, 261)) == [("RAISED", 0, 251, 3)]


def read(*pieces: Piece, nightly: bool = False) -> list[tuple[float, float]]:
    """What is found, with gaps read as driving and as rest [minutes]."""
    rows = Counted(nightly=nightly).found(*pieces)
    return [(int(row["driven_ms"]) / MIN, int(row["certain_ms"]) / MIN) for row in rows]


def test_driving_behind_gaps_is_not_certain() -> None:
    assert read(drive(0, 241)) == [(241, 241)]
    assert read(drive(0, 230), gap(230, 241)) == [(241, 230)]
    assert read(gap(0, 11), drive(11, 241), drive(241, 242)) == [(242, 231)]
    assert read(drive(0, 236), short(236, 240), gap(240, 241)) == [(241, 240)]
    # with gaps read as rest there was no drive before the stop, and it counts for nothing
    assert read(gap(0, 11), short(11, 14), drive(14, 241)) == [(241, 227)]


def test_a_gap_that_may_have_been_a_rest_begins_what_is_certain_anew() -> None:
    away = drive(0, 100), unknown(100, 130)
    assert read(*away, drive(130, 271)) == [(241, 141)]
    assert read(*away, short(130, 134), drive(134, 271)) == [(241, 137)]
    assert read(*away, gap(130, 140), short(140, 144), drive(144, 271), drive(271, 272)) == [(242, 128)]
    # it shows what was tested, not what came after
    assert read(drive(0, 241), unknown(241, 271)) == [(241, 241)]
    assert read(drive(0, 241), unknown(241, 271), drive(271, 272)) == [(242, 1)]
    assert read(drive(0, 241), short(241, 245)) == [(241, 241)]


def test_what_is_certain_of_a_night() -> None:
    assert read(gap(H22 - 30, H22 + 10), drive(H22 + 10, H22 + 121), nightly=True) == [(121, 111)]
    assert read(drive(H22 - 60, H22 + 121), nightly=True) == [(121, 121)]
    assert read(drive(H6 - 60, H6), drive(H22 + 1_440, H22 + 1_561), nightly=True) == [(121, 121)]


def test_a_counter_is_full_at_some_time() -> None:
    row = Counted().found(drive(0, 30 * 1_440), drive(30 * 1_440, 30 * 1_440 + 1), gap(0, 40 * 1_440))[0]
    assert [int(row[name]) for name in ("driven_ms", "certain_ms")] == [2**31 - 1] * 2
    assert row["ends_ms"] == ms(40 * 1_440)


WARN = {**LIMIT, "warn_ms": 30 * MIN}


def warned(counted: Counted, *pieces: Piece) -> list[tuple[object, ...]]:
    """Begin, time and end [minutes of the day] of warnings, and what is left [minutes]."""
    rows = [row for row in counted.rows(*pieces) if row["fact"] == Fact.WARNED]
    assert all(row["severity"] == row["lead"] == 0 for row in rows)
    times = ("begins_ms", "raised_ms", "ends_ms")
    return [
        (*((int(row[name]) - MIDNIGHT) / MIN for name in times), counter_measures(row)["left_s"] / 60)  # type: ignore[operator]
        for row in rows
    ]


def test_half_an_hour_before_it_is_warned_of() -> None:
    assert warned(Counted(WARN), drive(0, 210)) == []
    assert len(warned(Counted(WARN), drive(0, 210 + MS))) == 1
    assert warned(Counted(WARN), drive(0, 210.5)) == [(0, 210.5, 210.5, 29.5)]
    assert warned(Counted(WARN), drive(0, 240)) == [(0, 240, 240, 0)]
    assert warned(Counted(WARN), drive(0, 240.001)) == []  # raised at once
    assert warned(Counted(), drive(0, 240)) == []
    assert warned(Counted(WARN), gap(0, 215, now=216)) == [(0, 216, 215, 25)]


def test_it_is_warned_of_once_and_again_after_a_rest() -> None:
    counted = Counted(WARN)
    assert warned(counted, drive(0, 211), drive(211, 212)) == [(0, 211, 211, 29)]
    assert warned(counted, drive(212, 241), drive(241, 242)) == []
    assert warned(counted, rest(270), drive(270, 481)) == [(270, 481, 481, 29)]
    facts = [row[0] for row in Counted(WARN).told(drive(0, 211), drive(211, 241), rest(270))]
    assert facts == ["WARNED", "RAISED", "ENDED"]


def test_a_short_stop_warns_of_nothing_but_the_drive_after_it() -> None:
    assert warned(Counted(WARN), drive(0, 208), short(208, 212)) == []
    assert warned(Counted(WARN), drive(0, 208), short(208, 212), drive(212, 213)) == [(0, 213, 213, 27)]


def test_a_fix_to_which_the_rule_does_not_apply_warns_of_nothing() -> None:
    counted = Counted(WARN)
    assert warned(counted, drive(0, 220, when=False)) == []
    assert warned(counted, drive(220, 221)) == [(0, 221, 221, 19)]


def test_a_counter_that_is_taken_up_again_has_been_warned_of() -> None:
    away = drive(0, 211), change(215, 1, 2, since=0), change(216, 2, 1, since=215)
    assert warned(Counted(WARN), *away, drive(216, 220)) == [(0, 211, 211, 29)]


def test_each_night_is_warned_of() -> None:
    counted = Counted({**NIGHT, "warn_ms": 30 * MIN}, nightly=True)
    assert warned(counted, drive(H22, H22 + 91)) == [(H22, H22 + 91, H22 + 91, 29)]
    second = H22 + 1_440
    assert warned(counted, drive(second - 60, second + 95)) == [(second, second + 95, second + 95, 25)]


def test_a_warning_says_what_there_is_so_far() -> None:
    row = Counted(WARN).rows(begin_at(0), drive(0, 200, driver=1, since=0), gap(200, 215, driver=1, since=0))[0]
    assert row[["vehicle", "lon", "lat", "by_driver"]].tolist() == (0, 81.0, 31.0, 1)
    measures = {"left_s": 1_500.0, "driven_s": 12_900.0, "certain_s": 12_000.0, "basis": "driver"}
    assert counter_measures(row) == measures


def test_a_rest_begins_it_anew() -> None:
    assert Counted().spans(drive(0, 180), rest(200), drive(200, 440)) == []
    assert Counted().spans(drive(0, 180), rest(200), drive(200, 440.001)) == [(200, 440.001, 440.001)]
    assert Counted().spans(drive(0, 241), rest(270), drive(270, 511)) == [(0, 241, 241), (270, 511, 511)]
    counted = Counted()
    assert counted.spans(drive(0, 241)) == [(0, 241, 241)]
    assert counted.spans(rest(270)) == [(0, 241, 241)]  # it is over
    assert counted.spans(drive(270, 510)) == []
    assert counted.spans(drive(510, 511)) == [(270, 511, 511)]


def test_a_short_stop_counts_as_driving_but_raises_nothing() -> None:
    assert Counted().spans(drive(0, 180), short(180, 184), drive(184, 240)) == []
    assert Counted().spans(drive(0, 180), short(180, 184), drive(184, 241)) == [(0, 241, 241)]
    assert Counted().spans(drive(0, 238), short(238, 242)) == []
    assert Counted().spans(drive(0, 238), short(238, 242), drive(242, 243)) == [(0, 243, 243)]
    assert Counted().spans(drive(0, 241), short(241, 245)) == [(0, 241, 241)]
    # however late: 200 + 4 + 37
    assert Counted().spans(drive(0, 200), short(600, 604), drive(604, 641)) == [(0, 641, 641)]


def test_a_short_stop_before_any_drive_counts_for_nothing() -> None:
    assert Counted().spans(short(0, 4), drive(4, 244)) == []
    assert Counted().spans(drive(0, 60), rest(80), short(80, 84), drive(84, 324)) == []


def test_a_short_stop_is_no_driving_behind_gaps() -> None:
    # 236 driven, 4 stood, 1 behind a gap: without the gap 240, not above the limit
    assert Counted().grades(drive(0, 236), short(236, 240), gap(240, 241)) == [(2, 1)]
    assert Counted().grades(drive(0, 237), short(237, 241), gap(241, 242)) == [(3, 0)]


def test_severity_rises_above_five_hours() -> None:
    assert Counted().grades(drive(0, 240 + MS)) == [(3, 0)]
    assert Counted().grades(drive(0, 300)) == [(3, 0)]
    assert Counted().grades(drive(0, 300 + MS)) == [(4, 0)]
    assert Counted().grades(drive(0, 241), drive(241, 301)) == [(4, 0)]
    assert Counted(NIGHT).grades(drive(0, 900)) == [(3, 0)]  # no such number: it never does


def test_driving_behind_gaps_alone_makes_a_lead() -> None:
    assert Counted().grades(drive(0, 240), gap(240, 250)) == [(2, 1)]
    assert Counted().grades(drive(0, 240 + MS), gap(240 + MS, 250)) == [(3, 0)]
    assert Counted().grades(gap(0, 10), drive(10, 250)) == [(2, 1)]
    assert Counted().grades(gap(0, 10), drive(10, 250.001)) == [(3, 0)]
    assert Counted().grades(drive(0, 240), gap(240, 250), drive(250, 400)) == [(2, 1)]  # and never undone


def test_a_rest_forgets_driving_behind_gaps() -> None:
    assert Counted().grades(gap(0, 10), rest(30), drive(30, 270 + MS)) == [(3, 0)]
    assert Counted().grades(gap(0, 10), rest(30), drive(30, 270), gap(270, 270 + MS)) == [(2, 1)]


def test_an_unknown_part_makes_a_lead_where_it_lies_behind_the_first_drive() -> None:
    assert Counted().grades(drive(0, 10), unknown(10, 40), drive(40, 271)) == [(2, 1)]
    assert Counted().grades(unknown(0, 30), drive(30, 271)) == [(3, 0)]
    assert Counted().grades(drive(0, 10), unknown(10, 40), rest(60), drive(60, 301)) == [(3, 0)]


def test_a_later_doubt_bars_a_rise_and_undoes_nothing() -> None:
    assert Counted().grades(drive(0, 241), unknown(241, 261), drive(261, 400)) == [(3, 0)]
    assert Counted().grades(drive(0, 301), unknown(301, 321), drive(321, 400)) == [(4, 0)]


def test_two_drivers_on_the_register_make_a_lead_where_none_is_shown() -> None:
    assert Counted().grades(drive(0, 241, crew=1)) == [(3, 0)]
    assert Counted().grades(drive(0, 241, crew=2)) == [(2, 1)]
    assert Counted().grades(drive(0, 241, crew=3)) == [(2, 1)]
    assert Counted().grades(begin_at(0), drive(0, 241, crew=2, driver=7, since=0)) == [(3, 0)]
    assert Counted().grades(begin_at(0), drive(0, 241, crew=2, driver=7, since=0.001)) == [(2, 1)]
    assert Counted().grades(drive(0, 241), drive(241, 301, crew=2)) == [(3, 0)]  # barred from 4


def basis(*pieces: Piece) -> list[str]:
    return [str(counter_measures(row)["basis"]) for row in Counted().found(*pieces)]


def test_the_basis_is_a_driver_who_is_shown_since_the_counter_restarted() -> None:
    assert basis(begin_at(5), drive(10, 251, driver=7, since=5)) == ["driver"]
    assert basis(begin_at(5), drive(10, 251, driver=7, since=6)) == ["vehicle"]
    assert basis(begin_at(5), drive(10, 251)) == ["vehicle"]
    assert basis(begin_at(5), drive(10, 60), rest(100), drive(100, 341, driver=7, since=100)) == ["driver"]
    assert basis(begin_at(5), drive(10, 60), rest(100), drive(100, 341, driver=7, since=100.001)) == ["vehicle"]
    # it is the one at the opening
    assert basis(begin_at(5), drive(10, 251, driver=7, since=5), drive(251, 252)) == ["driver"]


def test_a_rest_before_any_drive_restarts_nothing() -> None:
    assert basis(begin_at(0), rest(30), drive(30, 271, driver=7, since=20)) == ["vehicle"]
    assert basis(begin_at(0), rest(30), drive(30, 271, driver=7, since=0)) == ["driver"]
    twice = drive(0, 10), rest(30), rest(60)  # the second one follows no drive
    assert basis(*twice, drive(60, 301, driver=7, since=30)) == ["driver"]
    assert basis(*twice, drive(60, 301, driver=7, since=31)) == ["vehicle"]


def test_a_change_of_driver_begins_it_anew() -> None:
    assert Counted().spans(drive(0, 180, driver=1), change(190, 1, 2, since=0), drive(190, 430, driver=2)) == []
    assert Counted().spans(drive(0, 241), change(250, 1, 2, since=0), drive(250, 491)) == [
        (0, 241, 241),
        (250, 491, 491),
    ]
    taken = begin_at(0), drive(0, 60, driver=1, since=0), change(70, 1, 2, since=0)
    assert basis(*taken, drive(70, 311, driver=2, since=70)) == ["driver"]
    assert basis(*taken, drive(70, 311, driver=2, since=70.001)) == ["vehicle"]


def test_a_card_shown_for_a_moment_wins_nothing() -> None:
    away = drive(0, 200, driver=1), change(205, 1, 2, since=0), change(210, 2, 1, since=205)
    # 200 before, the time between left out: 40 more are allowed
    assert Counted().spans(*away, drive(210, 250)) == []
    assert Counted().spans(*away, drive(210, 250.001)) == [(0, 250.001, 250.001)]


def test_an_episode_goes_on_when_its_driver_comes_back() -> None:
    found = Counted().told(drive(0, 241), change(245, 1, 2, since=0), change(246, 2, 1, since=245), drive(246, 247))
    assert found == [("RAISED", 0, 241, 3), ("ENDED", 0, 241, 3), ("STANDS", 0, 247, 3)]


def test_who_comes_back_after_twenty_minutes_begins_anew() -> None:
    away = drive(0, 200), change(205, 1, 2, since=0)
    assert Counted().spans(*away, change(219.999, 2, 1, since=205), drive(220, 261)) == [(0, 261, 261)]
    assert Counted().spans(*away, change(220, 2, 1, since=205), drive(220, 261)) == []


def test_it_is_the_vehicles_last_drive_that_must_be_fresh() -> None:
    away = drive(0, 200), change(205, 1, 2, since=0)
    # what lay there ended at 200, though another one drove until 215
    assert Counted().spans(*away, drive(205, 215), change(218, 2, 1, since=205), drive(218, 259)) == [(0, 259, 259)]
    assert Counted().spans(*away, drive(205, 215), change(221, 2, 1, since=205), drive(221, 262)) == []


def test_who_comes_as_a_third_does_not_take_up_what_lies_there() -> None:
    away = drive(0, 200), change(205, 1, 2, since=0)
    assert Counted().spans(*away, change(206, 2, 3, since=205), drive(206, 247)) == []


def test_a_place_holds_one_counter() -> None:
    # 1 is laid aside, then 2 in its place: 1 begins anew when it comes third
    away = drive(0, 200), change(201, 1, 2, since=0), drive(201, 202), change(203, 2, 3, since=201)
    assert Counted().spans(*away, change(204, 3, 1, since=203), drive(204, 245)) == []
    assert Counted().spans(*away, change(204, 3, 2, since=203), drive(204, 444)) == [(201, 444, 444)]


def test_a_place_without_any_drive_is_not_taken_up() -> None:
    # 2 did not drive, and was shown since 4.5 only: had that been taken up, the basis were the vehicle
    away = drive(0, 3), change(4, 1, 2, since=0), change(5, 2, 3, since=4.5), change(6, 3, 2, since=5)
    assert basis(*away, drive(6, 247, driver=2, since=6)) == ["driver"]


def test_a_rest_before_a_change_leaves_a_place_without_drive() -> None:
    legs = drive(0, 200), rest(205), change(206, 1, 2, since=205.5), change(210, 2, 1, since=206)
    assert Counted().spans(*legs, drive(210, 251)) == []
    assert basis(*legs, drive(210, 451, driver=1, since=210)) == ["driver"]


def test_the_basis_of_a_counter_that_was_taken_up_skips_the_time_between() -> None:
    one = begin_at(0), drive(0, 200, driver=1, since=0), change(205, 1, 2, since=0), change(210, 2, 1, since=205)
    assert basis(*one, drive(210, 251, driver=1, since=210)) == ["driver"]
    assert basis(*one, drive(210, 251, driver=1, since=211)) == ["vehicle"]
    late = begin_at(0), drive(0, 200, driver=1, since=9), change(205, 1, 2, since=9), change(210, 2, 1, since=205)
    assert basis(*late, drive(210, 251, driver=1, since=210)) == ["vehicle"]
    # another one at the wheel after it was taken up
    assert basis(*one, drive(210, 251, driver=3, since=210)) == ["vehicle"]


def test_a_counter_that_was_mixed_stays_so_however_often_it_is_taken_up() -> None:
    mixed = begin_at(0), drive(0, 200, driver=1, since=9), change(201, 1, 2, since=9), change(202, 2, 1, since=201)
    again = change(203, 1, 2, since=202), change(204, 2, 1, since=203)
    assert basis(*mixed, *again, drive(204, 245, driver=1, since=204)) == ["vehicle"]
    one = begin_at(0), drive(0, 200, driver=1, since=0), change(201, 1, 2, since=0), change(202, 2, 1, since=201)
    assert basis(*one, *again, drive(204, 245, driver=1, since=204)) == ["driver"]


def test_a_rest_forgets_who_drove_before() -> None:
    taken_up = begin_at(0), drive(0, 100, driver=1, since=9), change(105, 1, 2, since=9), change(110, 2, 1, since=105)
    legs = *taken_up, drive(110, 120, driver=1, since=110), rest(150)
    assert basis(*legs, drive(150, 391, driver=1, since=110)) == ["driver"]


def test_a_fix_that_may_raise_nothing_still_counts() -> None:
    assert Counted().spans(drive(0, 241, when=False)) == []
    assert Counted().spans(drive(0, 241, when=False), drive(241, 242)) == [(0, 242, 242)]
    assert Counted().spans(drive(0, 241), drive(241, 242, when=False)) == [(0, 241, 241)]


def test_a_counter_keeps_the_set_of_its_first_piece() -> None:
    sets = LIMIT, {"limit_ms": 60 * MIN, "severe_ms": 90 * MIN, "warn_ms": 0}
    assert Counted(*sets).spans(drive(0, 10), drive(10, 100, set=1)) == []
    assert Counted(*sets).grades(drive(0, 10, set=1), drive(10, 61)) == [(3, 0)]
    assert Counted(*sets).grades(drive(0, 10, set=1), drive(10, 91)) == [(4, 0)]
    assert Counted(*sets).spans(drive(0, 10), rest(30), drive(30, 91, set=1)) == [(30, 91, 91)]


def test_vehicles_keep_to_themselves() -> None:
    assert Counted().spans(drive(0, 130), drive(130, 260, vehicle=1)) == []
    found = Counted().found(drive(0, 241), drive(0, 250, vehicle=1), drive(250, 251, vehicle=1), drive(0, 1, vehicle=2))
    assert found[["vehicle", "ends_ms"]].tolist() == [(0, ms(241)), (1, ms(251))]


def test_no_pieces_no_episodes() -> None:
    assert not len(Counted().found())
    assert not len(Counted(nightly=True).found())


H22, H6 = 22 * 60, 30 * 60  # 22:00, and 06:00 of the day after


def test_a_night_runs_from_22_to_6() -> None:
    assert Counted(nightly=True).spans(drive(H22 - 60, H22 + 120)) == []
    assert Counted(nightly=True).spans(drive(H22 - 60, H22 + 121)) == [(H22, H22 + 121, H22 + 121)]
    assert Counted(nightly=True).spans(drive(H6 - 120, H6 + 60)) == []
    assert Counted(nightly=True).spans(drive(H6 - 121, H6 + 60)) == [(H6 - 121, H6 + 60, H6)]
    assert Counted(nightly=True).spans(drive(EIGHT, EIGHT + 600)) == []


def test_driving_by_day_neither_adds_to_a_night_nor_ends_its_episode() -> None:
    found = Counted(nightly=True).spans(drive(H6 - 121, H6), drive(H6, H6 + 60))
    assert found == [(H6 - 121, H6, H6)]


def test_a_night_goes_on_past_midnight() -> None:
    assert Counted(nightly=True).spans(drive(H22, H22 + 60), drive(H22 + 180, H22 + 241)) == [
        (H22, H22 + 241, H22 + 241)
    ]
    early = drive(0, 60), drive(60, 121)
    assert Counted(nightly=True).spans(*early) == [(0, 121, 121)]


def test_each_night_counts_anew() -> None:
    first = drive(H6 - 60, H6), drive(H6, H6 + 60)
    assert Counted(nightly=True).spans(*first, drive(H22 + DAY / MIN, H22 + DAY / MIN + 120)) == []
    begin = H22 + DAY / MIN
    one = drive(H6 - 121, H6), drive(H6, begin)
    assert Counted(nightly=True).spans(*one, drive(begin, begin + 120)) == [(H6 - 121, H6, H6)]
    assert Counted(nightly=True).spans(*one, drive(begin, begin + 120.001)) == [
        (H6 - 121, H6, H6),
        (begin, begin + 120.001, begin + 120.001),
    ]


def test_one_piece_may_span_several_nights() -> None:
    found = Counted(nightly=True).spans(gap(EIGHT, EIGHT + 3 * 1_440))
    nights = [H22 + number * 1_440 for number in range(3)]
    assert found == [(night, EIGHT + 3 * 1_440, night + 480) for night in nights]


def test_there_is_room_for_two_nights_of_every_vehicle(monkeypatch: pytest.MonkeyPatch) -> None:
    interpret(monkeypatch)  # compiled code would write behind the array
    both = gap(3 * 60, H22 + 121, vehicle=0), gap(3 * 60, H22 + 121, vehicle=1)
    assert len(Counted(nightly=True).spans(*both)) == 4


def test_a_new_night_forgets_what_was_doubtful_of_the_last() -> None:
    second = H22 + DAY / MIN
    doubtful = drive(H6 - 60, H6 - 40), unknown(H6 - 40, H6 - 10), gap(H6 - 10, H6)
    assert Counted(nightly=True).grades(*doubtful, drive(second, second + 120 + MS)) == [(3, 0)]
    behind = drive(second, second + 120), gap(second + 120, second + 120 + MS)
    assert Counted(nightly=True).grades(*doubtful, *behind) == [(2, 1)]
    same = drive(H6 - 160, H6 - 155), unknown(H6 - 155, H6 - 125), drive(H6 - 125, H6)
    assert Counted(nightly=True).grades(*same) == [(2, 1)]


def test_gap_driving_of_a_night_makes_a_lead() -> None:
    assert Counted(nightly=True).grades(gap(H22 - 60, H22 + 60), drive(H22 + 60, H22 + 121)) == [(2, 1)]
    assert Counted(nightly=True).grades(gap(H22 - 60, H22), drive(H22, H22 + 121)) == [(3, 0)]


def test_a_short_stop_counts_for_its_part_inside_the_night_that_runs() -> None:
    def night(*pieces: Piece) -> list[tuple[float, float, float]]:
        return Counted(nightly=True).spans(*pieces)

    inside = drive(H22, H22 + 60), short(H22 + 60, H22 + 64)
    assert night(*inside, drive(H22 + 64, H22 + 120)) == []
    assert night(*inside, drive(H22 + 64, H22 + 121)) == [(H22, H22 + 121, H22 + 121)]
    # it runs out of the night: 116 driven and 3 of 4 min stood are 119; 2 behind the next 22:00 are another night's
    assert night(drive(H6 - 119, H6 - 3), short(H6 - 3, H6 + 1), drive(H22 + 1_440, H22 + 1_442)) == []
    # before 22:00 no night runs
    assert night(drive(EIGHT, H22 - 4), short(H22 - 4, H22), drive(H22, H22 + 120)) == []


def test_a_short_stop_at_the_edge_of_the_night_is_cut_there() -> None:
    sets = {"limit_ms": 6 * MIN, "warn_ms": 0}

    def ms_of(*pieces: Piece) -> int:
        counted = Counted(sets, nightly=True)
        counted.found(*pieces)
        return int(counted.state["slots"]["ms"][0, 0])

    assert ms_of(drive(H6 - 5, H6 - 3), short(H6 - 3, H6 + 1)) == 5 * MIN
    assert ms_of(drive(H6 - 5, H6 + 3), short(H6 + 3, H6 + 7)) == 5 * MIN
    # the night before: a stop that ends in the next one counts for neither
    assert ms_of(drive(H6 - 5, H6 + 3), short(H22 + 1_440 - 2, H22 + 1_440 + 2)) == 5 * MIN


def test_a_rest_begins_the_night_anew() -> None:
    assert Counted(nightly=True).spans(drive(H22, H22 + 100), rest(H22 + 130), drive(H22 + 130, H22 + 250)) == []
    found = Counted(nightly=True).spans(drive(H22, H22 + 100), rest(H22 + 130), drive(H22 + 130, H22 + 251))
    assert found == [(H22 + 130, H22 + 251, H22 + 251)]


def test_batches_may_be_cut_anywhere() -> None:
    pieces = (
        *(begin_at(0, driver=1), drive(0, 200, driver=1, since=0), change(205, 1, 2, since=0), drive(205, 206)),
        *(change(207, 2, 1, since=205), drive(207, 250, driver=1, since=207), short(250, 254), unknown(254, 284)),
        *(gap(284, 300), rest(330), drive(330, 600), drive(H22 - 60, H22 + 130), rest(H6), drive(H6 - 1, H6 + 9)),
    )
    names = ["begins_ms", "raised_ms", "ends_ms", "severity", "lead", "driven_ms", "certain_ms", "by_driver"]
    for nightly in (False, True):
        whole = {row["begins_ms"]: row[names].tolist() for row in Counted(nightly=nightly).found(*pieces)}
        assert len(whole) >= 2
        for cut in range(len(pieces) + 1):
            counted = Counted(nightly=nightly)
            found = *counted.found(*pieces[:cut]), *counted.found(*pieces[cut:])
            assert {row["begins_ms"]: row[names].tolist() for row in found} == whole, cut


def test_after_a_rest_and_in_a_new_night_it_counts_from_nothing() -> None:
    # a millisecond above the limit, none of it behind a gap, though there was a gap before
    rested = Counted().found(gap(0, 60), rest(100), drive(100, 100 + FOUR_HOURS + MS))
    over = FOUR_HOURS * MIN + 1
    assert rested[["driven_ms", "certain_ms", "lead", "severity"]].tolist() == [(over, over, 0, 3)]
    tomorrow = H22 + 1_440
    night = Counted(nightly=True).found(gap(H22, H22 + 60), drive(tomorrow, tomorrow + 120 + MS))
    over = 120 * MIN + 1
    assert night[["driven_ms", "certain_ms", "lead", "severity"]].tolist() == [(over, over, 0, 3)]


def test_each_row_tells_why_it_was_written() -> None:
    raised = ("RAISED", 0, 241, 3)
    assert Counted().told(drive(0, 241)) == [raised]
    assert Counted().told(drive(0, 241), drive(241, 242)) == [raised, ("STANDS", 0, 242, 3)]
    risen = drive(0, 241), drive(241, 301), drive(301, 302), drive(302, 303)
    assert Counted().told(*risen) == [raised, ("RISEN", 0, 301, 4), ("STANDS", 0, 303, 4)]
    assert Counted().told(drive(0, 301)) == [("RAISED", 0, 301, 4)]
    assert Counted().told(*risen, rest(330), drive(330, 331), rest(360)) == [
        raised,
        ("RISEN", 0, 301, 4),
        ("ENDED", 0, 303, 4),
    ]


def test_a_counter_without_an_episode_ends_none() -> None:
    assert Counted().told(drive(0, 240), rest(270), change(300, 1, 2, since=0)) == []


def test_a_change_of_driver_ends_the_outgoing_one_s_episode() -> None:
    there = drive(0, 241), change(245, 1, 2, since=0)
    raised, ended = ("RAISED", 0, 241, 3), ("ENDED", 0, 241, 3)
    assert Counted().told(*there) == [raised, ended]
    assert Counted().told(*there, change(246, 2, 1, since=245)) == [raised, ended]
    # what goes on ends once more, whatever ends it
    again = *there, change(246, 2, 1, since=245), drive(246, 247)
    assert Counted().told(*again, rest(280)) == [raised, ended, ("ENDED", 0, 247, 3)]
    assert Counted().told(*again, change(250, 1, 2, since=246), rest(290)) == [raised, ended, ("ENDED", 0, 247, 3)]
    # what is taken up and does not go on has ended
    assert Counted().told(*there, change(246, 2, 1, since=245), rest(280)) == [raised, ended]
    # what is overwritten where it lies has ended
    assert Counted().told(*there, drive(245, 246), change(250, 2, 3, since=245)) == [raised, ended]


def test_each_night_ends_the_last_one_s_episode() -> None:
    second = H22 + 1_440
    raised, ended = (("RAISED", H22, H22 + 121, 3), ("ENDED", H22, H22 + 121, 3))
    day = drive(H22, H22 + 121), drive(H22 + 481, second)
    assert Counted(nightly=True).told(*day) == [raised]
    assert Counted(nightly=True).told(*day, drive(second, second + 1)) == [raised, ended]
    assert Counted(nightly=True).told(*day, drive(second - 9, second + 121)) == [
        raised,
        ended,
        ("RAISED", second, second + 121, 3),
    ]
    assert Counted(nightly=True).told(*day, rest(second), drive(second, second + 1)) == [raised, ended]


def test_a_counter_that_was_laid_aside_before_its_night_was_over_ends_once() -> None:
    second = H22 + 1_440
    aside = drive(H22, H22 + 121), change(second - 1, 1, 2, since=0, resume=1_440)
    back = change(second, 2, 1, since=second - 1, resume=1_440), drive(second, second + 121)
    assert Counted(nightly=True).told(*aside, *back) == [
        ("RAISED", H22, H22 + 121, 3),
        ("ENDED", H22, H22 + 121, 3),
        ("RAISED", second, second + 121, 3),
    ]


def test_every_night_of_a_piece_is_raised_and_all_but_the_last_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    interpret(monkeypatch)  # compiled code would write behind the array
    found = Counted(nightly=True).told(drive(EIGHT, EIGHT + 3 * 1_440))
    nights = [(H22 + number * 1_440, H22 + number * 1_440 + 480) for number in range(3)]
    rows = [(fact, *night, 3) for night in nights for fact in ("RAISED", "ENDED")]
    assert found == rows[:-1]
