"""What rules about places ask: passes, routes, fences nearby and ahead; and the warnings that come of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.found import Fact
from detectors.kind import Example
from detectors.packing import GONE
from detectors.places import near_fence, off_route, unpassed
from tests.detectors.rows import latest
from tests.drives import Course

NORTH = {"id": "R1", "points": ((87.3, 43.9), (87.3, 44.3))}
NO_GO = {"id": "N1", "kind": "hazmat_no_go", "box": (87.29, 44.1, 87.31, 44.12)}
ON_R1 = {"assignments": ({"route": "R1"},)}
DRIVE = Example(
    "north along R1",
    {"speed_kmh": (60,) * 40},
    every_s=30,
    raised=(),
    kind="H",
    fences=(NO_GO,),
    lines={"routes": (NORTH,)},
    papers=ON_R1,
)
"""From 44.0 in steps of 500 m, 0.0045 deg: the fence begins after 11 119.5 m and is left after 13 343 m."""


def warnings(folder: Path, example: Example, code: str = "V20", cuts: int = 1) -> list[tuple[int, float]]:
    """Index of the fix and distance [m] of each warning."""
    course = Course(folder, CATALOGUE[code], example)
    step = max(len(course.batch) // cuts, 1)
    rows = [course.judge(at, min(at + step, len(course.batch))) for at in range(0, len(course.batch), step)]
    found = [row for part in rows for row in part if row["fact"] == Fact.WARNED]
    assert all(row["severity"] == 0 and row["fence"] >= 0 for row in found)
    return [(int(np.searchsorted(course.batch.time_ms, row["begins_ms"])), row["distance_dm"] / 10) for row in found]


def back(step: int, turn: int) -> tuple[float, ...]:
    """Latitudes of a drive that turns back."""
    return tuple(44.0 + 0.0045 * (at if at <= turn else 2 * turn - at) for at in range(step))


def test_a_no_go_area_ahead_is_told_once(tmp_path: Path) -> None:
    (one,) = warnings(tmp_path / "a", DRIVE)
    assert one[0] == 3, "the first fix from which it is not farther than 10 km"
    assert one[1] == pytest.approx(11_119.5 - 1_500, abs=2)
    assert warnings(tmp_path / "b", DRIVE, cuts=40) == [one]


def test_who_has_no_route_or_is_off_it_is_not_warned(tmp_path: Path) -> None:
    assert not warnings(tmp_path / "a", replace(DRIVE, papers={}))
    far = {**DRIVE.columns, "lon": 87.307}  # 560 m
    assert not warnings(tmp_path / "b", replace(DRIVE, columns=far))
    close = {**DRIVE.columns, "lon": 87.306}  # 480 m
    assert len(warnings(tmp_path / "c", replace(DRIVE, columns=close))) == 1


def test_a_pass_and_the_class_of_the_fence_count(tmp_path: Path) -> None:
    held = {**ON_R1, "permits": ({"permit": "hazmat_pass", "fence": "N1"},)}
    assert not warnings(tmp_path / "a", replace(DRIVE, papers=held))
    ending = {**ON_R1, "permits": ({"permit": "hazmat_pass", "valid_to": "2026-03-02T08:03:01"},)}
    assert [at for at, _ in warnings(tmp_path / "b", replace(DRIVE, papers=ending))] == [7]
    assert not warnings(tmp_path / "c", replace(DRIVE, fences=({**NO_GO, "classes": "B"},)))
    assert not warnings(tmp_path / "d", replace(DRIVE, fences=({**NO_GO, "valid_from": "2026-03-03"},)))


def test_driving_away_from_it_is_no_approach_and_the_next_one_is_another(tmp_path: Path) -> None:
    turning = replace(DRIVE, columns={"speed_kmh": (60,) * 40, "lat": back(40, 10)})
    found = warnings(tmp_path / "a", turning)
    assert [at for at, _ in found] == [3]
    south = tuple(44.2 - 0.0045 * at for at in range(40))
    (one,) = warnings(tmp_path / "b", replace(DRIVE, columns={"speed_kmh": (60,) * 40, "lat": south}))
    assert one[0] == 1
    assert one[1] == pytest.approx((44.2 - 44.12 - 0.0045) * 111_195, abs=2), "from the north it has its other end"
    again = (*back(20, 10), *(44.0 + 0.0045 * at for at in range(1, 20)))
    there = warnings(tmp_path / "c", replace(DRIVE, columns={"speed_kmh": (60,) * 39, "lat": again}))
    assert [at for at, _ in there] == [3, 22]


def test_two_areas_one_behind_the_other(tmp_path: Path) -> None:
    second = {**NO_GO, "id": "N2", "box": (87.29, 44.15, 87.31, 44.16)}
    found = warnings(tmp_path, replace(DRIVE, fences=(NO_GO, second)))
    assert [at for at, _ in found] == [3, 27]


def test_standing_still_changes_nothing(tmp_path: Path) -> None:
    lat = (*(44.0 + 0.0045 * at for at in range(6)), *[44.0225] * 5, *(44.027 + 0.0045 * at for at in range(5)))
    speed = (*[60] * 5, *[0] * 6, *[60] * 5)
    assert [at for at, _ in warnings(tmp_path, replace(DRIVE, columns={"speed_kmh": speed, "lat": lat}))] == [3]


def test_a_closure_ahead(tmp_path: Path) -> None:
    shut = {**NO_GO, "kind": "closure", "valid_from": "2026-03-02T08:02:30", "valid_to": "2026-03-02T20:00:00"}
    coach = replace(DRIVE, fences=(shut,), kind="L")
    assert [at for at, _ in warnings(tmp_path / "a", coach, "V24")] == [5]
    passed = {**ON_R1, "permits": ({"permit": "closure_pass", "fence": "N1"},)}
    assert not warnings(tmp_path / "b", replace(coach, papers=passed), "V24")


@pytest.mark.parametrize("named", [("N1", 0), ("N2", 0), ("", -1), ("N3", 0)])
def test_a_fix_in_two_areas_of_which_one_is_passed(tmp_path: Path, named: tuple[str, int]) -> None:
    around = {**NO_GO, "box": (87.2, 43.9, 87.4, 44.1)}
    example = replace(
        DRIVE,
        columns={"speed_kmh": (0,) * 3},
        fences=(around, {**around, "id": "N2"}),
        papers={"permits": ({"permit": "hazmat_pass", "fence": named[0]}, {"permit": "detour"})},
    )
    course = Course(tmp_path, CATALOGUE["V20"], example)
    fence = unpassed(course.enriched(0, 3), "hazmat_no_go", "hazmat_pass")
    expected = {"N1": 1, "N2": 0}.get(named[0], named[1])
    assert fence.tolist() == [expected] * 3


def enriched(folder: Path, **changes: Any) -> Any:
    course = Course(folder, CATALOGUE["V18"], replace(DRIVE, columns={"speed_kmh": (0,) * 2, "lon": 87.31}, **changes))
    return course.enriched(0, 2)


def test_the_nearest_of_the_routes_counts_and_one_that_is_not_drawn_hides_all(tmp_path: Path) -> None:
    other = {"id": "R2", "points": ((87.305, 43.9), (87.305, 44.3))}
    both = {"routes": (NORTH, other)}
    old = {"routes": (NORTH, {**other, "valid_to": "2026-01-01"})}
    two = {"assignments": ({"route": "R1"}, {"route": "R2"})}
    far, near = (
        round(0.01 * 111_195 * 10 * np.cos(np.radians(44))),
        round(0.005 * 111_195 * 10 * np.cos(np.radians(44))),
    )
    assert off_route(enriched(tmp_path / "a"))[0][0] == pytest.approx(far, abs=1)
    assert off_route(enriched(tmp_path / "b", lines=both, papers=two))[0][0] == pytest.approx(near, abs=1)
    assert off_route(enriched(tmp_path / "c", lines=old, papers=two))[0][0] == -1
    assert off_route(enriched(tmp_path / "d", papers={}))[0][0] == -1
    late = {"assignments": ({"route": "R1", "valid_from": "2026-03-02T08:00:30"},)}
    assert off_route(enriched(tmp_path / "e", papers=late))[0].tolist() == [-1, pytest.approx(far, abs=1)]
    past = {"assignments": ({"route": "R1"}, {"route": "R2", "valid_from": "2026-01-01", "valid_to": "2026-02-01"})}
    assert off_route(enriched(tmp_path / "f", papers=past))[0][0] == pytest.approx(far, abs=1)
    assert off_route(enriched(tmp_path / "g", kind="T"))[0][0] == -1, "taxis have no routes"


def test_near_a_fence_its_class_and_its_time_count(tmp_path: Path) -> None:
    box = {"id": "P1", "kind": "parking", "box": (87.311, 43.99, 87.32, 44.01)}  # 80 m to the east
    inside = {**box, "box": (87.30, 43.99, 87.32, 44.01)}
    for name, fences, within, expected in (
        ("near", (box,), 1_000, True),
        ("far", (box,), 700, False),
        ("inside", (inside,), 0, True),
        ("class", ({**box, "classes": "L"},), 1_000, False),
        ("time", ({**box, "valid_to": "2026-03-01"},), 1_000, False),
        ("kind", ({**box, "kind": "depot"},), 1_000, False),
        ("none", (), 1_000, False),
        ("second", ({**box, "id": "P2", "box": (88, 44, 89, 45)}, box), 1_000, True),
    ):
        batch = enriched(tmp_path / name, fences=fences)
        kinds, all_rows = ("parking", "rest_area"), np.ones(2, np.bool_)
        found = near_fence(batch, kinds, all_rows, np.full(2, within))
        assert found.tolist() == [expected] * 2, name
        assert not near_fence(batch, kinds, ~all_rows, np.full(2, within)).any()


def test_a_freight_vehicle_that_is_long_away(tmp_path: Path) -> None:
    """As for a month, with a month that is an hour long."""
    home = {"id": "652301", "kind": "county", "box": (87.0, 43.5, 87.5, 44.05)}
    example = Example(
        "away", {"speed_kmh": (0,) * 30, "lat": (44.1,) * 30}, every_s=300, raised=(), kind="F", fences=(home,),
        registered={"area": "652301"},
    )  # fmt: skip
    assert not len(Course(tmp_path / "a", CATALOGUE["V22"], example).judge(0, 30))
    hour = replace(CATALOGUE["V22"], limits={**CATALOGUE["V22"].limits, "away_ms": 3_600_000})
    (row,) = latest(Course(tmp_path / "b", hour, example).judge(0, 30))
    assert row["raised_ms"] - row["begins_ms"] == 3_900_000, "the first fix past the hour"
    assert hour.measures(row)["area"] == "away"


def test_a_route_that_only_state_remembers_is_not_drawn(tmp_path: Path) -> None:
    """The same whether a partition came over from another registry or not: an assignment to it says nothing."""
    columns = {**DRIVE.columns, "lon": 87.3125}
    far = replace(DRIVE, title="far off", columns=columns, fences=(), papers={"assignments": ({"route": "R9"},)})
    course = Course(tmp_path, CATALOGUE["V18"], far)
    routes = course.engine.registry.routes
    routes.append(replace(routes[0], id="R9", kind=GONE, from_ms=0, to_ms=0, shape=None))
    assert not len(course.judge(0, len(course.batch)))
    assert len(course.engine.lookup.ways.assigned.route) == 0
