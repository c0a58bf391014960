"""Who there is: every vehicle as a row of columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.fleet.chance import Chance
from ingest.fleet.columns import CLASSES, Ints, Mask
from ingest.fleet.elsewhere import elsewhere
from ingest.fleet.places import TOWNS
from ingest.fleet.plants import Plants, choose_shifts
from ingest.fleet.shift import Shift
from ingest.fleet.shifts import ORDINARY, SHIFTS
from ingest.fleet.tracks import Tracks

MIX = {"L": 1000, "C": 800, "H": 1200, "B": 719, "T": 3787, "F": 12000}
COMPANY_SIZE = 60

EXEMPT, PAIR, SLEEPS, STORES, CARD = 1, 2, 4, 8, 16
"""Bits of ``traits``: exempt in the small hours, two drivers, silent when parked, store and forward, card."""


@dataclass
class Roster:
    """Columns of vehicles, (n,) each; a vehicle is its row.

    Parameters
    ----------
    cls : ndarray of int8
        Index into ``CLASSES``; rows of a class are contiguous.
    number : ndarray of int32
        Number on the plate, from 1 within a class.
    town : ndarray of int8
        County that supervises it, index into ``TOWNS``.
    company : ndarray of int32
        Number of its company within class and county, from 1.
    shift : ndarray of int8
        Index into ``SHIFTS``.
    track : ndarray of int16
        Index into `Tracks`.
    every, phase : ndarray of int16
        Its fixes are taken at phase + k * every [s].
    traits : ndarray of uint8
        Bits.
    color : ndarray of int8
        Plate colour, JT/T 415.
    """

    cls: NDArray[np.int8]
    number: NDArray[np.int32]
    town: NDArray[np.int8]
    company: NDArray[np.int32]
    shift: NDArray[np.int8]
    track: NDArray[np.int16]
    every: NDArray[np.int16]
    phase: NDArray[np.int16]
    traits: NDArray[np.uint8]
    color: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.cls)

    def has(self, trait: int) -> Mask:
        """Which vehicles have a trait."""
        return np.asarray(self.traits & trait, bool)


def class_sizes(vehicles: int) -> list[int]:
    """Vehicles per class: in proportion, but every class is there in a small fleet too."""
    least = min(vehicles // 10, 14)
    spare = vehicles - least * len(MIX)
    total = sum(MIX.values())
    sizes = [least + spare * share // total for share in MIX.values()]
    sizes[-1] += vehicles - sum(sizes)
    return sizes


def _choose_tracks(
    chance: Chance, cls: NDArray[np.int8], town: NDArray[np.int8], shift: NDArray[np.int8], tracks: Tracks
) -> NDArray[np.int16]:
    """A route for every vehicle: of its county where there is one that serves its shift."""
    found = np.zeros(len(cls), np.int16)
    draw = chance.unit("route", np.arange(len(cls)))
    for row, spec in enumerate(SHIFTS):
        for k, letter in enumerate(CLASSES):
            group = np.flatnonzero((shift == row) & (cls == k))
            if not group.size:
                continue
            fit = (tracks.cls == k) & suits(spec, letter, tracks)
            for place in range(len(TOWNS)):
                here = group[town[group] == place]
                near = np.flatnonzero(fit & (tracks.town == place))
                choice = near if near.size else np.flatnonzero(fit)
                found[here] = choice[(draw[here] * choice.size).astype(np.int64)]
    return found


def suits(spec: Shift, letter: str, tracks: Tracks) -> Mask:
    """Which tracks serve a shift of a class.

    Ordinary buses and taxis go round in town; everything that must be timed is
    done on open roads, out and back.
    """
    if not spec.kind or spec.timed:
        desert = (tracks.use == "desert") & (letter == "F")
        late = (letter in "LC") & (spec.end_h > 22.0)
        fit = ((tracks.use == "") | desert) & (tracks.closed == (letter in "BT"))
        return np.asarray(fit & ~(late & np.isfinite(tracks.mountain[:, 0])), bool)
    use = spec.need if spec.need in ("core", "clip", "desert", "shut") else "spare" if letter in "BT" else ""
    fit = (tracks.use == use) & ~tracks.closed
    for name in ("mountain", "express", "away"):
        span = getattr(tracks, name)
        if spec.need == name:
            fit &= span[:, 1] - span[:, 0] > 300.0
    if spec.need == "away":
        fit &= tracks.away[:, 1] > tracks.length - 30.0  # and not in again
    if spec.night and letter in "LC" and spec.need != "mountain":
        fit &= np.isnan(tracks.mountain[:, 0])
    if spec.paper in ("exit", "recorded", "boarding"):
        fit &= tracks.station[:, 0] >= 0
    if spec.paper == "route":
        fit &= elsewhere()[0] >= 0
    if spec.need in ("road", "severe", "zone"):
        first = getattr(tracks, spec.need)[:, 0]
        fit &= np.isfinite(first) & (first < np.where(spec.leg_s > 0, 1500.0, 2600.0))
    # the longest leg needs room, and the two ends of the route are kept free
    return np.asarray(fit & (tracks.length > spec.leg_s * 0.96 + 120.0), bool)


def roster(chance: Chance, vehicles: int, hours: float, whole: bool, tracks: Tracks, plants: Plants) -> Roster:
    """Make the vehicles of a fleet.

    Parameters
    ----------
    chance : Chance
        Source of numbers.
    vehicles : int
        How many, at least 1.
    hours : float
        Length of the run [h]; short runs plant only what fits.
    whole : bool
        The run is one of whole Beijing days.
    tracks : Tracks
        The routes.
    plants : Plants
        How much is planted.
    """
    sizes = class_sizes(vehicles)
    cls = np.repeat(np.arange(len(CLASSES)), sizes).astype(np.int8)
    vehicle = np.arange(vehicles)
    number = (vehicle - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1).astype(np.int32)
    weights = np.cumsum([town.weight for town in TOWNS])
    spread = (number * 0.6180339887498949 + 0.37 * cls) % 1.0 * weights[-1]
    town = np.minimum(np.searchsorted(weights, spread, side="right"), len(TOWNS) - 1).astype(np.int8)
    companies = np.ceil(np.asarray(sizes)[:, None] * [t.weight for t in TOWNS] / COMPANY_SIZE)
    many = np.maximum(companies[cls, town], 1)
    company = (chance.unit("company", vehicle) * many).astype(np.int32) + 1
    shift = choose_shifts(chance, cls, hours, whole, plants)
    ordinary = shift < len(ORDINARY)
    often = np.asarray(
        [
            (10, 15, 20, 30),
            (10, 15, 20, 30),
            (10, 15, 20, 30),
            (10, 15, 15, 20),
            (20, 30, 30, 60),
            (20, 30, 30, 60),
        ]
    )
    often_planted = np.asarray([10, 10, 15, 15])
    pick = (chance.unit("every", vehicle) * 4).astype(np.int64)
    every = np.where(ordinary, often[cls, pick], often_planted[pick]).astype(np.int16)
    every[np.asarray([s.kind != "" and s.lawful for s in SHIFTS])[shift]] = 10  # near misses
    timed = np.asarray([s.timed for s in SHIFTS])[shift]
    every[timed] = np.minimum(every[timed], 15)
    traits = _traits(chance, cls, shift, vehicle)
    colors = np.asarray([(2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 5), (1, 1, 5), (2, 2, 2)])
    color = colors[cls, (chance.unit("color", vehicle) * 3).astype(np.int64)].astype(np.int8)
    phase = (chance.unit("phase", vehicle) * every).astype(np.int16)
    track = _choose_tracks(chance, cls, town, shift, tracks)
    return Roster(cls, number, town, company, shift, track, every, phase, traits, color)


def _traits(chance: Chance, cls: NDArray[np.int8], shift: NDArray[np.int8], vehicle: Ints) -> NDArray[np.uint8]:
    """Bits of what a vehicle is and has."""
    draw = chance.words("traits", vehicle)
    pair = (draw & np.uint64(255)) < np.asarray([80, 50, 60, 0, 120, 50])[cls]
    must_exempt = np.asarray([s.exempt is True for s in SHIFTS])[shift]
    may_exempt = (cls < 2) & (shift < len(ORDINARY)) & ((draw >> np.uint64(8) & np.uint64(255)) < 12)
    drivers = np.asarray([s.drivers or (1 if s.kind else 0) for s in SHIFTS])[shift]
    pair = np.where(drivers > 0, drivers == 2, pair)
    usual = shift < len(ORDINARY)
    sleeps = ((draw >> np.uint64(16) & np.uint64(255)) < 90) & usual
    stores = (draw >> np.uint64(24) & np.uint64(255)) < 150
    card = ((draw >> np.uint64(32) & np.uint64(255)) < np.asarray([250, 250, 250, 60, 128, 128])[cls]) | pair
    card |= np.asarray([s.paper in ("driver", "qualification") for s in SHIFTS])[shift]
    bits = (must_exempt | may_exempt) * EXEMPT + pair * PAIR + sleeps * SLEEPS + stores * STORES + card * CARD
    return np.asarray(bits, np.uint8)
