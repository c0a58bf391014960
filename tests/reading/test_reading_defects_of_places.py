"""Rulebook §1.6: where V18, V21, V24 and V25, as their docstrings stand, let an unlawful vehicle go."""

from dataclasses import replace

from .papers import Paper, Papers
from .parameters import Setting
from .registry import Registry, Row
from .routes import Route
from .test_reading_defects import T0, defect
from .track import HOUR, MIN, Track, at, square


@defect("of restricted fences that overlap one alone, the one with the least limit, says when they are closed")
def test_a_fence_that_is_closed_all_day_is_closed_where_another_is_closed_by_night() -> None:
    night, always = square("hazmat_restricted", 0), replace(square("hazmat_restricted", 0), id="always")
    registry = Registry([Row("A1", "H")], [night, always], [Setting("V21", "to_ms", 86_400_000, fence="always")])
    assert len(Track(at("12:00:00")).drive(10 * MIN).found("V21", registry=registry)) == 1


@defect("every closure has its half hour of notice, also one that only prolongs the one before")
def test_an_order_that_is_prolonged_needs_no_new_notice() -> None:
    before, after = square("closure", 0), square("closure", 0)
    before.valid_from, before.valid_to, after.valid_from = T0 - 5 * HOUR, T0, T0
    registry = Registry([Row("A1", "C")], [before, after])
    assert len(Track(T0).drive(10 * MIN).found("V24", registry=registry)) == 1


@defect("the station that was left yesterday is forgotten at midnight")
def test_stops_outside_the_station_after_midnight_are_found() -> None:
    registry = Registry([Row("A1", "C")], [square("station", 0, south=24.999, north=25.001)])
    track = Track(at("23:55:00")).drive(6 * MIN, 1_000)
    for _ in range(3):
        track.stand(3 * MIN).drive(MIN, 2_000)
    assert len(track.found("V25", registry=registry)) == 1


@defect("gap 300 000: a coach that reports every 6 minutes has no run, however far it is from its route")
def test_a_coach_far_from_its_route_is_found_at_any_rhythm() -> None:
    papers = Papers({"assignments": {("A1", 2): [Paper("", T0 - HOUR, T0 + 9 * HOUR, {"route": "R"})]}})
    registry = Registry([Row("A1", "L")], papers=papers, routes=[Route("R", [[(115.0, 20.0), (115.0, 30.0)]])])
    track = Track(T0)
    for _ in range(20):
        track.gap(6 * MIN, 60_000)
    assert len(track.found("V18", registry=registry)) == 1
