from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from detectors.activity import CHANGE, DRIVE, GAP_DRIVE, PAUSE, PIECE, REST, SHORT_STOP, UNKNOWN
from detectors.found import Fact
from detectors.limits import Limits
from detectors.rolling import ROLLING, rolling_facts, rolling_measures, rolling_total
from tests.detectors.rows import facts, joined, values
from tests.plain import interpret

NOON = 1_772_424_000_000  # 2026-03-02 12:00 Beijing time, where a bucket begins
MIN, HOUR, DAY, BUCKET = 60_000, 3_600_000, 86_400_000, 600_000
SETS = ({"limit_ms": 8 * HOUR, "warn_ms": 30 * MIN}, {"limit_ms": HOUR, "warn_ms": 0})


class Columns(SimpleNamespace):
    """What a rolling total reads of a batch."""

    def __len__(self) -> int:
        return len(self.vehicle)


class Fix(NamedTuple):
    """A fix [ms since noon], and the pieces that it settles: what, from, to."""

    at: int
    pieces: tuple[tuple[int, int, int], ...] = ()
    driver: int = 0
    crew: int = 1
    when: bool = True
    vehicle: int = 0
    set: int = 0
    slot: int | None = None


def drive(begin: float, end: float, **columns: Any) -> Fix:
    """Driving between two minutes, told by the fix at its end."""
    return Fix(int(end * MIN), ((DRIVE, int(begin * MIN), int(end * MIN)),), **columns)


def rolled(state: Any, *fixes: Fix) -> Any:
    pieces = np.zeros(sum(len(fix.pieces) for fix in fixes), PIECE)
    told = [(row, piece) for row, fix in enumerate(fixes) for piece in fix.pieces]
    for at, (row, (what, begin, end)) in enumerate(told):
        pieces[at]["what"], pieces[at]["row"] = what, row
        pieces[at]["from_ms"], pieces[at]["to_ms"] = NOON + begin, NOON + end
    batch: Any = Columns(
        pieces=pieces,
        vehicle=np.array([fix.vehicle for fix in fixes], np.int32),
        time_ms=np.array([NOON + fix.at for fix in fixes], np.int64),
        lon=np.array([fix.at / HOUR for fix in fixes]),
        lat=np.array([fix.at / DAY for fix in fixes]),
        driver=np.array([fix.driver for fix in fixes], np.int64),
        crew=np.array([fix.crew for fix in fixes], np.int32),
    )
    table = np.array([tuple(one.values()) for one in SETS], [(name, "i8") for name in SETS[0]])
    slot = [fix.vehicle if fix.slot is None else fix.slot for fix in fixes]
    when = np.array([fix.when for fix in fixes], np.bool_)
    limits = Limits(table, np.array([fix.set for fix in fixes], np.int32), when, np.array(slot, np.int32))
    return rolling_total(batch, when, limits, state)


def told(*fixes: Fix) -> list[tuple[Any, ...]]:
    """Fact, begin, raise and end [minutes since noon], severity and lead of every row."""
    rows = rolled(np.zeros(3, ROLLING), *fixes)
    times = ("begins_ms", "raised_ms", "ends_ms")
    return [
        (Fact(row["fact"]).name, *((int(row[name]) - NOON) / MIN for name in times), row["severity"], row["lead"])
        for row in rows
    ]


def hours(begin: float, count: float, **columns: Any) -> list[Fix]:
    """Driving for hours from an hour on, told every five minutes."""
    steps = round(count * 12)
    return [drive(begin * 60 + 5 * step, begin * 60 + 5 * step + 5, **columns) for step in range(steps)]


def test_more_than_eight_hours() -> None:
    eight = hours(0, 8)
    assert told(*eight)[1:] == []
    assert told(*eight, drive(480, 480 + 1 / MIN))[1:] == [("RAISED", *[480 + 1 / MIN] * 3, 3, 0)]
    assert told(*eight, *hours(8, 0.25))[1:] == [("RAISED", 485, 485, 485, 3, 0), ("STANDS", 485, 485, 495, 3, 0)]


def test_only_driving_counts() -> None:
    for what in (GAP_DRIVE, SHORT_STOP, PAUSE, REST, UNKNOWN, CHANGE):
        assert told(Fix(12 * HOUR, ((what, 0, 12 * HOUR),))) == [], what


def test_the_window_is_144_ten_minutes_and_ends_with_the_one_the_fix_lies_in() -> None:
    eight = hours(0, 8)
    # at 24 h the bucket of the first ten minutes is gone, at a millisecond before it is not
    late = Fix(DAY - 1, ((DRIVE, DAY - 2, DAY - 1),))
    assert told(*eight, late)[-1][:2] == ("RAISED", (DAY - 1) / MIN)
    assert told(*eight, Fix(DAY, ((DRIVE, DAY - 1, DAY),)))[1:] == []
    # ten minutes less, ten minutes more
    again = DAY + 10 * MIN
    assert told(*eight, Fix(again - 1, ((DRIVE, DAY, again - 1),)))[1:] == []
    full = Fix(again - 1, ((DRIVE, DAY - 1, again - 1),))
    assert told(*eight, full)[1:] == []
    assert told(*eight, Fix(again - 1, ((DRIVE, DAY - 2, again - 1),)))[-1][0] == "RAISED"


def test_driving_from_before_the_window_is_left_out() -> None:
    assert told(Fix(2 * DAY, ((DRIVE, 0, 2 * DAY),)))[0][:2] == ("RAISED", 2 * 1_440)
    rows = rolled(np.zeros(1, ROLLING), Fix(2 * DAY, ((DRIVE, 0, 2 * DAY),)))
    assert rows["driven_ms"].tolist() == [143 * BUCKET]
    assert told(Fix(2 * DAY, ((DRIVE, 0, 20 * HOUR),))) == []


def test_it_is_tested_once_a_fix_after_all_that_it_applies() -> None:
    both = Fix(500 * MIN, ((DRIVE, 0, 470 * MIN), (DRIVE, 471 * MIN, 500 * MIN)))
    assert told(both) == [("RAISED", 500, 500, 500, 3, 0)]


def test_a_fix_that_applies_no_driving_tests_nothing() -> None:
    nine = hours(0, 9)
    assert told(*nine, Fix(10 * HOUR))[-1][:4] == ("STANDS", 485, 485, 540)


def test_within_a_day_it_goes_on_and_then_it_is_another() -> None:
    nine = hours(0, 9)
    ended = ("ENDED", 485, 485, 540, 3, 0)
    raised = nine_raised = 485 * MIN
    at = raised + DAY
    assert told(*nine, Fix(at - 1))[-1] == ("STANDS", 485, 485, 540, 3, 0)
    assert told(*nine, Fix(at))[-1] == ended
    assert told(*nine, Fix(at), Fix(at + DAY))[-1] == ended
    assert nine_raised == raised
    more = hours(20, 8)  # 9 + 8 in a day
    assert [row[0] for row in told(*nine, *more)] == ["WARNED", "RAISED", "STANDS"]
    assert told(*nine, *more)[-1] == ("STANDS", 485, 485, 28 * 60, 3, 0)
    # from 485 min of the second day on it is another
    facts_of = told(*nine, *hours(20, 13))
    assert [row[:2] for row in facts_of[-3:]] == [("ENDED", 485), ("RAISED", 485 + 1_440), ("STANDS", 485 + 1_440)]


def test_the_most_that_was_driven_is_shown() -> None:
    rows = rolled(np.zeros(1, ROLLING), *hours(0, 10))
    assert rolling_measures(rows[-1]) == {"driven_s": 36_000.0}
    # the total falls while it goes on: 10 h, then 9.5 as the first buckets are gone
    rows = rolled(np.zeros(1, ROLLING), *hours(0, 10), *hours(25, 0.5))
    assert rows[-1]["ends_ms"] == NOON + 25.5 * HOUR
    assert rolling_measures(rows[-1]) == {"driven_s": 36_000.0}
    assert rolling_facts({"driven_s": 36_000.0}, {"limit_ms": 8 * HOUR}) == {"excess_s": 7_200.0}


def test_two_drivers_on_the_register_make_a_lead() -> None:
    assert told(*hours(0, 9, crew=2))[-1][4:] == (2, 1)
    assert told(*hours(0, 8, crew=2), *hours(8, 1))[-1][4:] == (3, 0)
    assert told(*hours(0, 8 + 1 / 12), *hours(8 + 1 / 12, 1, crew=2))[-1][4:] == (3, 0)


def test_two_drivers_seen_inside_the_window_make_a_lead() -> None:
    nine = hours(0, 9, driver=7)
    assert told(*nine)[-1][4:] == (3, 0)
    assert told(Fix(0, driver=8), *nine)[-1][4:] == (2, 1)
    before = Fix(-16 * HOUR + 10 * MIN, driver=8)  # raised at 8 h and 5 min: the first of 144 buckets
    assert told(before, *nine)[-1][4:] == (2, 1)
    assert told(before._replace(at=before.at - 1), *nine)[-1][4:] == (3, 0)
    assert told(Fix(-HOUR, driver=8), Fix(-DAY + HOUR, driver=0), *hours(0, 9))[-1][4:] == (3, 0)
    # 8, then 7, then 8 again: it is 7 who must be inside
    legs = Fix(-20 * HOUR, driver=8), Fix(-17 * HOUR, driver=7), Fix(-HOUR, driver=8)
    assert told(*legs, *hours(0, 9, driver=8))[-1][4:] == (3, 0)
    assert told(legs[0], legs[1]._replace(at=-15 * HOUR), legs[2], *hours(0, 9, driver=8))[-1][4:] == (2, 1)
    assert told(*hours(0, 8, driver=7), drive(480, 485, driver=8))[-1][4:] == (2, 1)
    assert told(*hours(0, 8, driver=7), drive(480, 485, driver=7), Fix(9 * HOUR, driver=8))[-1][4:] == (3, 0)


def test_half_an_hour_before_it_is_warned_of() -> None:
    legs = hours(0, 7.5)
    assert told(*legs) == []
    assert told(*legs, drive(450, 451), drive(451, 452)) == [("WARNED", 451, 451, 451, 0, 0)]
    assert told(*legs, Fix(481 * MIN, ((DRIVE, 450 * MIN, 481 * MIN),)))[0][0] == "RAISED"
    row = rolled(np.zeros(1, ROLLING), *legs, drive(450, 451))[0]
    assert rolling_measures(row) == {"driven_s": 27_060.0, "left_s": 1_740.0}
    assert row[["lon", "lat"]].tolist() == (451 / 60, 451 / 1_440)
    assert told(*hours(0, 0.9, set=1)) == []  # warned of nothing


def test_it_is_warned_of_again_only_after_the_total_was_low() -> None:
    day = 24 * 60
    first = hours(0, 7.75)
    high = drive(day + 1, day + 2)  # ten minutes less: 7 h 36 min
    assert [row[0] for row in told(*first, high)] == ["WARNED"]
    low = drive(day + 20, day + 21)  # 7 h 17 min
    again = [drive(day + 21, day + 29), drive(day + 29, day + 29.5), drive(day + 29.5, day + 44)]
    assert [row[:2] for row in told(*first, low, *again)] == [("WARNED", 455)]
    assert [row[:2] for row in told(*first, low, drive(day + 600, day + 1_049))] == [("WARNED", 455)]
    assert [row[:2] for row in told(*first, low, drive(day + 600, day + 1_050))] == [("WARNED", 455), ("WARNED", 2_490)]
    assert [row[:2] for row in told(*first, drive(day + 600, day + 1_050))] == [("WARNED", 455)]
    # it has been above the limit and is not low yet: no warning
    assert [row[0] for row in told(*hours(0, 8.25), drive(day + 25, day + 26))] == ["WARNED", "RAISED", "STANDS"]


def test_what_does_not_apply_is_counted_and_not_tested() -> None:
    assert told(*hours(0, 9, when=False)) == []
    assert told(*hours(0, 9, when=False), drive(540, 541))[0][:2] == ("RAISED", 541)
    assert told(*hours(0, 9, slot=-1)) == []
    between = [fix for one in hours(0, 9) for fix in (one._replace(vehicle=1, slot=-1),)]
    found = rolled(np.zeros(1, ROLLING), *hours(0, 9), *between)
    assert set(found["vehicle"].tolist()) == {0}


def test_the_parameters_of_the_fix_that_is_tested_count() -> None:
    legs = hours(0, 2)
    assert told(*legs) == []
    assert told(*legs, drive(120, 121, set=1)) == [("RAISED", 121, 121, 121, 3, 0)]
    assert told(*legs, drive(120, 121, set=1), drive(121, 122)) == [("RAISED", 121, 121, 121, 3, 0)]


# --- against a plain reading of the rule -----------------------------------------------------------------------------


@dataclass
class Plain:
    """The rule of one vehicle, word for word."""

    driven: Counter[int] = field(default_factory=Counter)
    seen: list[tuple[int, int]] = field(default_factory=list)
    warned: bool = False
    episodes: list[list[int]] = field(default_factory=list)
    warnings: list[tuple[int, int]] = field(default_factory=list)

    def take(self, fix: Fix) -> None:
        now = NOON + fix.at
        last = now // BUCKET
        if fix.driver:
            self.seen.append((last, fix.driver))
        spans = [(NOON + begin, NOON + end) for what, begin, end in fix.pieces if what == DRIVE]
        for begin, end in spans:
            for bucket in range(begin // BUCKET, end // BUCKET + 1):
                self.driven[bucket] += max(0, min(end, bucket * BUCKET + BUCKET) - max(begin, bucket * BUCKET))
        if not spans or not fix.when:
            return
        total = sum(ms for bucket, ms in self.driven.items() if last - 143 <= bucket <= last)
        limit, warn = SETS[fix.set].values()
        if total > limit:
            self.warned = True
            if self.episodes and now - self.episodes[-1][0] < DAY:
                self.episodes[-1][1] = now
                self.episodes[-1][4] = max(self.episodes[-1][4], total)
            else:
                two = len({driver for bucket, driver in self.seen if bucket >= last - 143}) >= 2
                lead = fix.crew >= 2 or two
                self.episodes.append([now, now, 2 if lead else 3, int(lead), total])
        elif total <= limit - warn:
            self.warned = False
        elif not self.warned:
            self.warned = True
            self.warnings.append((now, total))


def course(random: Random) -> list[Fix]:
    """Days of one vehicle, with times to the millisecond."""
    fixes, now, pending = [], random.randrange(BUCKET), 0
    driver = random.choice([0, 1, 2])
    for _ in range(random.randrange(300, 900)):
        step = random.choice([random.randrange(1, 300_000)] * 99 + [random.randrange(1, 3_000_000)])
        step = step if random.random() < 0.997 else 30 * HOUR
        step = step if random.random() < 0.98 else BUCKET - (NOON + now) % BUCKET  # to the very edge of a bucket
        what = random.choice([DRIVE] * 12 + [GAP_DRIVE, SHORT_STOP, REST])
        pieces = [(what, now - min(pending, 60_000), now)] if pending and what == DRIVE else []
        pieces += [(what, now, now + step)] if step < 3_000_000 else []
        pending = 0 if pieces else step
        now += step
        driver = driver if random.random() < 0.995 else random.choice([0, 1, 2])
        shown = driver if random.random() < 0.9 else 0
        fixes.append(
            Fix(
                now,
                tuple(pieces),
                shown,
                random.choice([1] * 40 + [2]),
                random.random() < 0.9,
                set=random.random() < 0.02,
            )
        )
    return fixes


@pytest.mark.parametrize("seed", range(40))
def test_it_is_exact(seed: int) -> None:
    """Packed twenty bits a bucket, in batches cut anywhere: to the millisecond what sums of all there is give."""
    random = Random(seed)
    fixes = course(random)
    plain = Plain()
    for fix in fixes:
        plain.take(fix)
    cuts = sorted({0, len(fixes), *(random.randrange(len(fixes)) for _ in range(random.randrange(12)))})
    state = np.zeros(1, ROLLING)
    parts = [rolled(state, *fixes[begin:end]) for begin, end in pairwise(cuts)]
    found = joined(parts)
    warned = found["fact"] == Fact.WARNED
    assert found[warned][["begins_ms", "driven_ms"]].tolist() == plain.warnings
    columns = ["raised_ms", "ends_ms", "severity", "lead", "driven_ms"]
    last = {int(row["begins_ms"]): list(row[columns].tolist()) for row in found[~warned]}
    assert list(last.values()) == plain.episodes
    whole = rolled(np.zeros(1, ROLLING), *fixes)
    assert facts(whole).tolist() == facts(found).tolist()
    assert values(whole) == values(found)


def test_the_plain_courses_find_something_of_every_sort() -> None:
    plains = [Plain() for _ in range(40)]
    for seed, plain in enumerate(plains):
        for fix in course(Random(seed)):
            plain.take(fix)
    episodes = [episode for plain in plains for episode in plain.episodes]
    assert sum(len(plain.warnings) for plain in plains) >= 20
    assert len([1 for episode in episodes if episode[3]]) >= 10
    assert len([1 for episode in episodes if not episode[3]]) >= 10


def test_the_interpreter_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would also say so if there were no room for a row."""
    fixes = course(Random(5))
    compiled = rolled(np.zeros(1, ROLLING), *fixes).tolist()
    assert compiled
    interpret(monkeypatch)
    assert rolled(np.zeros(1, ROLLING), *fixes).tolist() == compiled
