"""Meanwhile: what arrived between the accepted fixes of a batch: ticks, and fixes that the gate refused."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ingest.batch import Batch, Int8, Int32, Int64, no_fixes
from ingest.gate import Accepted, Verdict
from ingest.ticks import NO_TICKS, Ticks

_AT = 1 << 40
"""Positions in a batch are below this."""


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """A batch as it arrived.

    Attributes
    ----------
    batch : Batch, (n,)
        All its fixes, in arrival order.
    verdict : uint8, (n,)
        What the gate said of each.
    ticks : Ticks
        Between them.
    second : bool
        They are those of a second pass: the day is being closed.
    """

    batch: Batch
    verdict: Int8
    ticks: Ticks
    second: bool = False

    def refused(self, *verdicts: Verdict) -> tuple[Batch, Int8, Int64]:
        """Fixes that the gate refused for one of these reasons, by vehicle, then arrival; reasons; positions; (k,)."""
        wanted = np.zeros(len(Verdict), np.bool_)
        wanted[list(verdicts)] = True
        rows = np.flatnonzero(wanted.take(self.verdict))
        rows = rows[np.argsort(self.batch.vehicle[rows], kind="stable")]
        return self.batch.take(rows), self.verdict[rows], rows.astype(np.int64)


NOTHING = Meanwhile(no_fixes(), np.zeros(0, np.uint8), NO_TICKS)


class Events(NamedTuple):
    """Accepted and refused fixes in one order, by vehicle, then arrival, (e,).

    Attributes
    ----------
    row : int64
        Row of an accepted fix; ``-1 - row`` of a refused one. Where none was refused all are accepted.
    vehicle : int32
    at : int64
        Position in the batch.
    """

    row: Int64
    vehicle: Int32
    at: Int64


def events(accepted: Accepted, refused: Batch, at: Int64) -> Events:
    """Put accepted and refused fixes into one order, by vehicle, then arrival.

    Parameters
    ----------
    accepted : Accepted, (n,)
    refused : Batch, (k,)
        By vehicle, then arrival.
    at : int64, (k,)
        Positions of the refused ones in the batch.
    """
    if not len(at):
        return Events(np.arange(len(accepted)), accepted.vehicle, accepted.at)
    key = accepted.vehicle.astype(np.int64) * _AT + accepted.at
    place = np.searchsorted(key, refused.vehicle.astype(np.int64) * _AT + at)
    return Events(
        np.insert(np.arange(len(accepted)), place, -1 - np.arange(len(at))),
        np.insert(accepted.vehicle, place, refused.vehicle),
        np.insert(accepted.at, place, at),
    )
