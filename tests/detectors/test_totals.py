from typing import Any

import numpy as np

from detectors.activity import BEGIN, CHANGE, GAP_DRIVE, REST, SHORT_STOP, UNKNOWN
from detectors.totals import NIGHT_TOTAL, small_hours_total, total_measures
from tests.detectors.rows import latest, told
from tests.detectors.test_counters import MIDNIGHT, MIN, MS, Piece, batch_of, drive, limits_of, ms, when_of

TOTAL = {"open_ms": 10 * MIN, "open_dm": 50_000, "severe_ms": 60 * MIN}
TWO, FIVE = 2 * 60, 5 * 60


class Totalled:
    """The small hours under test."""

    def __init__(self, *sets: dict[str, int]) -> None:
        self.sets = sets or (TOTAL,)
        self.state = np.zeros(3, NIGHT_TOTAL)

    def rows(self, *pieces: Piece) -> Any:
        return small_hours_total(batch_of(pieces), when_of(pieces), limits_of(pieces, self.sets), self.state)

    def found(self, *pieces: Piece) -> Any:
        """What is found, as it stands at the end."""
        return latest(self.rows(*pieces))

    def told(self, *pieces: Piece) -> list[tuple[object, ...]]:
        """Every row: its fact, begin and end [minutes of the day], severity."""
        rows = told(self.rows(*pieces), "begins_ms", "ends_ms", "severity")
        return [(fact, (begin - MIDNIGHT) / MIN, (end - MIDNIGHT) / MIN, grade) for fact, begin, end, grade in rows]  # type: ignore[operator]

    def spans(self, *pieces: Piece) -> list[tuple[float, float, float]]:
        times = ("begins_ms", "raised_ms", "ends_ms")
        return [tuple((int(row[name]) - MIDNIGHT) / MIN for name in times) for row in self.found(*pieces)]  # type: ignore[misc]


def test_ten_minutes_in_the_small_hours() -> None:
    assert Totalled().spans(drive(TWO, TWO + 9.999)) == []
    assert Totalled().spans(drive(TWO, TWO + 10)) == [(TWO, TWO + 10, TWO + 10)]
    assert Totalled().spans(drive(TWO, TWO + 5), drive(TWO + 60, TWO + 65), drive(TWO + 65, TWO + 66)) == [
        (TWO, TWO + 65, TWO + 66)
    ]


def test_five_kilometres_in_the_small_hours() -> None:
    assert Totalled().spans(drive(TWO, TWO + 4, dm=49_999)) == []
    assert Totalled().spans(drive(TWO, TWO + 4, dm=50_000)) == [(TWO, TWO + 4, TWO + 4)]
    assert Totalled().spans(drive(TWO, TWO + 2, dm=25_000), drive(TWO + 2, TWO + 4, dm=25_000)) == [
        (TWO, TWO + 4, TWO + 4)
    ]


def test_only_what_lies_inside_counts() -> None:
    assert Totalled().spans(drive(TWO - 5, TWO + 9)) == []
    assert Totalled().spans(drive(TWO - 5, TWO + 10)) == [(TWO, TWO + 10, TWO + 10)]
    assert Totalled().spans(drive(FIVE - 10, FIVE + 5)) == [(FIVE - 10, FIVE + 5, FIVE)]
    assert Totalled().spans(drive(FIVE - 9, FIVE + 5)) == []
    assert Totalled().spans(drive(FIVE, FIVE + 60, dm=90_000)) == []
    assert Totalled().spans(drive(TWO - 60, TWO, dm=90_000)) == []


def test_a_millisecond_inside_counts() -> None:
    assert Totalled().spans(drive(TWO - 1, TWO + 1 / MIN), drive(TWO + 1, TWO + 11)) == [(TWO, TWO + 11, TWO + 11)]


def test_what_lies_outside_does_not_move_the_end() -> None:
    inside = drive(TWO, TWO + 10)
    assert Totalled().spans(inside, drive(FIVE, FIVE + 60, dm=9)) == [(TWO, TWO + 10, TWO + 10)]
    total = Totalled()
    total.found(inside)
    assert total.told(drive(FIVE, FIVE + 60)) == [("ENDED", TWO, TWO + 10, 3)]
    assert total.told(drive(FIVE + 60, FIVE + 61)) == []


def test_each_row_tells_why_it_was_written() -> None:
    raised = ("RAISED", TWO, TWO + 10, 3)
    inside = drive(TWO, TWO + 10)
    assert Totalled().told(inside) == [raised]
    assert Totalled().told(inside, drive(TWO + 10, TWO + 11)) == [raised, ("STANDS", TWO, TWO + 11, 3)]
    risen = inside, drive(TWO + 10, TWO + 61), drive(TWO + 61, TWO + 62)
    assert Totalled().told(*risen) == [raised, ("RISEN", TWO, TWO + 61, 4), ("STANDS", TWO, TWO + 62, 4)]
    assert Totalled().told(drive(TWO, TWO + 61)) == [("RAISED", TWO, TWO + 61, 4)]


def test_a_night_is_over_at_five_whatever_comes_then() -> None:
    inside, told = drive(TWO, TWO + 10), [("RAISED", TWO, TWO + 10, 3), ("ENDED", TWO, TWO + 10, 3)]
    for what in (BEGIN, GAP_DRIVE, SHORT_STOP, REST, UNKNOWN, CHANGE):
        assert Totalled().told(inside, Piece(what, FIVE - MS, FIVE + 1)) == told[:1], what
        assert Totalled().told(inside, Piece(what, FIVE, FIVE + 1), Piece(what, FIVE + 2, FIVE + 3)) == told, what
        tomorrow = Piece(what, TWO + 60, 1_440)
        assert Totalled().told(inside, tomorrow) == told, what
        assert Totalled().told(inside, Piece(what, TWO + 60, 1_440 - MS)) == told[:1], what
    assert Totalled().told(drive(TWO, TWO + 9), drive(FIVE, FIVE + 1)) == []


def test_one_piece_may_end_a_night_and_raise_another() -> None:
    tomorrow = drive(TWO + 1_440, TWO + 1_450), drive(TWO + 1_450, TWO + 1_451)
    assert Totalled().told(drive(TWO, TWO + 10), *tomorrow, drive(FIVE + 1_440, FIVE + 1_441)) == [
        ("RAISED", TWO, TWO + 10, 3),
        ("ENDED", TWO, TWO + 10, 3),
        ("RAISED", TWO + 1_440, TWO + 1_450, 3),
        ("ENDED", TWO + 1_440, TWO + 1_451, 3),
    ]


def test_only_driving_counts() -> None:
    for what in (GAP_DRIVE, SHORT_STOP, REST, UNKNOWN, BEGIN, CHANGE):
        assert Totalled().spans(Piece(what, TWO, TWO + 60, dm=90_000)) == [], what


def test_the_total_is_raised_by_the_fix_that_applied_the_piece() -> None:
    assert Totalled().spans(drive(TWO, TWO + 10, now=TWO + 11)) == [(TWO, TWO + 11, TWO + 10)]


def test_severity_rises_above_an_hour() -> None:
    def found(*pieces: Piece) -> list[Any]:
        rows: list[Any] = Totalled().found(*pieces)[["severity", "lead"]].tolist()
        return rows

    assert found(drive(TWO, TWO + 10)) == [(3, 0)]
    assert found(drive(TWO, TWO + 60)) == [(3, 0)]
    assert found(drive(TWO, TWO + 60.001)) == [(4, 0)]
    assert found(drive(TWO, TWO + 30), drive(TWO + 30, TWO + 61), drive(TWO + 61, TWO + 62)) == [(4, 0)]


def test_fixes_to_which_the_rule_does_not_apply_do_not_count() -> None:
    assert Totalled().spans(drive(TWO, TWO + 60, when=False)) == []
    assert Totalled().spans(drive(TWO, TWO + 60, when=False), drive(TWO + 60, TWO + 69)) == []


def test_one_a_night_each_night_anew() -> None:
    tomorrow = drive(TWO + 1_440, TWO + 1_451), drive(TWO + 1_460, TWO + 1_461)
    found = Totalled().spans(drive(TWO, TWO + 10), drive(TWO + 100, TWO + 110), *tomorrow)
    assert found == [(TWO, TWO + 10, TWO + 110), (TWO + 1_440, TWO + 1_451, TWO + 1_461)]
    assert Totalled().spans(drive(TWO, TWO + 9, dm=40_000), drive(TWO + 1_440, TWO + 1_449, dm=40_000)) == []
    assert Totalled().spans(drive(TWO, TWO + 10), drive(TWO + 1_440, TWO + 1_441)) == [(TWO, TWO + 10, TWO + 10)]
    severe = Totalled().found(drive(TWO, TWO + 61), *tomorrow)
    assert severe["severity"].tolist() == [4, 3]


def test_measures_of_a_night() -> None:
    row = Totalled().found(drive(TWO - 5, TWO + 10, dm=1_234), drive(TWO + 10, TWO + 11, dm=5))[0]
    assert total_measures(row) == {"drive_s": 660.0, "distance_m": 123.9}
    assert row[["vehicle", "lon", "lat"]].tolist() == (0, 80.0, 30.0)


def test_a_night_begins_where_its_first_drive_began() -> None:
    found = Totalled().found(drive(TWO - 5, TWO), drive(TWO, TWO + 5), drive(TWO + 5, TWO + 10))
    assert found[["lon", "lat"]].tolist() == [(81.0, 31.0)]


def test_a_night_keeps_the_set_of_its_first_piece() -> None:
    sets = TOTAL, {"open_ms": 1 * MIN, "open_dm": 900_000, "severe_ms": 2 * MIN}
    assert Totalled(*sets).spans(drive(TWO, TWO + 0.5), drive(TWO + 0.5, TWO + 5, set=1)) == []
    found = Totalled(*sets).found(drive(TWO, TWO + 0.5, set=1), drive(TWO + 0.5, TWO + 5, dm=60_000))
    assert found["severity"].tolist() == [4]
    assert Totalled(*sets).spans(drive(TWO, TWO + 0.5, set=1), drive(TWO + 0.5, TWO + 0.9, dm=60_000)) == []


def test_nights_of_vehicles_keep_to_themselves() -> None:
    assert Totalled().spans(drive(TWO, TWO + 9), drive(TWO + 9, TWO + 18, vehicle=1)) == []
    two = drive(TWO, TWO + 5), drive(TWO + 5, TWO + 10)
    assert Totalled().found(*two, drive(TWO, TWO + 1, vehicle=1))["vehicle"].tolist() == [0]
    found = Totalled().found(*two, drive(TWO, TWO + 11, vehicle=1), drive(TWO, TWO + 1, vehicle=2))
    assert found[["vehicle", "ends_ms"]].tolist() == [(0, ms(TWO + 10)), (1, ms(TWO + 11))]


def test_nights_may_be_cut_anywhere() -> None:
    tomorrow = drive(TWO + 1_440, TWO + 1_450), drive(TWO + 1_450, TWO + 1_460)
    pieces = drive(TWO, TWO + 10), drive(TWO + 20, TWO + 90), *tomorrow
    whole = Totalled().spans(*pieces)
    for cut in range(len(pieces) + 1):
        total = Totalled()
        spans = {span[0]: span for span in [*total.spans(*pieces[:cut]), *total.spans(*pieces[cut:])]}
        assert list(spans.values()) == whole, cut
