"""Bursts of speed on the first leg of a shift."""

from __future__ import annotations

import numpy as np

from ingest.fleet.chance import Chance
from ingest.fleet.columns import Ints
from ingest.fleet.plan import NEVER, Plan
from ingest.fleet.roster import Roster
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.tracks import Tracks

_BOOST = np.asarray([shift.boost for shift in SHIFTS])
_LASTS = np.asarray([shift.boost_s for shift in SHIFTS])
_RAMP = np.asarray([shift.ramp_s for shift in SHIFTS])
_NEED = np.asarray([shift.need for shift in SHIFTS])


def speed_up(chance: Chance, roster: Roster, tracks: Tracks, plan: Plan, who: Ints, soon: bool) -> None:
    """Put the burst of a shift where the limit is steady; the leg as a whole lasts no shorter.

    Parameters
    ----------
    chance, roster, tracks
        The fleet.
    plan : Plan
        Of these vehicles; changed in place.
    who : ndarray, (m,)
        Vehicles.
    soon : bool
        At the first opportunity, not at any.
    """
    shift = roster.shift[who]
    rows = np.flatnonzero((_BOOST[shift, 0] > 0) & (plan.begin[0] != NEVER))
    who, shift = who[rows], shift[rows]
    stretch = np.zeros((len(rows), 2))
    for name in ("road", "severe", "zone"):
        mine = _NEED[shift] == name
        stretch[mine] = getattr(tracks, name)[roster.track[who[mine]]]
    home, far = plan.home[rows].astype(np.float64), plan.far[rows].astype(np.float64)
    pace, rise = plan.pace[0, rows].astype(np.float64), plan.ramp[rows].astype(np.float64)
    low = np.maximum(stretch[:, 0] + 3.0, home + pace * 40.0)
    high = np.minimum(stretch[:, 1] - 3.0, far - pace * 60.0)
    ratio = chance.between(_BOOST[shift, 0], _BOOST[shift, 1], "ratio", who)
    ramp = _RAMP[shift]
    lasts = chance.between(_LASTS[shift, 0], _LASTS[shift, 1], "burst", who)
    lasts = np.minimum(lasts, (high - low) / ratio - ramp)
    whole = plan.end[0, rows].astype(np.float64) - plan.begin[0, rows] - rise
    plain = (far - home - ratio * lasts) / (whole - lasts)
    slack = np.clip((high - low - ratio * (lasts + ramp)) / plain, 0.0, 0.0 if soon else 500.0)
    after = rise / 2 + (low - home) / plain + slack * chance.unit("wait", who)
    plan.pace[0, rows] = plain
    plan.fast_begin[rows], plan.fast_end[rows] = after, after + lasts
    plan.fast_by[rows], plan.fast_ramp[rows] = ratio - plain, ramp
