"""What goes wrong between a vehicle and us, at realistic rates.

The rules here keep lawful vehicles lawful under the rulebook's gate: nothing is
lost near the ends of a leg, so no rest is missed; outages end within 290 s, so a
coach's track stays continuous; bad fixes are at least 40 good ones apart; at most
one excursion per period, of at most 90 s. Near misses stay clean.
"""

from __future__ import annotations

import numpy as np

from ingest.fleet.chance import Chance, pick16, unit
from ingest.fleet.columns import Floats, Mask, Rows, Words
from ingest.fleet.fixes import LOCATED
from ingest.fleet.lines import OPTIONAL
from ingest.fleet.motion import Moments, Motion
from ingest.fleet.plan import DAY_S, Plan
from ingest.fleet.roster import STORES, Roster
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.tracks import DESERT, TUNNEL

_USUAL = np.asarray([shift.kind == "" for shift in SHIFTS])
_CLEAN = np.asarray([shift.kind != "" and shift.lawful for shift in SHIFTS])
_DRIFTING, _CORRUPT, _ABSENT, _ODD = (
    np.asarray([shift.fault == fault for shift in SHIFTS]) for fault in ("drifting", "corrupt", "absent", "recorder")
)
_PLANT_DESERT = np.asarray([shift.need == "desert" for shift in SHIFTS])
SILENCES_S = {"silent": (900, 3300), "lost": (900, 1660), "brief": (900, 1330)}
"""In the first leg of a vehicle with such a fault: no fixes from, to [s]."""
ODD_S = (600, 1500)
"""In the first leg of a vehicle whose recorder is at fault: from, to [s]."""
_ODD_KMH = 35
_SILENT = np.asarray([SILENCES_S.get(shift.fault, (0, 0)) for shift in SHIFTS])


def soil(chance: Chance, roster: Roster, plan: Plan, at: Moments, moved: Motion, rows: Rows) -> Rows:
    """The rows as they arrive: some missing, late, doubled, stored and forwarded, or wrong.

    Parameters
    ----------
    chance, roster, plan
        The fleet.
    at, moved
        Moments and the motion there, (m,).
    rows : ndarray of FIX, (m,)
        What good terminals would send; changed in place.

    Returns
    -------
    ndarray of FIX
        Not in order of arrival.
    """
    shift = roster.shift[at.vehicle]
    words = chance.words("dirt", at.vehicle, at.time)
    usual = _USUAL[shift]
    _drift(chance, roster, at, rows, usual, _DRIFTING[shift])
    burst = (at.leg == 0) & (plan.fast_by[at.vehicle] > 0)
    dirty = at.driving & ~_CLEAN[shift] & ~burst
    first = pick16(words, 0)
    rows["received"] += np.where(dirty & (first < 0.002), 20000 + (70000 * pick16(words, 1)).astype(np.int64), 0)
    lost_fix = dirty & (first > 0.997)
    rows["status"][lost_fix] &= ~LOCATED
    step = roster.every[at.vehicle].astype(np.int64)
    spaced = (at.since // step) % 60 == 40
    bad = dirty & ((spaced & (pick16(words, 2) < 0.12)) | (_CORRUPT[shift] & (pick16(words, 2) < 0.2)))
    _corrupt(rows, bad, pick16(words, 3))
    gone = _forward(chance, roster, at, moved, rows, usual)
    first_leg = (at.leg == 0) & at.driving
    gone |= first_leg & (at.since >= _SILENT[shift, 0]) & (at.since < _SILENT[shift, 1])
    gone |= _ABSENT[shift]
    odd = _ODD[shift] & first_leg & (at.since >= ODD_S[0]) & (at.since < ODD_S[1])
    rows["recorder"] += np.where(odd, 10 * _ODD_KMH, 0).astype(np.int16)
    _omit(at, rows, words, usual)
    twice = (pick16(words, 1) > 0.998) & ~_CLEAN[shift] & ~gone
    again = rows[twice]
    again["received"] += 900 + (3000 * pick16(words, 3)[twice]).astype(np.int64)
    return np.concatenate([rows[~gone], again])


def _drift(chance: Chance, roster: Roster, at: Moments, rows: Rows, usual: Mask, drifting: Mask) -> None:
    """Throw short excursions kilometres away."""
    day = at.time // DAY_S
    draw = chance.words("drift", at.vehicle, np.where(drifting, 0, at.time - at.since))
    step = roster.every[at.vehicle]
    where = unit(draw)
    some = usual & at.driving & (at.leg == 0) & (where < 0.01) & (step <= 30)
    lasts = np.minimum(step * (1 + (pick16(draw, 0) * 3).astype(np.int64)), 80)
    off = some & (at.since >= 420) & (at.since < 420 + lasts)
    off |= drifting & at.driving & (at.since > 300) & (at.left > 300) & (at.since % 600 < 2 * step)
    size = 60000 + 130000 * pick16(draw, 1)
    angle = 2 * np.pi * pick16(draw, 2) + day
    rows["lon"] += np.where(off, size * np.cos(angle) * 1.39, 0.0).astype(np.int32)
    rows["lat"] += np.where(off, size * np.sin(angle), 0.0).astype(np.int32)


def _corrupt(rows: Rows, bad: Mask, which: Floats) -> None:
    """Make fixes unqualified, each in one of seven ways."""
    sort = np.where(bad, (which * 7).astype(np.int64), -1)
    rows["lon"][sort == 0] = 0
    rows["lat"][sort == 0] = 0
    rows["lat"][sort == 1] = 84012345
    rows["speed"][sort == 2] = 2553
    rows["altitude"][sort == 3] = 9999
    rows["heading"][sort == 4] = 511
    rows["time"][sort == 5] += 5400000
    rows["omit"][sort == 6] |= OPTIONAL["speed_kmh"]


def _forward(chance: Chance, roster: Roster, at: Moments, moved: Motion, rows: Rows, usual: Mask) -> Mask:
    """Outages: what is stored comes later as back-fill, the rest is gone.

    Returns
    -------
    ndarray of bool
        Which rows never arrive.
    """
    begun = at.time - at.since
    draw = chance.words("outage", at.vehicle, begun)
    total = at.since + at.left
    lasts = 60.0 + 165.0 * pick16(draw, 0)
    start = 240.0 + pick16(draw, 1) * (total - lasts - 480.0)
    cut = usual & at.driving & (unit(draw) < 0.05) & (total > 900) & (at.since >= start) & (at.since < start + lasts)
    tunnel = at.driving & (moved.hole == TUNNEL) & usual
    desert = at.driving & (moved.hole == DESERT)
    stored = roster.has(STORES)[at.vehicle] & (cut | desert) & ~_PLANT_DESERT[roster.shift[at.vehicle]]
    wait = np.where(desert, moved.ahead, np.maximum(start + lasts - at.since, 0.0)) + 15.0
    rows["received"] += np.where(stored, (wait * 1000).astype(np.int64), 0)
    rows["backfill"] |= stored.astype(np.uint8)
    return np.asarray((cut | desert | tunnel) & ~stored, bool)


def _omit(at: Moments, rows: Rows, words: Words, usual: Mask) -> None:
    """Leave out what a model of terminal does not report, and now and then a field."""
    model = (at.vehicle.astype(np.int64) * 2654435761 >> 7) % 16
    models = np.zeros(16, np.uint16)
    models[1] = OPTIONAL["recorder_speed_kmh"]
    models[2:5] = OPTIONAL["recorder_speed_kmh"] | OPTIONAL["mileage_km"]
    models[5] = OPTIONAL["altitude_m"] | OPTIONAL["alarm"]
    models[6] = OPTIONAL["altitude_m"] | OPTIONAL["heading_deg"] | OPTIONAL["recorder_speed_kmh"]
    models[7] = OPTIONAL["status"] | OPTIONAL["alarm"] | OPTIONAL["mileage_km"]
    rows["omit"] |= np.where(usual, models[model], 0).astype(np.uint16)
    now = pick16(words, 0)
    rows["omit"] |= np.where((now > 0.5) & (now < 0.504), OPTIONAL["altitude_m"], 0).astype(np.uint16)
    rows["omit"] |= np.where((now > 0.6) & (now < 0.603), OPTIONAL["heading_deg"], 0).astype(np.uint16)
