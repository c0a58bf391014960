import math
from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from detectors.zones import Zones
from ingest.fences import ALL_CLASSES, Fence
from ingest.moment import ALWAYS_FROM_MS, ALWAYS_TO_MS
from ingest.registry import CLASSES

Shape = Any


def fence(shape: Shape, limit_kmh: float = math.nan, classes: str = ALL_CLASSES, **dated: int) -> Fence:
    span = {"from_ms": ALWAYS_FROM_MS, "to_ms": ALWAYS_TO_MS} | dated
    return Fence("f", "", "road", limit_kmh, classes, span["from_ms"], span["to_ms"], shape)


def scattered(random: np.random.Generator, count: int) -> list[Shape]:
    """Polygons of many sizes: discs, rings, corridors and groups, overlapping as they like."""
    shapes: list[Shape] = []
    for _ in range(count):
        centre = shapely.points(random.uniform(87, 88), random.uniform(44, 45))
        radius = 10 ** random.uniform(-4, -0.5)
        disc = centre.buffer(radius)
        line = shapely.linestrings(random.uniform((87, 44), (88, 45), (4, 2))).buffer(radius / 20)
        group = shapely.unary_union([disc, shapely.transform(disc, lambda at, by=radius: at + 3 * by)])
        shapes.append((disc, disc.difference(centre.buffer(radius / 2)), line, group)[random.integers(4)])
    return shapes


def brute(fences: list[Fence], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[list[float], list[int]]:
    """Least limit and its first fence, point by point."""
    limits, firsts = [], []
    for point in shapely.points(lon, lat):
        holding = [(one.limit_kmh, at) for at, one in enumerate(fences) if one.shape.intersects(point)]
        limit, first = min(holding, default=(math.inf, -1))
        limits.append(limit)
        firsts.append(first)
    return limits, firsts


@pytest.mark.parametrize("seed", range(4))
def test_the_grid_agrees_with_testing_every_fence(seed: int) -> None:
    random = np.random.default_rng(seed)
    fences = [fence(shape, float(random.choice([30, 40, 60]))) for shape in scattered(random, 40)]
    corners = np.concatenate([shapely.get_coordinates(one.shape)[:5] for one in fences])
    lon = np.concatenate([random.uniform(86.9, 88.1, 1_500), corners[:, 0], [math.nan, math.inf, -180.0]])
    lat = np.concatenate([random.uniform(43.9, 45.1, 1_500), corners[:, 1], [44.5, 44.5, 44.5]])
    kind = np.zeros(len(lon), np.uint8)
    found = Zones(fences).least("road", lon, lat, np.zeros(len(lon), np.int64), kind)
    limits, firsts = brute(fences, lon[:-3], lat[:-3])
    assert found.limit_kmh[:-3].tolist() == limits
    assert found.fence[:-3].tolist() == firsts
    assert found.fence[-3:].tolist() == [-1, -1, -1]
    assert len(set(firsts)) > 20


def test_the_boundary_is_inside_and_a_hole_outside_up_to_its_own_boundary() -> None:
    square = shapely.box(87, 44, 87.1, 44.1).difference(shapely.box(87.03, 44.03, 87.06, 44.06))
    at = [(87, 44), (87.1, 44.1), (87.05, 44), (87.1, 44.07), (87.045, 44.045), (87.03, 44.04), (87.1000001, 44.05)]
    lon, lat = np.array(at, np.float64).T
    found = Zones([fence(square, 60)]).least("road", lon, lat, np.zeros(7, np.int64), np.zeros(7, np.uint8))
    assert (found.fence == 0).tolist() == [True, True, True, True, False, True, False]


def test_fences_are_dated_and_for_classes() -> None:
    box = shapely.box(87, 44, 88, 45)
    zones = Zones([fence(box, 60, "LC", to_ms=1_000), fence(box, 40, "H", from_ms=500)])
    letters, times = "LLLCHHBT", np.array([-5, 999, 1_000, 0, 499, 500, 600, 600])
    kind = np.array([CLASSES.index(letter) for letter in letters] + [len(CLASSES)], np.uint8)
    time_ms = np.append(times, 600)
    found = zones.least("road", np.full(9, 87.5), np.full(9, 44.5), time_ms, kind)
    assert found.fence.tolist() == [0, 0, -1, 0, -1, 1, -1, -1, -1]
    assert found.limit_kmh[:2].tolist() == [60, 60]
    assert zones.least("speed", np.full(9, 87.5), np.full(9, 44.5), time_ms, kind).fence.tolist() == [-1] * 9


def test_many_large_fences_take_larger_cells() -> None:
    fences = [fence(shapely.box(80 + at / 1_000, 40, 85, 45), 60.0) for at in range(300)]
    grid = Zones(fences).grid("road")
    assert grid is not None
    assert grid.cells < 512
    assert len(grid.member) < 20_000_000
    found = grid.least(np.array([84.0, 80.0]), np.array([44.0, 44.0]), np.zeros(2, np.int64), np.zeros(2, np.uint8))
    assert found.fence.tolist() == [0, 0]
