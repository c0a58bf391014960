"""Where the rules of V32-V34 accuse a lawful vehicle or let an unlawful one go.

Each test says what the law would want and is expected to fail while the rule stands as it is.
"""

from collections.abc import Sequence

from .fences import Fence
from .positions import Fix
from .registry import Registry, Row
from .replay import replay_fixes
from .test_reading_defects import defect
from .timetable import Call, Run, Stop, Timetable, Trip, finished
from .track import DEGREES_PER_DM, at

INF = float("inf")
EIGHT = 8 * 3_600_000


def found(kind: str, registry: Registry, way: Sequence[tuple[int, float, float]]) -> list[dict[str, object]]:
    """Episodes of a kind on a way north from 25 degrees: seconds after 08:00, metres, speed."""
    fixes = [
        Fix("A1", 2, at("08:00:00") + seconds * 1_000, 110.0, 25.0 + metres * 10 * DEGREES_PER_DM, speed)
        for seconds, metres, speed in way
    ]
    return [one for one in replay_fixes(fixes, registry).episodes if one["kind"] == kind]


def station(name: str, west: float, limit: float, since: float, until: float) -> Fence:
    """A station over some metres of the way."""
    south, north = (25.0 + metres * 10 * DEGREES_PER_DM for metres in (since, until))
    ring = [(west, south), (110.01, south), (110.01, north), (west, north), (west, south)]
    return Fence(name, "station", limit, "", [[ring]])


def timetable(*metres: float) -> Timetable:
    """One trip of A1, a minute from stop to stop, from 08:00 on."""
    stops = [Stop(f"s{n}", f"s{n}", 110.0, 25.0 + m * 10 * DEGREES_PER_DM, request=False) for n, m in enumerate(metres)]
    times = [EIGHT + n * 60_000 for n in range(len(stops))]
    calls = finished([Call(stop, time, time, request=False) for stop, time in zip(stops, times, strict=True)])
    run = Run(("A1", 2), "", "", frozenset(), frozenset(), -INF, INF)
    return Timetable([Trip("t", "r", 0, calls, [run])])


PARKED = [(second, 0.0, 0.0) for second in range(-1, 300, 10)]


@defect("a fix has one station: a bay with a fence of its own is outside of the station around it")
def test_a_coach_that_goes_to_another_bay_of_its_station_has_not_left_it() -> None:
    fences = [station("hall", 109.99, 30, -50, 1_000), station("bay", 109.999, 0, 100, 400)]
    way = [*PARKED, *((300 + n * 10, 40.0 * n, 15.0) for n in range(9)), (390, 320, 0.0)]
    assert found("V32", Registry([Row("A1", "L")], fences), way) == []


@defect("any halt within 80 m serves: one at a red light before the stop as well")
def test_a_bus_that_halts_at_a_light_70_m_before_its_stop_and_drives_past_is_found() -> None:
    way = [(n, n * 10.0, 36.0) for n in range(-1, 53)]
    way += [(53 + n, 530.0, 0.0) for n in range(10)]
    way += [(63 + n, 530 + n * 10.0, 36.0) for n in range(30)]
    assert len(found("V34", Registry([Row("A1", "B")], timetable=timetable(0, 600, 1_200)), way)) == 1


@defect("trips of vehicles without a fix are not judged, and V13 knows duties, not trips that name their vehicle")
def test_a_trip_of_a_bus_that_is_not_heard_all_day_is_missed() -> None:
    others = [Fix("A2", 2, at("00:00:00") + n * 600_000, 110.0, 25.0, 0.0) for n in range(144)]
    registry = Registry([Row("A1", "B"), Row("A2", "B")], timetable=timetable(0, 600, 1_200))
    episodes = replay_fixes(others, registry).episodes
    assert [one["kind"] for one in episodes if one["plate"] == "A1"]
