"""Rulebook §1.6 for V26-V31: where the rules as written accuse a lawful vehicle or let an unlawful one go.

Each test says what the law would want and is expected to fail while the rule stands as it is.
"""

from math import inf

from .fences import Fence
from .papers import Holder, Paper, Papers
from .registry import Registry, Row
from .test_reading_defects import defect
from .track import HOUR, MIN, Track, at, square

Tables = dict[str, dict[Holder, list[Paper]]]
A1: Holder = ("A1", 2)
T0 = at("08:00:00")
SUSPENDED: Tables = {"status": {A1: [Paper("suspended", -inf, inf)]}}
NO_WAYBILL: Tables = {"waybills": {("B2", 2): [Paper("", 0, 1)]}}  # somebody's: waybills are known at all
HALF = 2 | 1 << 8


def registry(letter: str, tables: Tables, *fences: Fence) -> Registry:
    """One vehicle, and its papers."""
    return Registry([Row("A1", letter)], list(fences), papers=Papers(tables))


def found(track: Track, kind: str, known: Registry) -> list[tuple[int, ...]]:
    """Episodes of a kind."""
    return track.found(kind, registry=known)


def sheet(counties: str) -> Tables:
    """A charter sheet for these counties."""
    return {"charters": {A1: [Paper("", -inf, inf, {"counties": counties})]}}


@defect("pairs above `gap_ms` do not count: a device that reports every 301 s drives without papers unseen")
def test_a_suspended_vehicle_is_seen_at_any_rhythm() -> None:
    track = Track(T0)
    for _ in range(40):
        track.gap(301_000, 50_000)
    assert len(found(track, "V28", registry("L", SUSPENDED))) == 1


@defect("the speed at a alone says whether a pair is driven: a device whose speed is stuck at 0 never drives")
def test_a_suspended_vehicle_is_seen_though_its_speed_stands_at_zero() -> None:
    track = Track(T0)
    for _ in range(60):
        track.leg(MIN, 10_000, 0.0)
    assert len(found(track, "V28", registry("L", SUSPENDED))) == 1


@defect("what a terminal said of its load once stays believed for ever, and is no guess")
def test_a_word_about_the_load_of_a_week_ago_accuses_nobody() -> None:
    track = Track(T0)
    track.fixes[-1].status = HALF
    for _ in range(7 * 24):
        track.gap(HOUR, 0)
    [*_, (*_, lead)] = found(track.drive(20 * MIN), "V27", registry("H", NO_WAYBILL)) or [(0, 1)]
    assert lead == 1


@defect("a guess of a load ends at midnight: who loads in the evening drives through the night without a waybill")
def test_a_load_of_the_evening_is_a_load_after_midnight() -> None:
    track = Track(at("23:40:00")).stand(18 * MIN).drive(2 * HOUR)
    shipper = square("shipper", inf, south=24.999, north=25.0001)
    assert len(found(track, "V27", registry("H", NO_WAYBILL, shipper))) == 1


@defect("of counties whose fences overlap only the first is the fix's: the sheet may name the second")
def test_a_strip_that_two_counties_claim_is_inside_either() -> None:
    first, second = square("county", inf), square("county", inf)
    first.id, second.id = "A", "B"
    track = Track(T0).drive(HOUR).stand(23 * HOUR)
    assert found(track, "V26", registry("C", sheet("B"), first, second)) == []


@defect("a sheet with one county that no fence has, a misspelt one say, is free to go anywhere")
def test_a_misspelt_county_makes_no_sheet_for_the_whole_country() -> None:
    near, far = square("county", inf, south=20, north=24), square("county", inf)
    near.id, far.id = "A", "B"
    track = Track(T0).drive(HOUR).stand(23 * HOUR)
    assert len(found(track, "V26", registry("C", sheet("A Q"), near, far))) == 1


@defect("the roster is taken to the millisecond: a driver who is relieved five minutes late is somebody else")
def test_a_relief_that_comes_late_is_no_accusation() -> None:
    roster = [
        Paper("driver", -inf, T0 + HOUR, {"staff": "甲"}),
        Paper("driver", T0 + HOUR, inf, {"staff": "乙"}),
    ]
    track = Track(T0, "甲").drive(HOUR + 5 * MIN).change("乙").drive(HOUR)
    assert all(lead for *_, lead in found(track, "V31", registry("L", {"roster": {A1: roster}})))
