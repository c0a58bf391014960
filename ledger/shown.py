"""Shown: what somebody sees of the ledger. Every query here is bound to a principal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from detectors.episodes import SUPERSEDED_BY
from ledger import audit
from ledger.database import in_words, query
from ledger.principal import Principal
from ledger.warned import Asked
from ledger.warned import Place as WarnedPlace

_SUPERSEDING = {"pairs": list(SUPERSEDED_BY), "graver": list(SUPERSEDED_BY.values())}


class Place(NamedTuple):
    """Where a page of violations ends, so that the next one can begin there."""

    due: datetime | None
    raised_ms: int
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which violations are wanted; None is any.

    Attributes
    ----------
    of_county, of_company : str or None
        County and company of the vehicle when it was raised.
    from_ms, to_ms : int or None
        Bounds of ``raised_ms``, the second one exclusive [ms].
    vehicles : list of int or None
        Permanent numbers.
    stations : list of str or None
        Areas, as PostgreSQL writes polygons, in one of which it was raised.
    by_due : bool
        Those whose case owes a move, the longest due first; otherwise the newest first.
    """

    ids: Sequence[UUID] | None = None
    of_county: str | None = None
    of_company: str | None = None
    place_county: str | None = None
    kinds: Sequence[str] | None = None
    severities: Sequence[int] | None = None
    statuses: Sequence[str] | None = None
    states: Sequence[str] | None = None
    plate: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    lead: bool | None = None
    overdue: bool | None = None
    superseded: bool | None = None
    vehicles: Sequence[int] | None = None
    stations: Sequence[str] | None = None
    by_due: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the query of a page."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Shown:
    """The ledger as a principal may see it.

    Parameters
    ----------
    connection : psycopg.Connection
    principal : Principal
    """

    connection: psycopg.Connection
    principal: Principal

    def rows(self, name: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Rows of a query of ``queries/shown``, by name.

        Raises
        ------
        DatabaseError
        """
        with in_words(), self.connection.cursor(row_factory=dict_row) as cursor:
            yield from cursor.execute(query(f"shown/{name}"), {**parameters, **self.principal.scope})

    def violations(self) -> Iterator[dict[str, Any]]:
        """Violations as they stand, by plate, plate colour, kind and begin.

        A violation that a graver one of the same vehicle overlaps shows it as ``superseded_by``.
        """
        return self.rows("violations", superseded=_SUPERSEDING["pairs"], graver=_SUPERSEDING["graver"])

    def page(self, wanted: Wanted, limit: int, after: Place | None = None) -> list[dict[str, Any]]:
        """Violations that are wanted, with the state of their cases, from behind a place on."""
        place = {
            "after_due": after and after.due,
            "after_ms": after and after.raised_ms,
            "after_id": after and after.id,
        }
        return list(self.rows("violation_page", **wanted.parameters, **_SUPERSEDING, **place, limit=limit))

    def fixes(self, violation: UUID, margin_ms: int, limit: int, reader: str) -> list[dict[str, Any]]:
        """Fixes of the vehicle while a violation lasted and for a margin around it; of too many, evenly spread ones.

        Where somebody was is personal: that the reader looked goes into the audit.
        """
        found = list(self.rows("violation_fixes", id=violation, margin_ms=margin_ms, limit=limit))
        if found:
            told = {"role": str(self.principal.role), "tenant": self.principal.tenant, "fixes": len(found)}
            with in_words(), self.connection.transaction(), self.connection.cursor() as cursor:
                audit.write(cursor, reader, "track.read", str(violation), told)
        return found

    def counts(self, from_ms: int, to_ms: int, stations: Sequence[str]) -> list[dict[str, Any]]:
        """Violations raised within a time [ms], by vehicle, county and severity."""
        span = {"from_ms": from_ms, "to_ms": to_ms}
        return list(self.rows("violation_counts", **span, stations=list(stations), **_SUPERSEDING))

    def cases(self, stations: Sequence[str]) -> list[dict[str, Any]]:
        """Cases that wait for somebody, by vehicle, county and state."""
        return list(self.rows("violation_cases", stations=list(stations)))

    def events(self, after: int, upto: int) -> list[dict[str, Any]]:
        """What happened to violations and cases between two feed numbers, the first one excluded."""
        return list(self.rows("violation_events", after=after, upto=upto))

    def issued(self, after: int, upto: int) -> list[dict[str, Any]]:
        """Reports issued between two feed numbers, the first one excluded."""
        return list(self.rows("report_events", after=after, upto=upto))

    def warnings(self, asked: Asked, limit: int, after: WarnedPlace | None = None) -> list[dict[str, Any]]:
        """Warnings that are asked for, newest first, with the violation that each became, from behind a place on."""
        place = {"after_ms": after and after.warned_ms, "after_id": after and after.id}
        return list(self.rows("warning_page", **asked.parameters, **place, limit=limit))

    def warned(self, after: int, upto: int) -> list[dict[str, Any]]:
        """Warnings given between two feed numbers, the first one excluded."""
        return list(self.rows("warning_events", after=after, upto=upto))

    def outcomes(self, asked: Asked, now_ms: int) -> list[dict[str, Any]]:
        """Warnings that are asked for by kind: how many, and after how many the violation happened or did not."""
        return list(self.rows("warning_outcomes", **asked.parameters, now_ms=now_ms))

    def revisions(self, violation: UUID) -> Iterator[dict[str, Any]]:
        """All revisions of a violation, oldest first; none where it is not the principal's to see."""
        return self.rows("revisions", id=violation)

    def track(self, violation: UUID, margin_ms: int = 600_000) -> Iterator[dict[str, Any]]:
        """Fixes of the vehicle while a violation lasted, and for a margin before and after."""
        return self.rows("track", id=violation, margin_ms=margin_ms)
