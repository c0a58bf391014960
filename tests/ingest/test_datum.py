"""Datums of Chinese maps: forward as everybody computes it, back without an error worth the name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import Float64
from ingest.datum import to_bd09, to_gcj02, to_wgs84

TENTH_OF_A_METRE_DEG = 0.1 / 111_320


def at(lon: float, lat: float) -> tuple[Float64, Float64]:
    return np.array([lon]), np.array([lat])


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [  # published with the implementations eviltransform and coordtransform
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
        ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
    ],
)
def test_what_others_compute(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    np.testing.assert_allclose(np.ravel(to_gcj02(*at(*wgs84))), gcj02, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.ravel(to_wgs84(*at(*gcj02), "gcj02")), wgs84, rtol=0, atol=1e-9)


def test_baidu() -> None:
    """116.404, 39.915 in GCJ-02 is 116.41036949371029, 39.92133699351021 in BD-09, says coordtransform."""
    place = to_wgs84(*at(116.404, 39.915), "gcj02")
    np.testing.assert_allclose(np.ravel(to_bd09(*place)), (116.41036949371029, 39.92133699351021), rtol=0, atol=1e-9)


@given(st.floats(72.1, 137.7), st.floats(0.9, 55.8), st.sampled_from(("gcj02", "bd09")))
def test_there_and_back(lon: float, lat: float, datum: str) -> None:
    there = (to_gcj02 if datum == "gcj02" else to_bd09)(*at(lon, lat))
    back = np.ravel(to_wgs84(*there, datum))
    assert np.abs(back - (lon, lat)).max() < TENTH_OF_A_METRE_DEG / 1000
    shift = np.hypot(*(np.ravel(there) - (lon, lat)))
    assert 1e-6 < shift < 0.03, "it is shifted, by less than some kilometres"


def test_outside_china_nothing_is_shifted_and_many_are_converted_at_once() -> None:
    lon, lat = np.array([2.35, 87.3, 105.0, -70.0]), np.array([48.85, 44.0, 35.0, -33.0])
    shifted = to_gcj02(lon, lat)
    assert (shifted[0] != lon).tolist() == [False, True, True, False]
    back = to_wgs84(*shifted, "gcj02")
    np.testing.assert_allclose(back, (lon, lat), rtol=0, atol=1e-9)
    assert to_wgs84(lon, lat, "wgs84") == (lon, lat)
    assert len(to_wgs84(lon[:0], lat[:0], "bd09")[0]) == 0


@pytest.mark.filterwarnings("error")
def test_what_are_no_degrees_stays() -> None:
    """Whoever reads it refuses it for what it is."""
    lon, lat = np.array([1e300, 87.3, 200.0]), np.array([44.0, -1e308, 44.0])
    for datum in ("gcj02", "bd09"):
        there = to_wgs84(lon, lat, datum)
        assert (there[0].tolist(), there[1].tolist()) == (lon.tolist(), lat.tolist())
