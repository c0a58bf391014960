"""Late: violations that papers handed in afterwards may clear."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from detectors.kind import Kind
from ingest.moment import DAY_MS
from ingest.papers import SORTS
from ledger.database import query


@dataclass(frozen=True, slots=True)
class Candidate:
    """A violation with a row of the registry, changed between two versions, that may clear it.

    Attributes
    ----------
    collection : str
        Table of the row.
    is_new : bool
        It has begun; otherwise it is gone.
    number : str
        Of the paper; empty where it has none.
    """

    id: UUID
    vehicle_id: int
    kind: str
    plate: str
    plate_color: int
    begins_ms: int
    raised_ms: int
    ends_ms: int
    collection: str
    is_new: bool
    number: str

    def reason(self, version: int) -> str:
        """Why it is withdrawn, in words."""
        sort = SORTS.get(self.collection)
        zh, en = (sort.zh, sort.en) if sort else (self.collection, self.collection)
        number = f" {self.number}" if self.number else ""
        if self.is_new:
            return f"补录{zh}{number}（登记第{version}版） handed in later: {en}{number} (registry version {version})"
        return f"更正{zh}{number}（登记第{version}版） put right: {en}{number} (registry version {version})"


def candidates(
    connection: psycopg.Connection, kinds: Mapping[str, Kind], after: int, version: int
) -> Iterator[Candidate]:
    """Violations that stand, and that rows changed behind one version, up to another, may clear.

    Rows that hold within a day of a violation count: a rule may look before its begin.
    """
    pairs = [(code, table) for code, kind in kinds.items() if kind.scope == "vehicle" for table in kind.tables]
    asked: dict[str, Any] = {
        "kinds": [code for code, _ in pairs],
        "tables": [table for _, table in pairs],
        "after": after,
        "version": version,
        "margin_ms": DAY_MS,
    }
    with connection.cursor(row_factory=class_row(Candidate)) as rows:
        yield from rows.execute(query("inner/violations_late"), asked).fetchall()
