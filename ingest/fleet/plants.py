"""How much is planted, and who works how."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.fleet.chance import Chance
from ingest.fleet.columns import CLASSES, Ints
from ingest.fleet.shift import Shift
from ingest.fleet.shifts import CHOICE, FAULTS, ORDINARY, PAPERS, PLANTED, SHIFTS, TOLD

_ROWS = Counter(spec.kind for spec in PLANTED)


@dataclass(frozen=True)
class Plants:
    """How many vehicles of each planted kind; by default one vehicle in fifteen in all.

    Parameters
    ----------
    share : float
        Vehicles per row of `PLANTED`, as a share of the fleet.
    near_share, fault_share : float
        The same per row of `NEAR`, and of `FAULTS`, `TOLD` and `PAPERS`.
    least : int
        At least so many per row in a fleet of forty or more (one more where
        a kind has one row, and after midnight); none if 0.
    """

    share: float = 0.002
    near_share: float = 0.001
    fault_share: float = 0.001
    least: int = 1

    def count(self, spec: Shift, vehicles: int) -> int:
        """How many vehicles work so."""
        share = self.near_share if spec.lawful else self.fault_share if spec in FAULTS + TOLD + PAPERS else self.share
        if share <= 0.0:
            return 0
        alone = spec in PLANTED and (_ROWS[spec.kind] == 1 or spec.start_h[0] >= 24.0)
        least = self.least + alone if self.least and vehicles >= 40 else 0
        return max(least, int(share * vehicles))


NOTHING = Plants(0.0, 0.0, 0.0, 0)
"""A fleet in which all is lawful and far from any limit."""


def choose_shifts(chance: Chance, cls: NDArray[np.int8], hours: float, whole: bool, plants: Plants) -> NDArray[np.int8]:
    """Ordinary work for all, then planted shifts for a few.

    Parameters
    ----------
    chance : Chance
        Source of numbers.
    cls : ndarray of int8, (n,)
        Class of each vehicle.
    hours : float
        Length of the run [h]; in less than a day only what can begin at any hour is planted.
    whole : bool
        The run is one of whole Beijing days; else nothing is planted in timetables.
    plants : Plants
        How much.

    Returns
    -------
    ndarray of int8, (n,)
        Index into `SHIFTS`.
    """
    shift = np.zeros(len(cls), np.int8)
    queues: dict[str, Ints] = {}
    for k, letter in enumerate(CLASSES):
        mine = np.flatnonzero(cls == k)
        rows, upto = zip(*CHOICE[letter], strict=True)
        draw = np.searchsorted(np.asarray(upto), chance.unit("shift", mine), side="right")
        shift[mine] = np.asarray(rows)[draw]
        queues[letter] = chance.order("plant", mine)
    taken = dict.fromkeys(CLASSES, 0)
    short = hours < 24.0
    order = sorted(
        range(len(ORDINARY), len(SHIFTS)), key=lambda row: (SHIFTS[row].told != "", len(SHIFTS[row].classes))
    )
    for row in order:  # those that only few can do come first
        spec = SHIFTS[row]
        letters = spec.classes if not short else spec.short
        letters = letters if whole or not spec.timed else ""
        for j in range(plants.count(spec, len(cls)) if letters else 0):
            first = (row + j) % len(letters)
            for letter in letters[first:] + letters[:first]:
                if taken[letter] < len(queues[letter]):
                    shift[queues[letter][taken[letter]]] = row
                    taken[letter] += 1
                    break
    return shift
