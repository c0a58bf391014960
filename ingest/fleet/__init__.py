"""The synthetic fleet: real-looking traffic with planted, labelled violations."""

from ingest.fleet.generate import START_MS, Summary, generate
from ingest.fleet.plants import NOTHING, Plants

__all__ = ["NOTHING", "START_MS", "Plants", "Summary", "generate"]
