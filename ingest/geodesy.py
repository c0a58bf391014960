"""Distance on the sphere, in whole decimetres, as the rulebook's arithmetic fixes it."""

import math

from ingest.kernel import kernel

EARTH_RADIUS_M = 6_371_008.8


@kernel
def distance_dm(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> int:
    """Haversine distance of two WGS-84 points, rounded half up to whole decimetres.

    Parameters
    ----------
    lon_a, lat_a, lon_b, lat_b : float
        Finite coordinates [deg].

    Returns
    -------
    int
        Distance [dm].

    Source: rulebook, Arithmetic (2R·asin√h in doubles, R = 6 371 008.8 m).
    """
    if lon_a == lon_b and lat_a == lat_b:
        return 0
    half_lat = math.sin((math.radians(lat_b) - math.radians(lat_a)) / 2.0)
    half_lon = math.sin((math.radians(lon_b) - math.radians(lon_a)) / 2.0)
    h = half_lat * half_lat + math.cos(math.radians(lat_a)) * math.cos(math.radians(lat_b)) * half_lon * half_lon
    metres = 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))
    return math.floor(metres * 10.0 + 0.5)


@kernel
def jumps(dm: int, dt_ms: int) -> bool:
    """Tell whether a pair is farther apart than any vehicle moves: over 500 m and over 200 km/h.

    Source: rulebook, Arithmetic.
    """
    return dm > 5_000 and 360 * dm > 200 * dt_ms
