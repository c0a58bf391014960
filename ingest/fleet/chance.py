"""Chance without state: every random number is a hash of what it is for.

So a vehicle's track does not depend on how the run is cut into slices, and a
short run is the beginning of a long one.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ingest.fleet.columns import Floats, Ints, Words

_GOLD = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF


def _mix(x: Words) -> Words:
    """Finish a splitmix64 step, in place."""
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


@dataclass(frozen=True)
class Chance:
    """A source of numbers for one seed.

    Parameters
    ----------
    seed : int
        Any integer; equal seeds give equal numbers.
    """

    seed: int

    def words(self, purpose: str, *keys: ArrayLike) -> Words:
        """64 random bits per key.

        Parameters
        ----------
        purpose : str
            What the number is for; different purposes are independent.
        keys : array_like of int, broadcast together
            Vehicle, period, leg, time: whatever the number belongs to.
        """
        x: NDArray[np.uint64] = np.full(
            np.broadcast_shapes(*(np.shape(k) for k in keys)),
            (zlib.crc32(purpose.encode()) * _GOLD + self.seed * 0xD1342543DE82EF95) & _MASK,
            np.uint64,
        )
        for key in keys:
            x += np.asarray(key, np.int64).view(np.uint64) + np.uint64(_GOLD)
            _mix(x)
        return x

    def unit(self, purpose: str, *keys: ArrayLike) -> Floats:
        """Uniform number in [0, 1) per key."""
        return unit(self.words(purpose, *keys))

    def between(self, low: ArrayLike, high: ArrayLike, purpose: str, *keys: ArrayLike) -> Floats:
        """Uniform number in [low, high) per key."""
        start = np.asarray(low, np.float64)
        return np.asarray(start + (np.asarray(high, np.float64) - start) * self.unit(purpose, *keys), np.float64)

    def order(self, purpose: str, keys: Ints) -> Ints:
        """The keys in random order."""
        return np.asarray(keys[np.argsort(self.words(purpose, keys), kind="stable")], np.int64)


def unit(words: Words) -> Floats:
    """Uniform number in [0, 1) from the upper bits of each word."""
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def pick16(words: Words, part: int) -> Floats:
    """Uniform number in [0, 1) from one of the four 16-bit parts of each word."""
    return ((words >> np.uint64(16 * part)) & np.uint64(0xFFFF)).astype(np.float64) * 2.0**-16
