"""The terms on which each vehicle works in a period, before its legs are laid out."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ingest.fleet.chance import Chance
from ingest.fleet.columns import Floats, Ints, Mask
from ingest.fleet.plan import DAY_S
from ingest.fleet.roster import Roster
from ingest.fleet.shift import HOUR, Shift
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.tracks import Tracks

OPEN_RAMP_S, CITY_RAMP_S = 25.0, 11.0
EXACT_TURN_S = 120.0
_NIGHT_LEG_S = 1.6 * HOUR
_SPEC = {
    field.name: np.asarray([getattr(shift, field.name) for shift in SHIFTS])
    for field in fields(Shift)
    if field.name not in ("exempt", "implies")
}
_USUAL = np.asarray([shift.kind == "" for shift in SHIFTS])


@dataclass
class Terms:
    """Columns of the vehicles of a group, (m,) or (m, 2) for spans.

    Parameters
    ----------
    closed : ndarray of bool
        Goes round and round in town.
    coach : ndarray of bool
        Ordinary work of classes L and C: bound to the rules of the night.
    start, end : ndarray
        When the first leg begins; when the last is over at the latest [s].
    drive, block : ndarray
        Driving in the period, time from rest to rest, at most [s].
    turn, rest : ndarray, (m, 2)
        Length of stops [s].
    pace : ndarray
        Speed as a share of the limit.
    leg, legs : ndarray
        Length of a leg [s], 0 = the whole way; number of legs, 0 = as many as fit.
    cycle, dwell, ramp : ndarray
        Length of a cycle of driving and standing, its standing part, and its rise [s].
    home, far, length : ndarray
        Ends of the way, and of its track, in unit time [s].
    exact, exact_legs, every : ndarray
        Driving that is measured to the second [s], by how many legs; time from fix to fix [s].
    """

    closed: Mask
    coach: Mask
    start: Floats
    end: Floats
    drive: Floats
    block: Floats
    turn: Floats
    rest: Floats
    pace: Floats
    leg: Floats
    legs: Ints
    cycle: Floats
    dwell: Floats
    ramp: Floats
    home: Floats
    far: Floats
    length: Floats
    exact: Floats
    exact_legs: Floats
    every: Floats


def terms(chance: Chance, roster: Roster, tracks: Tracks, who: Ints, day: int, at_once: float | None) -> Terms:
    """Settle the terms of some vehicles; parameters as of `make_plan`."""
    spec = {name: column[roster.shift[who]] for name, column in _SPEC.items()}
    track = roster.track[who].astype(np.int64)
    length, closed = tracks.length[track], tracks.closed[track]
    usual = _USUAL[roster.shift[who]]
    coach = usual & (roster.cls[who] < 2)
    base = float(day * DAY_S)
    every, phase = roster.every[who].astype(np.float64), roster.phase[who].astype(np.float64)

    start = base + HOUR * chance.between(spec["start_h"][:, 0], spec["start_h"][:, 1], "start", who)
    jittered = usual & ~spec["timed"]
    start += np.where(jittered, chance.between(-600.0, 600.0, "jitter", who, day), 0.0)
    legs = spec["legs"].copy()
    if at_once is not None:
        start = np.where(spec["early"], at_once + chance.between(100.0, 500.0, "soon", who), start)
        legs[spec["early"]] = 1
    exact = spec["exact_s"]
    start = np.where(exact > 0, np.ceil((start - phase) / every) * every + phase, np.round(start))

    exact_legs = np.maximum(np.round(exact / np.maximum(spec["leg_s"], 1.0)), 1.0)
    equal = np.floor((exact + every - (exact_legs - 1) * EXACT_TURN_S) / exact_legs)
    leg = np.where(exact > 0, equal, spec["leg_s"])
    pace = chance.between(spec["pace"][:, 0], spec["pace"][:, 1], "pace", who)
    ends = np.where(np.isin(spec["paper"], ("exit", "recorded", "boarding")), 7.0, 24.0)  # inside the station, or about
    home = np.where(closed, chance.unit("home", who) * length, chance.between(4.0, ends, "home", who))
    far = length - chance.between(4.0, ends, "far", who)
    far = np.where(leg > 0, np.minimum(far, home + pace * (leg - OPEN_RAMP_S)), far)
    far = np.where(coach & (spec["end_h"] > 22.0), np.minimum(far, home + 0.72 * _NIGHT_LEG_S), far)
    own, calls = spec["calls"][:, 0] > 0, coach & ~closed
    cycle = np.where(closed, chance.between(80, 125, "cycle", who), np.where(calls, 2400.0, 1e9))
    dwell = np.where(closed, chance.between(18, 34, "dwell", who), np.where(calls, 70.0, 0.0))
    dwell = np.where(own, spec["calls"][:, 1], dwell)
    ramp = np.where(closed, CITY_RAMP_S, OPEN_RAMP_S)
    leg = np.where(own, 0.0, leg)  # the way is as long, but stops come on top
    once = spec["timed"] & closed
    lost = dwell + ramp
    leg = np.where(once, np.ceil(length / pace + np.round(length / pace / (cycle - lost)) * lost), leg)
    return Terms(
        closed=closed,
        coach=coach,
        start=start,
        end=base + spec["end_h"] * HOUR,
        drive=spec["drive_h"] * HOUR,
        block=spec["block_h"] * HOUR,
        turn=spec["turn_s"],
        rest=spec["rest_s"],
        pace=pace,
        leg=leg,
        legs=legs,
        cycle=np.where(own, spec["calls"][:, 0], cycle),
        dwell=dwell,
        ramp=ramp,
        home=home,
        far=far,
        length=length,
        exact=exact,
        exact_legs=exact_legs,
        every=every,
    )
