"""When what is planted is done on the road, by the plan."""

from __future__ import annotations

import numpy as np

from ingest.fleet.columns import Floats, Ints
from ingest.fleet.dirt import ODD_S, SILENCES_S
from ingest.fleet.elsewhere import elsewhere
from ingest.fleet.labels import Truth
from ingest.fleet.plan import DAY_S, LEGS, NEVER, Plan
from ingest.fleet.roster import Roster
from ingest.fleet.service import EARLIER_S, skipped, unserved
from ingest.fleet.shift import HOUR, Shift
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.tells import TELLS
from ingest.fleet.tracks import STEP_S, Tracks

_Part = tuple[Ints, Floats, Floats]
_STRETCHES = {"core": "core", "clip": "core", "mountain": "mountain", "express": "express", "shut": "shut"}


def _last(plan: Plan, rows: Ints) -> Ints:
    """The latest leg of each vehicle."""
    return np.asarray((plan.begin[:, rows] != NEVER).sum(axis=0) - 1)


def _burst(spec: Shift, tracks: Tracks, track: Ints, plan: Plan, rows: Ints) -> tuple[Floats, Floats]:
    """When the burst is above its threshold."""
    start = plan.begin[0, rows].astype(np.float64)
    pace, by, ramp = plan.pace[0, rows], plan.fast_by[rows].astype(np.float64), plan.fast_ramp[rows]
    where = plan.home[rows] + pace * (plan.fast_begin[rows] + ramp)
    limit = tracks.limit[tracks.base[track] + (where / STEP_S).astype(np.int64)]
    above = {"V03": 0.8 + 3.0 / limit, "V04": np.full(len(rows), 1.5)}.get(spec.kind, 1.0 + 3.0 / limit)
    part = np.clip((above / 0.98 - pace) / np.maximum(by, 1e-6), 0.0, 1.0) * ramp
    return start + plan.fast_begin[rows] + part, start + plan.fast_end[rows] + ramp - part


def _reached(plan: Plan, rows: Ints, k: int, unit: Floats) -> Floats:
    """When a leg is at a place of the track, (m,) [unit time]; at its ends where the place lies beyond them."""
    begin, end = (column[k, rows].astype(np.float64) for column in (plan.begin, plan.end))
    home, far = plan.home[rows].astype(np.float64), plan.far[rows].astype(np.float64)
    gained = far - unit if k % 2 else unit - home
    return np.asarray(np.clip(begin + plan.ramp[rows] / 2 + gained / plan.pace[k, rows], begin, end))


def _crossed(plan: Plan, rows: Ints, edge: Floats) -> list[_Part]:
    """Each leg's time within a stretch of the track, (m, 2) [unit time]."""
    found = []
    for k in range(int(_last(plan, rows).max()) + 1):
        first, last = (edge[:, ::-1] if k % 2 else edge).T
        found.append((rows, _reached(plan, rows, k, first), _reached(plan, rows, k, last)))
    return found


def _left(tracks: Tracks, track: Ints, plan: Plan, rows: Ints) -> list[_Part]:
    """Each departure from a station."""
    found = []
    for k in range(LEGS - 1):
        begun = plan.begin[k, rows] != NEVER
        there = begun & (tracks.station[track, k % 2] >= 0)
        begin = plan.begin[k, rows[there]].astype(np.float64)
        found.append((rows[there], begin, begin + 60.0))
    return found


def _spans(spec: Shift, tracks: Tracks, track: Ints, plan: Plan, rows: Ints) -> list[_Part]:
    """Labels of the vehicles of one shift."""
    last = _last(plan, rows)
    start, stop = plan.begin[0, rows].astype(np.float64), plan.end[last, rows].astype(np.float64)
    if spec.told:
        spans = TELLS[spec.told].spans
        return [(rows, start + spans[0][0], start + spans[-1][1])]
    if spec.boost[0] > 0:
        return [(rows, *_burst(spec, tracks, track, plan, rows))]
    if spec.need in _STRETCHES:
        return _crossed(plan, rows, getattr(tracks, _STRETCHES[spec.need])[track])
    if spec.need == "away" or spec.paper == "route":
        border = tracks.away[track, 0] if spec.need else elsewhere()[1][track]
        return [(rows, _reached(plan, rows, 0, border), _reached(plan, rows, 1, border))]
    if spec.paper in ("exit", "recorded"):
        return _left(tracks, track, plan, rows)
    if spec.paper in ("skipped", "request"):
        return skipped(tracks, track, plan, rows)
    if spec.paper in ("late", "nearly_late"):
        early = EARLIER_S[spec.paper]
        return [(rows, plan.begin[last, rows].astype(np.float64) - early, stop - early - plan.dwell[rows])]
    if spec.paper == "waybill":
        return [(rows, start, plan.end[last - last % 2, rows].astype(np.float64))]  # the way back is empty
    if spec.paper == "hours":
        return [(rows, unserved(plan, rows), stop - plan.dwell[rows])]
    if spec.paper == "stop":
        return [(rows, plan.end[0, rows].astype(np.float64), plan.begin[1, rows].astype(np.float64))]
    if spec.kind == "V06":
        start = np.maximum(start, np.floor(start / DAY_S) * DAY_S + np.where(start % DAY_S > DAY_S / 2, 22 * HOUR, 0))
    if spec.kind == "V07":
        start = plan.begin[7, rows] + (8 * HOUR - 7 * spec.leg_s)
    if spec.fault in SILENCES_S or spec.fault == "recorder":
        since, until = SILENCES_S.get(spec.fault, ODD_S)
        start, stop = start + since, start + until
    if spec.exact_s and spec.lawful:
        stop = start + spec.exact_s
    return [(rows, start, stop)]


def truth(roster: Roster, tracks: Tracks, plan: Plan, who: Ints) -> Truth:
    """Labels of the planned shifts of some vehicles; row indexes ``who`` and the plan's columns."""
    parts: list[_Part] = []
    shift = roster.shift[who]
    for number, spec in enumerate(SHIFTS):
        rows = np.flatnonzero((shift == number) & (plan.begin[0] != NEVER)) if spec.kind else np.zeros(0, np.int64)
        if rows.size:
            parts += _spans(spec, tracks, roster.track[who[rows]].astype(np.int64), plan, rows)
    return Truth.joined(parts)
