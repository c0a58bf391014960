"""Distances from lines against a plain reading of the formula, and against the sphere."""

import math
from itertools import pairwise
from random import Random

import pytest
import shapely

import detectors.lines as module
from detectors.lines import FAN, Lines, around, close_by, lines_of, nearest, stretches
from ingest.geodesy import distance_dm
from tests.plain import interpret

R = 6_371_008.8
Point = tuple[float, float]


def plain(line: list[Point], lon: float, lat: float) -> tuple[int, int]:
    """Distance and place along a line [dm], as the docstring of `detectors.lines` has it."""
    k = R * math.pi / 180
    best, found, before = math.inf, 0, 0
    for a, b in pairwise(line):
        (ax, ay), (bx, by) = (((x - lon) * k * math.cos(math.radians(lat)), (y - lat) * k) for x, y in (a, b))
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        t = max(0.0, min(1.0, -(ax * dx + ay * dy) / square)) if square else 0.0
        apart = (ax + t * dx) ** 2 + (ay + t * dy) ** 2
        length = distance_dm(*a, *b)
        if apart < best:
            best, found = apart, before + math.floor(t * length + 0.5)
        before += length
    return math.floor(math.sqrt(best) * 10 + 0.5), found


def walk(random: Random, points: int) -> list[Point]:
    """A line that wanders, and sometimes stands still."""
    lon, lat, line = 87.0, 44.0, []
    for _ in range(points):
        line.append((lon, lat))
        if random.random() > 0.05:
            lon, lat = lon + random.uniform(-0.002, 0.01), lat + random.uniform(-0.005, 0.005)
    return line


@pytest.mark.parametrize("points", [2, FAN, FAN + 1, FAN + 2, FAN**2, FAN**2 + 2, 1_500])
@pytest.mark.parametrize("compiled", [True, False])
def test_every_point_finds_its_nearest_segment(monkeypatch: pytest.MonkeyPatch, points: int, *, compiled: bool) -> None:
    random = Random(points)
    line = walk(random, points)
    lines = lines_of([shapely.LineString(walk(random, 40)), shapely.LineString(line)])
    if not compiled:
        interpret(monkeypatch)
    for _ in range(300 if compiled else 30):
        lon, lat = random.choice(line)
        spread = random.choice((0.0, 0.001, 0.02, 1.0))
        lon, lat = lon + random.gauss(0, spread), lat + random.gauss(0, spread)
        off, along, _ = module.nearest(lines, 1, lon, lat, random.choice((-1, random.randrange(len(lines.ends)))))
        expected = plain(line, lon, lat)
        assert abs(off - expected[0]) <= (0 if spread else 1)
        if spread:
            assert abs(along - expected[1]) <= 1


def test_metres_are_metres() -> None:
    """Less than half a percent off the sphere, within 10 km and at the latitudes of the country."""
    for lat in (18.0, 30.0, 44.0, 53.0):
        north = lines_of([shapely.LineString([(87.0, lat - 1), (87.0, lat + 1)])])
        east = lines_of([shapely.LineString([(86.9, lat), (87.1, lat)])])
        for metres in (50.0, 500.0, 10_000.0):
            lon = 87.0 + math.degrees(metres / R / math.cos(math.radians(lat)))
            off = nearest(north, 0, lon, lat)[0]
            assert abs(off / distance_dm(87.0, lat, lon, lat) - 1) < 0.005
            above = lat + math.degrees(metres / R)
            assert abs(nearest(east, 0, 87.0, above)[0] / distance_dm(87.0, lat, 87.0, above) - 1) < 0.005


def test_parts_follow_one_another_and_areas_are_their_boundaries() -> None:
    parts = [[(87.0, 44.0), (87.1, 44.0)], [(87.2, 44.0), (87.3, 44.0)]]
    block = shapely.Polygon(
        [(87.0, 44.0), (87.1, 44.0), (87.1, 44.1), (87.0, 44.1)],
        [[(87.04, 44.04), (87.06, 44.04), (87.06, 44.06), (87.04, 44.06)]],
    )
    lines = lines_of([shapely.MultiLineString(parts), block])
    first = distance_dm(87.0, 44.0, 87.1, 44.0)
    assert nearest(lines, 0, 87.2, 44.0)[:2] == (0, first)
    assert nearest(lines, 0, 87.15 + 1e-6, 44.0)[1] == first
    assert nearest(lines, 1, 87.05, 44.05)[0] == pytest.approx(
        0.01 * 111_195 * 10 * math.cos(math.radians(44.05)), rel=0.001
    )
    assert nearest(lines, 1, 87.0, 44.03)[0] == 0
    assert around(lines, 1, 87.02, 44.02)
    assert not around(lines, 1, 87.05, 44.05), "in the hole"
    assert not around(lines, 1, 86.99, 44.05)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_close_by_is_so_for_certain(seed: int) -> None:
    random = Random(seed)
    line = walk(random, 200)
    lines, found = lines_of([shapely.LineString(line)]), 0
    for _ in range(500):
        hint, within = random.randrange(199), random.choice((100, 1_000))
        lon, lat = line[min(198, hint + random.choice((0, 3)))]
        lon, lat = lon + random.gauss(0, 0.0005), lat + random.gauss(0, 0.0005)
        if close_by(lines, 0, lon, lat, hint, within) >= 0:
            found += 1
            assert plain(line, lon, lat)[0] <= within
    assert 50 < found < 500
    assert close_by(lines, 0, *line[0], -1, 1_000) == -1
    assert close_by(lines, 0, *line[0], 199, 1_000) == -1


def test_no_line_at_all() -> None:
    lines: Lines = lines_of([])
    assert len(lines.ends) == 0
    assert lines.first.tolist() == [0]


def test_a_place_that_is_gone_has_no_line() -> None:
    line = shapely.LineString([(87.0, 44.0), (87.1, 44.0)])
    lines = lines_of([line, None, line])
    assert lines.first.tolist() == [0, 1, 1, 2]


def test_stretches_inside_areas() -> None:
    """A road of three segments through two boxes, one of which holds a bend."""
    road = [(87.0, 44.0), (87.1, 44.0), (87.2, 44.0), (87.3, 44.0)]
    lines = lines_of([shapely.LineString(road[::-1]), shapely.LineString(road)])
    per_deg = distance_dm(87.0, 44.0, 87.1, 44.0) / 0.1
    boxes = [shapely.box(87.05, 43.9, 87.15, 44.1), shapely.box(87.25, 43.9, 87.28, 44.1), shapely.box(88, 43, 89, 45)]
    found = stretches(lines, 1, boxes)
    assert [which for *_, which in found] == [0, 1]
    for (low, high, _), (begin, end) in zip(found, [(0.05, 0.15), (0.25, 0.28)], strict=True):
        assert low == pytest.approx(begin * per_deg, abs=3)
        assert high == pytest.approx(end * per_deg, abs=3)
    back = stretches(lines, 0, boxes[:1])
    assert back[0][0] == pytest.approx(0.15 * per_deg, abs=3)


def test_a_line_that_enters_an_area_twice() -> None:
    road = [(87.0, 44.0), (87.1, 44.0), (87.1, 44.2), (87.0, 44.2)]
    found = stretches(lines_of([shapely.LineString(road)]), 0, [shapely.box(86.9, 43.9, 87.05, 44.3)])
    assert len(found) == 2
    assert found[0][0] == 0
    assert found[0][1] < found[1][0]
