"""Where vehicles may stand: at the ends of the ways, and where those turn that do not go so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.fleet.chance import Chance
from ingest.fleet.columns import CLASSES, Floats, Ints, Mask
from ingest.fleet.fences import Fence, stand
from ingest.fleet.places import TOWNS
from ingest.fleet.roads import nodes, to_km
from ingest.fleet.roster import Roster
from ingest.fleet.routes import routes
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.terms import terms
from ingest.fleet.tracks import STEP_S, Tracks

END_KM, TURN_KM, CLEAR_KM = 0.7, 0.15, 1.0
"""Radius of the ground at the end of a way, and where one turns; how far others keep from a stop that is none."""

_WHERE = {"LC": ("approved_stop", "停靠点"), "H": ("approved_parking", "危货停车点")}
_STRAY, _BOARDS = (np.asarray([shift.paper == paper for shift in SHIFTS]) for paper in ("stop", "boarding"))
_FIRST_STOPS = 4
_BOARDING_KM, _STATION_KM = 0.28, 2.9
"""Who boards outside a station keeps so far from where one may stand, and so near to the station."""


@dataclass(frozen=True)
class Stands:
    """Ground for standing.

    Parameters
    ----------
    fences : list of Fence
        As they are written.
    stray : ndarray of bool, (n,)
        Vehicles that turn, or twice take passengers near a station, where nobody may stand.
    """

    fences: list[Fence]
    stray: Mask


def _places(tracks: Tracks, row: Ints) -> Floats:
    """Places of rows of the tracks, (m, 2) [km]."""
    return np.stack(to_km(tracks.lon[row], tracks.lat[row]), axis=1)


def turns(chance: Chance, roster: Roster, tracks: Tracks, who: Ints) -> tuple[Floats, Mask]:
    """Where vehicles turn, (m, 2) [km], and whether that is short of the end of their way."""
    own = terms(chance, roster, tracks, who, 0, None)
    row = tracks.base[roster.track[who]] + np.round(own.far / STEP_S).astype(np.int64)
    return _places(tracks, row), np.asarray(~own.closed & (own.far < own.length - 30.0), bool)


def _far_from(places: Floats, others: Floats, clear_km: float) -> Mask:
    """Which places keep clear of all others."""
    if not len(others):
        return np.ones(len(places), bool)
    apart = [np.hypot(*(others - place).T).min() for place in places]
    return np.asarray(np.asarray(apart) > clear_km, bool)


def _boards(chance: Chance, roster: Roster, tracks: Tracks, who: Ints, turned: Floats, ends: Floats) -> Mask:
    """Which vehicles stop twice near the station that they left and away from where one may stand."""
    own = terms(chance, roster, tracks, who, 0, None)
    plain = (own.far - own.home) / own.pace
    gain = (own.far - own.home) / np.maximum(np.round(plain / own.cycle), 1.0)
    first = tracks.base[roster.track[who]]
    count = np.zeros(len(who), np.int64)
    station = _places(tracks, first)
    for k in range(1, _FIRST_STOPS + 1):
        place = _places(tracks, first + np.round((own.home + k * gain) / STEP_S).astype(np.int64))
        near = np.hypot(*(place - station).T) < _STATION_KM
        count += near & _far_from(place, turned, _BOARDING_KM) & _far_from(place, ends, END_KM + 0.1)
    return np.asarray(count >= 2, bool)


def stands(chance: Chance, roster: Roster, tracks: Tracks) -> Stands:
    """Find the ground for a fleet."""
    found, stray = [], np.zeros(len(roster), bool)
    places = nodes()
    parking = [places[f"{town.name}.{name}"] for town in TOWNS for name in ("depot", "exit", "station")]
    for classes, (kind, name) in _WHERE.items():
        ends = {
            (round(float(x), 3), round(float(y), 3))
            for route in routes()
            for x, y in (route.line[0], route.line[-1])
            if set(route.classes) & set(classes) and not route.round
        }
        who = np.flatnonzero(np.isin(roster.cls, [CLASSES.index(letter) for letter in classes]))
        turn, short = turns(chance, roster, tracks, who)
        wild = _STRAY[roster.shift[who]]
        own = turn[short & ~wild]
        k = 0
        for radius, centres in ((END_KM, sorted(ends)), (TURN_KM, own.tolist())):
            for x, y in centres:
                k += 1
                found.append(stand(f"{kind}-{k:04d}", f"{name}{k:04d}", kind, (x, y), radius, classes))
        turned = np.concatenate([own, np.asarray(parking)])
        ground = np.asarray(sorted(ends))
        stray[who[wild]] = _far_from(turn[wild], np.concatenate([turned, ground]), CLEAR_KM)
        boards = who[_BOARDS[roster.shift[who]]]
        stray[boards] = _boards(chance, roster, tracks, boards, turned, ground)
    return Stands(found, stray)
