"""Metric: the rulebook's arithmetic of distance, jump and Beijing clock."""

from math import asin, cos, floor, radians, sin, sqrt

EARTH_M = 6_371_008.8
DAY = 86_400_000
HOUR = 3_600_000
ZONE = 8 * HOUR  # "Asia/Shanghai (UTC+8, no DST)"


def decimetres(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> int:
    """ "2R·asin√h in doubles ... rounded (half up) to whole decimetres".

    Degrees are turned into radians before anything is subtracted: where half a decimetre decides, order does.
    """
    phi_a, phi_b = radians(lat_a), radians(lat_b)
    across = sin((radians(lon_b) - radians(lon_a)) / 2)
    along = sin((phi_b - phi_a) / 2)
    h = along * along + cos(phi_a) * cos(phi_b) * across * across
    return floor(20 * EARTH_M * asin(sqrt(min(1.0, h))) + 0.5)


def jumps(dm: int, dt: int) -> bool:
    """ "A pair jumps if D > 5 000 and 360·D > 200·Δt"."""
    return dm > 5_000 and 360 * dm > 200 * dt


def is_night(t: int) -> bool:
    """ "local time in [22:00, 06:00)"."""
    clock = (t + ZONE) % DAY
    return clock >= 22 * HOUR or clock < 6 * HOUR


def night_of(t: int) -> int:
    """The 22:00 that begins the 24 hours t lies in; its night is the 8 hours after it."""
    return (t + ZONE - 22 * HOUR) // DAY * DAY + 22 * HOUR - ZONE


def overlap(start: int, end: int, begin: int, stop: int) -> int:
    """Milliseconds that [start, end) and [begin, stop) share."""
    return max(0, min(end, stop) - max(start, begin))


def night_cuts(start: int, end: int) -> list[tuple[int, int]]:
    """ "Drive parts are cut at 22:00 and 06:00": the pieces of [start, end) in time order."""
    pieces = []
    while start < end:
        evening = night_of(start)
        morning = evening + 8 * HOUR
        cut = min(end, morning if start < morning else evening + DAY)
        pieces.append((start, cut))
        start = cut
    return pieces
