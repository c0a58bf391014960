"""Routing: which subscriptions are owed an event. Pure: no database, no clock."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.subscriptions import Subscription

TOPICS = {
    "raised": "violation", "risen": "violation", "ended": "violation", "withdrawn": "violation",
    "moved": "case", "issued": "report", "warned": "warning",
}  # fmt: skip
"""Event of the outbox to its topic."""

Party = tuple[str, str]
"""Role and tenant: ``("county", "652301")``; ``("centre", "")``."""

CENTRE: Party = ("centre", "")


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides who is owed an event.

    Attributes
    ----------
    county, company : str
        Of the vehicle, or that a report is about; empty for nobody, and for a report of more than one.
    kind, severity
        Of the violation; of no meaning for a report, and a warning has no severity.
    """

    topic: str
    county: str
    company: str
    kind: str = ""
    severity: int = 0

    @property
    def parties(self) -> Iterable[Party]:
        """Who is concerned: a report is its own party's alone, all else also those above."""
        company, county = ("company", self.company), ("county", self.county)
        if self.topic == "report":
            return (company if self.company else county if self.county else CENTRE,)
        return (CENTRE, *([county] if self.county else []), *([company] if self.company else []))


class Routes:
    """Subscriptions by whose they are.

    Parameters
    ----------
    live : iterable of Subscription
        Those neither disabled nor ended.
    """

    def __init__(self, live: Iterable[Subscription]) -> None:
        self._of: dict[Party, list[Subscription]] = defaultdict(list)
        for one in live:
            self._of[one.role, one.tenant].append(one)

    def owed(self, facts: Facts) -> Sequence[Subscription]:
        """Subscriptions that are owed an event."""
        return [one for party in facts.parties for one in self._of.get(party, ()) if _asks_for(one, facts)]


def _asks_for(one: Subscription, facts: Facts) -> bool:
    """Whether an event is among what its party subscribed to."""
    if facts.topic not in one.topics:
        return False
    if facts.topic == "report":
        return True
    grave = facts.topic == "warning" or facts.severity >= one.least_severity
    return grave and (not one.kinds or facts.kind in one.kinds)
