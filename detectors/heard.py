"""Heard: accepted fixes and those without a place that can be believed, in one order; put together once per batch."""

from dataclasses import dataclass

from detectors.enrich import Enriched
from detectors.meanwhile import Events, events
from ingest.batch import Batch, Bool
from ingest.gate import Verdict


@dataclass(frozen=True, slots=True)
class Heard:
    """What shows that a terminal was on line.

    Attributes
    ----------
    refused : Batch, (k,)
        Fixes that the gate refused as ``no_fix`` or ``drift``, by vehicle, then arrival.
    drift : bool, (k,)
        Where it was drift.
    events : Events, (n + k,)
        These and the accepted fixes.
    """

    refused: Batch
    drift: Bool
    events: Events


def heard(batch: Enriched) -> Heard:
    """Accepted and such refused fixes of a batch."""

    def put_together() -> Heard:
        refused, verdict, at = batch.around.meanwhile.refused(Verdict.NO_FIX, Verdict.DRIFT)
        return Heard(refused, verdict == Verdict.DRIFT, events(batch, refused, at))

    return batch.once(("heard",), put_together)
