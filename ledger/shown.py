"""Shown: what somebody sees of the ledger. Every query here is bound to a principal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from detectors.episodes import SUPERSEDED_BY
from ledger.database import in_words, query
from ledger.principal import Principal


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
        kinds, graver = list(SUPERSEDED_BY), list(SUPERSEDED_BY.values())
        return self.rows("violations", superseded=kinds, graver=graver)

    def revisions(self, violation: UUID) -> Iterator[dict[str, Any]]:
        """All revisions of a violation, oldest first; none where it is not the principal's to see."""
        return self.rows("revisions", id=violation)

    def track(self, violation: UUID, margin_ms: int = 600_000) -> Iterator[dict[str, Any]]:
        """Fixes of the vehicle while a violation lasted, and for a margin before and after."""
        return self.rows("track", id=violation, margin_ms=margin_ms)
