"""What the terminals report at a moment: motion, rounded, with the noise of good receivers."""

from __future__ import annotations

import numpy as np

from ingest.fleet.chance import Chance, pick16
from ingest.fleet.columns import CLASSES, FIX, Floats, Ints, Rows
from ingest.fleet.lines import OPTIONAL
from ingest.fleet.motion import Moments, Motion
from ingest.fleet.roster import CARD, PAIR, Roster
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.tells import tell

LOCATED, ACC, LOADED, DOOR, SATELLITES = 0x2, 0x1, 0x300, 0x2000, 0x40000
_NOISE_DEG = 7.0 / 111200.0
_PLUS = np.asarray([shift.plus_kmh for shift in SHIFTS])
_BOARDING = np.asarray([shift.paper == "boarding" for shift in SHIFTS])
_WAITING = np.asarray([shift.paper == "stop" for shift in SHIFTS])
_HAZMAT = CLASSES.index("H")
_SHARE = np.asarray([0.8 if shift.kind == "V03" else 1.0 for shift in SHIFTS])


def _speed(roster: Roster, at: Moments, moved: Motion, noise: Floats) -> Floats:
    """Reported speed [km/h]: never above the true one by more than 0.5, at most 4 % below."""
    wave = 0.02 + 0.02 * np.sin(at.time / 37.0 + at.vehicle % 97)
    said = np.where(moved.speed > 4.0, moved.speed * (1.0 - wave) + noise - 0.5, moved.speed)
    said = np.where(at.driving, said, np.where(noise > 0.9, 1.5 * noise, 0.0))
    plus = _PLUS[roster.shift[at.vehicle]]
    held = np.minimum(moved.speed, moved.limit * _SHARE[roster.shift[at.vehicle]] + plus)
    return np.maximum(np.where((plus > 0) & at.driving, held, said), 0.0)


def _driver(roster: Roster, at: Moments) -> Ints:
    """Number of the driver whose card is in; 0 = none. Two drivers take turns, leg by leg."""
    turn = np.maximum(at.leg, 0) + (~at.driving & (at.leg >= 0) & (at.left < at.since))
    second = (turn % 2 == 1) & roster.has(PAIR)[at.vehicle]
    number = at.vehicle + 1 + second * len(roster)
    out = ~at.driving & (at.since > 1800) & (at.left > 600)
    return np.asarray(np.where(roster.has(CARD)[at.vehicle] & ~out, number, 0))


def fixes(chance: Chance, roster: Roster, at: Moments, moved: Motion, odometer: Floats, zero_ms: int) -> Rows:
    """Rows as a good terminal on a good network would send them.

    Parameters
    ----------
    chance, roster
        The fleet.
    at, moved
        Moments and the motion there, (m,).
    odometer : ndarray, (n,)
        Metres of every vehicle at the beginning of its period [m].
    zero_ms : int
        The run's first Beijing midnight [ms].

    Returns
    -------
    ndarray of FIX, (m,)
    """
    rows = np.zeros(len(at), FIX)
    words = chance.words("fix", at.vehicle, at.time)
    east, north, third, fourth = (pick16(words, k) for k in range(4))
    rows["vehicle"] = at.vehicle
    rows["time"] = at.time * 1000 + zero_ms
    rows["received"] = rows["time"] + (250.0 + 2200.0 * fourth).astype(np.int64)
    rows["lon"] = np.rint((moved.lon + (east - 0.5) * (_NOISE_DEG * 1.39)) * 1e6)
    rows["lat"] = np.rint((moved.lat + (north - 0.5) * _NOISE_DEG) * 1e6)
    speed = _speed(roster, at, moved, third)
    rows["speed"] = np.rint(speed * 10.0)
    rows["recorder"] = np.rint(np.maximum(speed + (speed > 3.0) * (1.6 * east - 0.6), 0.0) * 10.0)
    rows["heading"] = moved.heading.astype(np.int64) % 360
    rows["altitude"] = moved.altitude + 6.0 * north
    rows["mileage"] = (odometer[at.vehicle] + moved.metres) / 100.0
    rows["driver"] = _driver(roster, at)
    shift = roster.shift[at.vehicle].astype(np.int64)
    running = at.driving | (at.since < 300) | (at.left < 300) | _WAITING[shift]
    loaded = (roster.cls[at.vehicle] == _HAZMAT) & (at.leg % 2 == 0)
    boards = _BOARDING[shift] & at.driving & (speed < 1.0)
    rows["status"] = LOCATED | SATELLITES | np.where(running, ACC, 0)
    rows["status"] |= np.where(loaded, LOADED, 0) | np.where(boards, DOOR, 0)
    rows["alarm"] = np.where((speed > moved.limit + 3.0) & (at.vehicle % 3 > 0), 2, 0)
    tell(rows, shift, at, OPTIONAL["alarm"])
    return rows
