"""Gate: rulebook §2, the five steps, per vehicle, in arrival order."""

from dataclasses import dataclass

from .metric import HOUR, decimetres, jumps
from .positions import Fix

UNQUALIFIED = "unqualified"
NO_FIX = "no_fix"
BACKFILL = "backfill"
DUPLICATE = "duplicate"
LATE = "late"
UNCONFIRMED = "unconfirmed"
DRIFT = "drift"


@dataclass(slots=True)
class Accepted:
    """A fix that passed: everything the gate asked for is there."""

    t: int
    lon: float
    lat: float
    speed: float
    driver: str | None
    status: int | None = None


class Gate:
    """The gate of one vehicle."""

    def __init__(self) -> None:
        self.last: int | None = None  # "the time of the vehicle's last *located* fix"
        self.candidate: int | None = None
        self.accepted: Accepted | None = None

    def take(self, fix: Fix) -> Accepted | str:
        """The accepted fix, or the reason why it is not."""
        found = qualified(fix)
        if found is None:
            return UNQUALIFIED
        if fix.status is not None and fix.status & 0x2 == 0:
            return NO_FIX
        if fix.backfill:
            return BACKFILL
        reason = self.against_last(found.t)
        if reason is not None:
            return reason
        self.last, self.candidate = found.t, None  # "A located fix clears the candidate"
        if self.accepted is not None:
            dt = found.t - self.accepted.t
            dm = decimetres(self.accepted.lon, self.accepted.lat, found.lon, found.lat)
            if dt <= 180_000 and jumps(dm, dt):
                return DRIFT
        self.accepted = found
        return found

    def against_last(self, t: int) -> str | None:
        """Step 4; None when located."""
        if self.last is not None:
            if t == self.last:
                return DUPLICATE
            if t < self.last:
                return LATE
            if t - self.last <= HOUR:
                return None
        if self.candidate is not None and 0 < t - self.candidate <= HOUR:
            return None
        self.candidate = t
        return UNCONFIRMED


def qualified(fix: Fix) -> Accepted | None:
    """Step 1. NaN (unreadable) lies in no range."""
    t, lon, lat, speed = fix.time, fix.lon, fix.lat, fix.speed_kmh
    if t is None or lon is None or lat is None or speed is None:
        return None
    if not (73.55 <= lon <= 135.0833 and 3.85 <= lat <= 53.55 and 0 <= speed <= 200):
        return None
    if fix.altitude_m is not None and not -200 <= fix.altitude_m <= 6500:
        return None
    if fix.heading_deg is not None and not 0 <= fix.heading_deg <= 360:  # "360 is read as 0"
        return None
    if fix.received is not None and t > fix.received + 60_000:
        return None
    return Accepted(t, lon, lat, speed, fix.driver, fix.status)
