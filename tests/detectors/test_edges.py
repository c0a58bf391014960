"""Sides of boundaries against GEOS, on and beside every vertex and edge."""

import math

import numpy as np
import pytest
import shapely

from detectors.edges import INSIDE, OUTSIDE, UNSURE, edges_of, sides
from tests.detectors.test_zones import scattered
from tests.plain import interpret


def asked(shapes: list[shapely.Geometry], lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the edges say of every pair of point and shape, and what GEOS says."""
    rows, members = np.divmod(np.arange(len(lon) * len(shapes)), len(shapes))
    found = sides(edges_of(shapes), np.column_stack([rows, members]).astype(np.int32), lon, lat)
    return found, shapely.intersects_xy(np.array(shapes)[members], lon[rows], lat[rows])


def beside(points: np.ndarray) -> np.ndarray:
    """The points, and those one step of a double away from each in eight directions."""
    every = [points]
    for east in (-math.inf, 0.0, math.inf):
        for north in (-math.inf, 0.0, math.inf):
            lon = np.nextafter(points[:, 0], east) if east else points[:, 0]
            every.append(np.column_stack([lon, np.nextafter(points[:, 1], north) if north else points[:, 1]]))
    return np.concatenate(every)


@pytest.mark.parametrize("seed", range(6))
def test_where_an_answer_is_given_it_is_that_of_geos(seed: int) -> None:
    random = np.random.default_rng(seed)
    shapes = [
        *scattered(random, 12),
        shapely.box(87.25, 44.25, 87.75, 44.5),
        shapely.box(87.1, 44.1, 87.1 + 1e-9, 44.9),
    ]
    corners = np.concatenate([shapely.get_coordinates(one) for one in shapes])
    corners = corners[random.permutation(len(corners))[:300]]
    middles = np.concatenate([(at[:-1] + at[1:]) / 2 for at in map(shapely.get_coordinates, shapes)])
    middles = middles[random.permutation(len(middles))[:300]]
    level = np.column_stack([random.uniform(86.9, 88.1, 300), corners[:, 1]])
    scattering = random.uniform((86.9, 43.9), (88.1, 45.1), (1_000, 2))
    points = np.concatenate([beside(corners), beside(middles), level, scattering])
    found, expected = asked(shapes, points[:, 0].copy(), points[:, 1].copy())
    sure = found != UNSURE
    assert (found[sure] == np.where(expected[sure], INSIDE, OUTSIDE)).all()
    assert sure[-1_000 * len(shapes) :].all()
    assert (~sure).sum() < len(found) / 50


def test_kernels_run_by_the_interpreter_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(9)
    shapes = scattered(random, 6)
    lon, lat = random.uniform(86.9, 88.1, 200), random.uniform(43.9, 45.1, 200)
    compiled, expected = asked(shapes, lon, lat)
    assert 0 < expected.sum() < len(expected)
    interpret(monkeypatch)
    monkeypatch.setitem(globals(), "sides", sides.py_func)  # type: ignore[attr-defined]
    assert asked(shapes, lon, lat)[0].tolist() == compiled.tolist()
