"""Lays out the legs of a period, leg by leg for all vehicles at once."""

from __future__ import annotations

import numpy as np

from ingest.fleet.chance import Chance
from ingest.fleet.columns import Floats, Ints, Mask
from ingest.fleet.plan import DAY_S, LEGS, NEVER, Plan
from ingest.fleet.roster import Roster
from ingest.fleet.shift import HOUR
from ingest.fleet.terms import EXACT_TURN_S, Terms, terms
from ingest.fleet.tracks import STEP_S, Tracks

_NIGHT_PACE, _NIGHT_BLOCK_S = 0.76, 1.7 * HOUR
"""Coaches at night keep below 80 % of the limit, and rest before two hours."""


def make_plan(chance: Chance, roster: Roster, tracks: Tracks, who: Ints, day: int, at_once: float | None) -> Plan:
    """Plan a period for some vehicles.

    A way is driven out and back, so that everyone is at home when the period
    ends; rounds in town are whole ones.

    Parameters
    ----------
    chance, roster, tracks
        The fleet.
    who : ndarray, (m,)
        Vehicles.
    day : int
        The period's first Beijing day, 0 = the run's first.
    at_once : float or None
        In a short run: when it begins [s]; shifts that are ``early`` begin soon after and last one leg.

    Returns
    -------
    Plan
        For these vehicles, m columns.
    """
    plan = Plan.empty(len(who))
    own = terms(chance, roster, tracks, who, day, at_once)
    plan.home[:], plan.far[:], plan.dwell[:], plan.ramp[:] = own.home, own.far, own.dwell, own.ramp
    track = roster.track[who].astype(np.int64)
    there, here = _metres(tracks, track, own.far), _metres(tracks, track, own.home)
    around = _metres(tracks, track, own.length)
    span = plan.far.astype(np.float64) - plan.home
    lost = own.dwell + own.ramp
    now, rested = own.start.copy(), own.start.copy()
    driven, metres = np.zeros(len(who)), np.zeros(len(who))
    going = np.ones(len(who), bool)
    for k in range(LEGS - 1):
        turn = chance.between(own.turn[:, 0], own.turn[:, 1], "turn", who, k) * (k > 0)
        rest = chance.between(own.rest[:, 0], own.rest[:, 1], "rest", who, k) * (k > 0)
        round_s = chance.between(0.62, 0.95, "block", who, k) * own.block
        depart = now + turn
        lasts, _ = _lasting(own, span, own.pace, round_s)
        night = own.coach & _at_night(depart, depart + lasts + rest)
        pace = np.asarray(np.where(night, np.minimum(own.pace, _NIGHT_PACE), own.pace), np.float64)
        lasts, cycles = _lasting(own, span, pace, round_s)
        tired = (depart + lasts - rested > np.where(night, _NIGHT_BLOCK_S, own.block)) & (k > 0)
        plain = np.asarray(np.round(np.where(tired, now + rest, depart)), np.float64)
        depart = _exactly(own, k, now, plain)
        rested = np.where(tired, depart, rested)
        going &= _wanted(own, k, driven, depart, lasts, np.where(night, rest, 0.0))
        gain = np.maximum(lasts - cycles * lost, 1.0)
        rounds = np.maximum(np.floor(pace * gain / own.length), 1.0)
        plan.begin[k] = np.where(going, depart, NEVER)
        plan.end[k] = np.where(going, depart + lasts, NEVER)
        plan.pace[k] = np.where(own.closed, rounds * own.length, span) / gain
        plan.cycles[k] = cycles
        metres += np.where(going, np.where(own.closed, rounds * around, there - here), 0.0)
        plan.done[k + 1] = metres
        driven += np.where(going, lasts, 0.0)
        now = np.where(going, depart + lasts, now)
    return plan


def _metres(tracks: Tracks, track: Ints, unit: Floats) -> Floats:
    """Distance along a track [m] at a unit time [s]."""
    row = unit / STEP_S
    low = row.astype(np.int64)
    first = tracks.base[track] + low
    here = tracks.metres[first]
    return np.asarray(here + (tracks.metres[first + 1] - here) * (row - low), np.float64)


def _lasting(own: Terms, span: Floats, pace: Floats, round_s: Floats) -> tuple[Floats, Floats]:
    """Length of the next leg [s], and its cycles."""
    plain = np.where(own.leg > 0, own.leg, np.where(own.closed, round_s, span / pace))
    cycles = np.maximum(np.round(plain / own.cycle), 1.0)
    more = np.where(own.closed | (own.leg > 0), 0.0, cycles * (own.dwell + own.ramp))
    return np.asarray(np.ceil(plain + more), np.float64), np.asarray(cycles, np.float64)


def _at_night(begin: Floats, end: Floats) -> Mask:
    """Whether a span touches [21:50, 06:10) of Beijing time."""
    clock = (begin - 21 * HOUR - 3000.0) % DAY_S
    return np.asarray((clock < 30000.0) | (clock + (end - begin) >= DAY_S), bool)


def _wanted(own: Terms, k: int, driven: Floats, depart: Floats, lasts: Floats, spare: Floats) -> Mask:
    """Whether a leg is driven: a round or a round trip that fits, the way back, or one of a fixed number."""
    trip = np.where(own.closed, lasts, 2 * lasts + own.turn[:, 1])
    fits = driven + np.where(own.closed, 1, 2) * lasts <= own.drive
    fits &= depart + trip + spare <= own.end
    back = ~own.closed & (k % 2 == 1)
    return np.asarray(((own.legs == 0) & (fits | back)) | (k < own.legs), bool)


def _exactly(own: Terms, k: int, now: Floats, depart: Floats) -> Floats:
    """Departure, on the second for a near miss that is measured so.

    The first moving fix is one sample after the start: a block lasts one sample
    longer than what is measured, and the rest of 20 minutes one sample less.
    """
    turn = now + (EXACT_TURN_S if k else 0.0)
    last = own.start + own.exact + own.every - own.leg
    found = np.where(k == own.exact_legs - 1, last, np.where(k == own.exact_legs, now + 1200.0 - own.every, turn))
    return np.asarray(np.where(own.exact > 0, found, depart), np.float64)
