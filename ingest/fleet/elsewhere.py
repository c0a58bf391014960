"""The wrong route: one that begins like a vehicle's way, and then goes elsewhere for good."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely

from ingest.fleet.columns import CLASSES, Floats, Ints
from ingest.fleet.roads import to_km
from ingest.fleet.routes import routes
from ingest.fleet.tracks import STEP_S, tracks

_NEAR_KM = {"L": 0.5, "B": 0.2, "H": 0.3}
"""So far from its route a vehicle of a class still counts as on it."""

_EVERY, _SOON_S, _LEAST_S = 4, 60.0, 600.0
"""Rows of a track that are looked at; not before when it leaves the route, and how long it keeps away, at least [s]."""


def _parted(track: int, route: int, near_km: float) -> float:
    """Unit time at which a track leaves a route for good, having been on it so far; NaN if it does not."""
    table = tracks()
    last = table.base[track] + int(table.length[track] / STEP_S)
    rows = np.arange(table.base[track], last, _EVERY)
    east, north = to_km(table.lon[rows], table.lat[rows])
    off = shapely.distance(shapely.points(east, north), shapely.linestrings(routes()[route].line)) > near_km
    first = int(off.argmax())
    left, away = first * _EVERY * STEP_S, (len(rows) - first) * _EVERY * STEP_S
    return left if off[first:].all() and left > _SOON_S and away > _LEAST_S else np.nan


@lru_cache(maxsize=1)
def elsewhere() -> tuple[Ints, Floats]:
    """Wrong route of each track, an index into `routes`, -1 for none, and when it is left [unit time]; (t,)."""
    table = tracks()
    wrong, left = np.full(len(table.cls), -1), np.full(len(table.cls), np.nan)
    for track in np.flatnonzero(np.isin(table.cls, [CLASSES.index(letter) for letter in _NEAR_KM]) & ~table.closed):
        near_km = _NEAR_KM[CLASSES[table.cls[track]]]
        start = routes()[table.route[track]].line[0]
        for number, route in enumerate(routes()):
            if route.round or number == table.route[track] or np.hypot(*(route.line[0] - start)) > 0.01:
                continue
            found = _parted(int(track), number, near_km)
            if np.isfinite(found):
                wrong[track], left[track] = number, found
                break
    return wrong, left
