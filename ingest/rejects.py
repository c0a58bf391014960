"""Rejects: what a reader could not take, counted by reason, the first few kept to be shown."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

SHOWN_PER_REASON = 3
SHOWN_CHARACTERS = 120

MALFORMED = "malformed"
ENCODING = "encoding"
OVERSIZE = "oversize"
TRUNCATED = "truncated"


class Reject(NamedTuple):
    """One reject that is shown: where it stands and what is wrong with it."""

    line: int
    reason: str
    detail: str


@dataclass(slots=True)
class Rejects:
    """Counts by reason, and the first few of each."""

    counts: Counter[str] = field(default_factory=Counter)
    shown: list[Reject] = field(default_factory=list)

    def add(self, line: int, reason: str, detail: str) -> None:
        """Count one reject and show it if it is among the first of its reason."""
        if self.counts[reason] < SHOWN_PER_REASON:
            self.shown.append(Reject(line, reason, detail[:SHOWN_CHARACTERS]))
        self.counts[reason] += 1
