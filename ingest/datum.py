"""Datum: coordinates of Chinese maps, GCJ-02 and BD-09, turned into WGS-84.

GCJ-02 shifts WGS-84 by a smooth function of the place, BD-09 shifts GCJ-02 once more; outside a box around China
nothing is shifted. The functions forward are published nowhere officially but agreed upon by all implementations; the
way back is found by iteration, to a hundredth of a millimetre where the way forward is what the source used.

Source: docs/decisions/0014-registry.md.
"""

import numpy as np

from ingest.batch import Float64

DATUMS = ("wgs84", "gcj02", "bd09")

_AXIS_M, _ECCENTRICITY2 = 6_378_245.0, 0.00669342162296594323
_BD_TURN = np.pi * 3000.0 / 180.0
_ENOUGH_DEG = 1e-10
_ROUNDS = 30


def _waves(x: Float64, *parts: tuple[float, float]) -> Float64:
    found: Float64 = sum((size * np.sin(x * np.pi * turns) for size, turns in parts), np.zeros_like(x)) * 2.0 / 3.0
    return found


def to_gcj02(lon: Float64, lat: Float64) -> tuple[Float64, Float64]:
    """Shift places, (n,) [deg], from WGS-84 to GCJ-02."""
    x, y = lon - 105.0, lat - 35.0
    both = _waves(x, (20.0, 6.0), (20.0, 2.0))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + both
    north += _waves(y, (20.0, 1.0), (40.0, 1 / 3), (160.0, 1 / 12), (320.0, 1 / 30))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + both
    east += _waves(x, (20.0, 1.0), (40.0, 1 / 3), (150.0, 1 / 12), (300.0, 1 / 30))
    angle = np.radians(lat)
    magic = 1.0 - _ECCENTRICITY2 * np.sin(angle) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY2) / magic**1.5
    parallel_m = _AXIS_M / np.sqrt(magic) * np.cos(angle)
    china = (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)
    return (
        np.where(china, lon + np.degrees(east / parallel_m), lon),
        np.where(china, lat + np.degrees(north / meridian_m), lat),
    )


def to_bd09(lon: Float64, lat: Float64) -> tuple[Float64, Float64]:
    """Shift places, (n,) [deg], from WGS-84 to BD-09."""
    x, y = to_gcj02(lon, lat)
    far = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_TURN)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_TURN)
    return far * np.cos(angle) + 0.0065, far * np.sin(angle) + 0.006


def to_wgs84(lon: Float64, lat: Float64, datum: str) -> tuple[Float64, Float64]:
    """Turn places, (n,) [deg], of a datum of `DATUMS` into WGS-84; what are no degrees stays as it is."""
    if datum == "wgs84":
        return lon, lat
    forward = {"gcj02": to_gcj02, "bd09": to_bd09}[datum]
    degrees = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
    given_lon, given_lat = np.where(degrees, lon, 0.0), np.where(degrees, lat, 0.0)
    found_lon, found_lat = given_lon.copy(), given_lat.copy()
    for _ in range(_ROUNDS):
        there_lon, there_lat = forward(found_lon, found_lat)
        off_lon, off_lat = given_lon - there_lon, given_lat - there_lat
        found_lon, found_lat = found_lon + off_lon, found_lat + off_lat
        if not (np.abs(off_lon).max(initial=0) > _ENOUGH_DEG or np.abs(off_lat).max(initial=0) > _ENOUGH_DEG):
            break
    return np.where(degrees, found_lon, lon), np.where(degrees, found_lat, lat)
