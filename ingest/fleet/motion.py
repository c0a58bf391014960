"""Where vehicles are at given times: a function of the plan, not a simulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.fleet.columns import Floats, Ints, Mask
from ingest.fleet.plan import LEGS, Plan
from ingest.fleet.roster import SLEEPS, Roster
from ingest.fleet.tracks import STEP_S, Tracks

HEARTBEAT_S = 240
_LANE_DEG = 6.0 / 111200.0
_FIELDS = ("vehicle", "time", "leg", "driving", "since", "left")


@dataclass
class Moments:
    """Fixes to be taken, (m,).

    Parameters
    ----------
    vehicle, time : ndarray
        Which, when [s].
    leg : ndarray
        Latest leg begun; -1 = none yet.
    driving : ndarray of bool
        Whether the leg is under way.
    since, left : ndarray
        Time since the leg began or, standing, since it ended; until it ends or, standing, the next one
        begins [s].
    """

    vehicle: Ints
    time: Ints
    leg: Ints
    driving: Mask
    since: Ints
    left: Ints

    def __len__(self) -> int:
        return len(self.vehicle)

    def take(self, which: Mask) -> Moments:
        """Some of them."""
        return Moments(*(getattr(self, name)[which] for name in _FIELDS))


def moments(roster: Roster, plan: Plan, begin: int, end: int, who: Ints) -> Moments:
    """Every fix that the terminals of some vehicles take in [begin, end) [s], by vehicle, then time.

    On the way a fix is taken at every sample; standing, four minutes apart, and
    around the ends of a leg at every sample again. Some terminals sleep.
    """
    every, phase = roster.every[who].astype(np.int32), roster.phase[who].astype(np.int32)
    first = -((phase - begin) // every)
    many = -((phase - end) // every) - first
    own = np.repeat(np.arange(len(who)), many)
    count = np.arange(len(own)) - np.repeat(np.cumsum(many) - many, many)
    sample = first[own] + count
    vehicle, step = who[own], every[own]
    time = sample * step + phase[own]
    leg = np.full(len(vehicle), -1)
    for k in range(LEGS):
        begun = plan.begin[k][vehicle] <= time
        if not begun.any():
            break
        leg += begun
    start, stop = plan.begin[leg, vehicle], plan.end[leg, vehicle]
    none = leg < 0
    driving = ~none & (time < stop)
    since = np.where(none, 10**6, np.where(driving, time - start, time - stop))
    left = np.where(driving, stop, plan.begin[leg + 1, vehicle]).astype(np.int64) - time
    near = (since <= 2 * step) | (left <= 4 * step)
    asleep = roster.has(SLEEPS)[vehicle] & (since.astype(np.int64) + left > 7200)
    beat = (sample % (HEARTBEAT_S // step) == 0) & ~asleep
    every_one = Moments(vehicle, time.astype(np.int64), leg, driving, since.astype(np.int64), left)
    return every_one.take(driving | near | beat)


@dataclass
class Motion:
    """Where and how fast, (m,).

    Parameters
    ----------
    lon, lat : ndarray
        [deg]
    speed, limit : ndarray
        [km/h]
    heading, altitude, metres : ndarray
        [deg], [m], driven in the period [m].
    hole : ndarray
        0, TUNNEL or DESERT.
    ahead : ndarray
        Time until the hole ends [s].
    """

    lon: Floats
    lat: Floats
    speed: Floats
    limit: Floats
    heading: Floats
    altitude: Floats
    metres: Floats
    hole: Ints
    ahead: Floats


def _risen(x: Floats, ramp: Floats) -> Floats:
    """Integral of a rate that rises from 0 to 1 within the ramp."""
    inner = np.clip(x, 0.0, ramp)
    return np.asarray(inner * inner / (2.0 * ramp) + np.maximum(x - ramp, 0.0))


def _cycled(plan: Plan, at: Moments) -> tuple[Floats, Floats]:
    """Unit time gained since the leg began, and its rate, both at pace 1.

    A leg is made of equal cycles: up to speed, on, down, stand.
    """
    leg, vehicle = at.leg, at.vehicle
    length = (plan.end[leg, vehicle] - plan.begin[leg, vehicle]) / plan.cycles[leg, vehicle].astype(np.float64)
    ramp = plan.ramp[vehicle].astype(np.float64)
    moving = length - plan.dwell[vehicle]
    turn = np.floor(at.since / length)
    inside = np.minimum(at.since - turn * length, moving)
    gained = turn * (moving - ramp) + _risen(inside, ramp) - _risen(inside - (moving - ramp), ramp)
    rate = np.minimum(np.minimum(inside, moving - inside) / ramp, 1.0)
    return np.asarray(gained, np.float64), np.asarray(rate, np.float64)


def motion(roster: Roster, tracks: Tracks, plan: Plan, at: Moments) -> Motion:
    """Place and speed of vehicles at some moments."""
    vehicle, leg = at.vehicle, at.leg
    track = roster.track[vehicle].astype(np.int64)
    closed = tracks.closed[track]
    home, far = plan.home[vehicle].astype(np.float64), plan.far[vehicle].astype(np.float64)
    out = (leg % 2 == 0) | closed
    unit = np.where(out & (leg >= 0) & ~closed, far, home)
    rate = np.zeros(len(at))
    on = np.flatnonzero(at.driving)
    if on.size:
        sub = at.take(at.driving)
        pace = plan.pace[sub.leg, sub.vehicle].astype(np.float64)
        gained, rising = _cycled(plan, sub)
        gained *= pace
        rising *= pace
        fast = np.flatnonzero((sub.leg == 0) & (plan.fast_by[sub.vehicle] > 0))
        if fast.size:
            v = sub.vehicle[fast]
            ramp, by = plan.fast_ramp[v].astype(np.float64), plan.fast_by[v].astype(np.float64)
            since = sub.since[fast].astype(np.float64)
            since_up: Floats = since - plan.fast_begin[v]
            since_down: Floats = since - plan.fast_end[v]
            gained[fast] += by * (_risen(since_up, ramp) - _risen(since_down, ramp))
            rising[fast] += by * (np.clip(since_up / ramp, 0, 1) - np.clip(since_down / ramp, 0, 1))
        rate[on] = rising
        unit[on] = np.where(out[on], home[on] + gained, far[on] - gained)
    length = tracks.length[track]
    rounds = np.where(closed, np.floor(unit / length), 0.0)
    unit = np.clip(unit - rounds * length, 0.0, length)
    row = unit / STEP_S
    low = row.astype(np.int64)
    part = row - low
    first = tracks.base[track] + low
    second = first + 1

    def between(column: Floats) -> Floats:
        here = column[first]
        return np.asarray(here + (column[second] - here) * part)

    metres = between(tracks.metres)
    steady = (tracks.metres[second] - tracks.metres[first]) * (3.6 / STEP_S)
    heading = np.where(out, tracks.heading[first], (tracks.heading[first] + 180.0) % 360.0)
    side = np.where(at.driving, np.radians(heading), np.pi / 2)
    lon = between(tracks.lon) + np.cos(side) * (_LANE_DEG * 1.39)
    lat = between(tracks.lat) - np.sin(side) * _LANE_DEG
    hole = tracks.hole[first].astype(np.int64)
    ends = np.where(out, tracks.leave[first], tracks.enter[first])
    ahead = np.where(hole > 0, np.abs(np.nan_to_num(ends) - unit) / np.maximum(rate, 0.3), 0.0)
    whole = np.where(closed, tracks.metres[tracks.base[track] + (length / STEP_S).astype(np.int64)], 0.0)
    driven = plan.done[np.where(at.driving, leg, leg + 1), vehicle].astype(np.float64)
    start = np.where(closed | out, home, far)
    driven = driven + np.where(at.driving, np.abs(metres + rounds * whole - _place(tracks, track, start)), 0.0)
    return Motion(lon, lat, steady * rate, tracks.limit[first], heading, between(tracks.altitude), driven, hole, ahead)


def _place(tracks: Tracks, track: Ints, unit: Floats) -> Floats:
    """Distance along the track [m], to the row."""
    return np.asarray(tracks.metres[tracks.base[track] + (unit / STEP_S).astype(np.int64)])
