"""Papers: dated rows about vehicles and staff (formats.md §2), as they are written down."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import values

Holder = tuple[str, int] | str
"""(plate, plate_color) of a vehicle, or the text that fixes carry as driver."""

SORT_OF = {
    "status": "status",
    "documents": "document",
    "permits": "permit",
    "waybills": "",
    "charters": "",
    "assignments": "",
    "duties": "",
    "roster": "role",
    "exits": "",
    "qualifications": "qualification",
    "staff": "role",
}
"""Tables that are read, and the column that tells their sorts apart."""

OF_STAFF = ("qualifications", "staff")


@dataclass(slots=True)
class Paper:
    """One row; it holds "from `valid_from` (inclusive) until `valid_to` (exclusive)"."""

    sort: str
    begin: float
    end: float
    cells: dict[str, str] = field(default_factory=dict)

    def holds(self, t: int) -> bool:
        """Whether it holds at a time."""
        return self.begin <= t < self.end


class Papers:
    """All tables, by holder, each in the order of its file."""

    def __init__(self, tables: dict[str, dict[Holder, list[Paper]]] | None = None) -> None:
        self.tables = tables or {}

    @classmethod
    def read(cls, folder: Path) -> "Papers":
        """ "What is not there is empty"."""
        paths = {table: folder / f"{table}.csv" for table in SORT_OF}
        return cls({table: read_table(table, path) for table, path in paths.items() if path.exists()})

    def any(self, table: str, sort: str = "") -> bool:
        """Whether there is a row (of a sort) at all, whoever holds it and whenever."""
        rows = (row for rows in self.tables.get(table, {}).values() for row in rows)
        return any(not sort or row.sort == sort for row in rows)

    def of(self, table: str, holder: Holder | None, sort: str = "") -> list[Paper]:
        """Rows of a holder."""
        rows = [] if holder is None else self.tables.get(table, {}).get(holder, [])
        return [row for row in rows if not sort or row.sort == sort]

    def holding(self, table: str, holder: Holder | None, t: int, sort: str = "") -> list[Paper]:
        """Rows of a holder that hold at a time."""
        return [row for row in self.of(table, holder, sort) if row.holds(t)]

    def latest(self, table: str, holder: Holder | None, t: int, sort: str) -> Paper | None:
        """The row of this sort that began last, at or before t, whether it still holds or not."""
        begun = [row for row in self.of(table, holder, sort) if row.begin <= t]
        return max(begun, key=lambda row: row.begin, default=None)

    def unbroken(self, table: str, holder: Holder, t: int, sort: str) -> float | None:
        """Until when the holder has papers of this sort "without a break" from t on; None where none holds at t."""
        end: float | None = None
        at: float = t
        while longer := [row.end for row in self.of(table, holder, sort) if row.begin <= at < row.end]:
            end = at = max(longer)
        return end


def read_table(table: str, path: Path) -> dict[Holder, list[Paper]]:
    """One CSV file."""
    found: dict[Holder, list[Paper]] = {}
    for holder, paper in rows_of(table, path):
        found.setdefault(holder, []).append(paper)
    return found


def rows_of(table: str, path: Path) -> Iterator[tuple[Holder, Paper]]:
    """Its rows, with their holders."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for raw in csv.DictReader(file):
            cells = {name: (text or "").strip() for name, text in raw.items()}
            begin, end = values.validity(cells.get("valid_from", ""), cells.get("valid_to", ""))
            color = values.whole(cells.get("plate_color", ""), 255)
            holder: Holder = cells["staff"] if table in OF_STAFF else (cells["plate"], 2 if color is None else color)
            yield holder, Paper(cells.get(SORT_OF[table], ""), begin, end, cells)
