from typing import Any

import numpy as np
import pytest

from detectors.activity import BEGIN, GAP_DRIVE, REST, SHORT_STOP, UNKNOWN
from detectors.rests import JOINED, rest_measures, short_rests
from tests.detectors.rows import facts, joined, told, values
from tests.detectors.test_counters import (
    MIDNIGHT,
    MIN,
    MS,
    Piece,
    batch_of,
    begin_at,
    change,
    drive,
    gap,
    limits_of,
    pause,
    rest,
    short,
    unknown,
    when_of,
)
from tests.plain import interpret

LIMIT = {"limit_ms": 240 * MIN, "after_ms": 120 * MIN, "severe_ms": 300 * MIN}


class Joined:
    """Joined driving under test."""

    def __init__(self, *sets: dict[str, int]) -> None:
        self.sets = sets or (LIMIT,)
        self.state = np.zeros(3, JOINED)

    def rows(self, *pieces: Piece) -> Any:
        return short_rests(batch_of(pieces), when_of(pieces), limits_of(pieces, self.sets), self.state)

    def told(self, *pieces: Piece) -> list[tuple[object, ...]]:
        """Every row: its fact, begin, raise and end [minutes of the day]."""
        times = ("begins_ms", "raised_ms", "ends_ms")
        return [(fact, *((at - MIDNIGHT) / MIN for at in ats)) for fact, *ats in told(self.rows(*pieces), *times)]  # type: ignore[operator]


def rows(*pieces: Piece) -> list[tuple[object, ...]]:
    return Joined().told(*pieces)


def raised(*pieces: Piece) -> list[float]:
    """When it is raised [minutes of the day]."""
    return [raised for fact, _, raised, _ in rows(*pieces) if fact == "RAISED"]  # type: ignore[misc]


TWO = drive(0, 120), pause(120, 130)


def test_a_pause_after_two_hours_and_more_than_four_in_all() -> None:
    assert rows(*TWO, drive(130, 250)) == []
    assert rows(*TWO, drive(130, 250 + MS)) == [("RAISED", 0, 250 + MS, 250 + MS)]
    assert rows(*TWO, drive(130, 251), drive(251, 252)) == [("RAISED", 0, 251, 251), ("STANDS", 0, 251, 252)]
    assert rows(drive(0, 241)) == []


def test_a_pause_before_two_hours_is_none_that_was_due() -> None:
    assert rows(drive(0, 120 - MS), pause(120, 130), drive(130, 260)) == []
    assert raised(drive(0, 119), short(119, 120), pause(120, 130), drive(130, 251)) == [251]  # 119 + 1


def test_a_pause_after_the_limit_counts_by_the_driving_behind_it() -> None:
    late = drive(0, 250), pause(250, 260)
    assert rows(*late) == []
    assert raised(*late, drive(260, 261)) == [261]


def test_above_five_hours_it_is_not_raised_but_goes_on() -> None:
    assert raised(drive(0, 290), pause(290, 300), drive(300, 310)) == [310]
    assert raised(drive(0, 290), pause(290, 300), drive(300, 310 + MS)) == []
    assert raised(drive(0, 290), pause(290, 300), drive(300, 311), drive(311, 312)) == []
    assert rows(*TWO, drive(130, 251), drive(251, 700))[-1] == ("STANDS", 0, 251, 700)


def test_driving_behind_gaps_is_not_joined_but_part_of_the_five_hours() -> None:
    assert raised(*TWO, drive(130, 250), gap(250, 280)) == []
    assert raised(*TWO, gap(130, 180), drive(180, 301)) == [301]
    assert raised(*TWO, gap(130, 190), drive(190, 310 + MS)) == []
    assert raised(gap(0, 60), drive(60, 180), pause(180, 190), drive(190, 310)) == []
    # after a gap alone, a short stop is in all and not in what is joined
    assert raised(gap(0, 58), short(58, 60), drive(60, 180), pause(180, 190), drive(190, 311)) == []
    assert raised(gap(0, 56), short(56, 58), drive(60, 180), pause(180, 190), drive(190, 311)) == [311]


def test_a_rest_a_change_and_an_unknown_part_begin_anew() -> None:
    assert raised(*TWO, unknown(130, 155), drive(155, 300)) == []
    for again in (rest(131), change(131, 1, 2, since=0), begin_at(131)):
        assert raised(*TWO, again, drive(155, 300)) == [], again
        assert raised(*TWO, again, drive(155, 280), pause(280, 290), drive(290, 406)) == [406], again
    # an unknown part leaves all as it is: 120 + 181 are above five hours
    assert raised(*TWO, unknown(130, 155), drive(155, 275), pause(275, 285), drive(285, 406)) == []
    assert raised(drive(0, 59), unknown(60, 90), drive(90, 210), pause(210, 220), drive(220, 341)) == [341]
    assert raised(drive(0, 60), unknown(60, 90), drive(90, 210), pause(210, 220), drive(220, 341)) == []
    assert raised(drive(0, 60), rest(90), drive(90, 210), pause(210, 220), drive(220, 341)) == [341]


def test_it_is_over_where_it_begins_anew() -> None:
    found = *TWO, drive(130, 251)
    begun, ended = ("RAISED", 0, 251, 251), ("ENDED", 0, 251, 251)
    for what in (REST, UNKNOWN, BEGIN):
        assert rows(*found, Piece(what, 251, 280)) == [begun, ended], what
    assert rows(*found, change(260, 1, 2, since=0), rest(300)) == [begun, ended]
    for what in (GAP_DRIVE, SHORT_STOP):
        assert rows(*found, Piece(what, 251, 254)) == [begun], what
    assert rows(*found, pause(251, 261), drive(261, 262), rest(290)) == [begun, ("ENDED", 0, 251, 262)]


def test_the_longest_pause_is_shown() -> None:
    def shown(*pieces: Piece) -> dict[str, object]:
        return rest_measures(Joined().rows(*pieces)[-1])

    legs = *TWO, drive(130, 160), pause(160, 172), drive(172, 182), pause(182, 194)
    assert shown(*legs, drive(194, 275)) == {"driven_s": 14_460.0, "stop_s": 720.0, "before_s": 9_000.0}
    raised_ms = shown(*TWO, drive(130, 251), pause(251, 270), drive(270, 271))  # the longer one came later
    assert raised_ms == {"driven_s": 14_520.0, "stop_s": 600.0, "before_s": 7_200.0}
    assert shown(*TWO, drive(130, 251), short(251, 255), rest(290))["driven_s"] == 14_460.0


def test_two_drivers_on_the_register_make_a_lead() -> None:
    def lead(*pieces: Piece) -> list[tuple[int, int]]:
        return [(int(row["severity"]), int(row["lead"])) for row in Joined().rows(*pieces)]

    legs = drive(10, 130), pause(130, 140)
    assert lead(begin_at(5), *legs, drive(140, 261)) == [(2, 0)]
    assert lead(begin_at(5), *legs, drive(140, 261, crew=2)) == [(2, 1)]
    assert lead(begin_at(5), *legs, drive(140, 261, crew=2, driver=7, since=5)) == [(2, 0)]
    assert lead(begin_at(5), *legs, drive(140, 261, crew=2, driver=7, since=5 + MS)) == [(2, 1)]
    assert lead(begin_at(5), rest(8), *legs, drive(140, 261, crew=2, driver=7, since=8)) == [(2, 0)]
    away = begin_at(0), unknown(1, 30)._replace(at=31)
    assert lead(*away, drive(31, 151), pause(151, 161), drive(161, 282, crew=2, driver=7, since=31)) == [(2, 0)]
    assert lead(*away, drive(31, 151), pause(151, 161), drive(161, 282, crew=2, driver=7, since=32)) == [(2, 1)]


def test_fixes_to_which_the_rule_does_not_apply_are_joined_and_raise_nothing() -> None:
    assert raised(*TWO, drive(130, 251, when=False)) == []
    assert raised(*TWO, drive(130, 251, when=False), drive(251, 252)) == [252]


def test_what_is_joined_keeps_the_set_of_its_first_piece() -> None:
    sets = LIMIT, {"limit_ms": 60 * MIN, "after_ms": 30 * MIN, "severe_ms": 90 * MIN}
    short_legs = drive(0, 30, set=1), pause(30, 40), drive(40, 71)
    assert [row[0] for row in Joined(*sets).told(*short_legs)] == ["RAISED"]
    assert Joined(*sets).told(drive(0, 30), pause(30, 40), drive(40, 71, set=1)) == []


def test_vehicles_keep_to_themselves() -> None:
    assert raised(*TWO, drive(130, 250), drive(130, 260, vehicle=1)) == []
    both = *TWO, drive(130, 251), drive(251, 252), *(piece._replace(vehicle=1) for piece in TWO)
    assert Joined().rows(*both)["vehicle"].tolist() == [0, 0]


@pytest.mark.parametrize("plain", [False, True])
def test_it_may_be_cut_anywhere(monkeypatch: pytest.MonkeyPatch, plain: bool) -> None:
    if plain:
        interpret(monkeypatch)
    second = (piece._replace(begin=piece.begin + 600, end=piece.end + 600) for piece in (*TWO, drive(130, 251)))
    pieces = begin_at(0), *TWO, drive(130, 251), short(251, 254), pause(254, 264), drive(264, 270), rest(600), *second

    def shown(found: Any) -> Any:
        """Without the place, which follows the place in the batch here."""
        return found[[name for name in found.dtype.names if name not in ("lon", "lat")]]

    whole = shown(Joined().rows(*pieces))
    assert len(values(whole)) == 2
    for cut in range(len(pieces) + 1):
        one = Joined()
        parts = shown(joined([one.rows(*pieces[:cut]), one.rows(*pieces[cut:])]))
        assert facts(parts).tolist() == facts(whole).tolist(), cut
        assert values(parts) == values(whole), cut
