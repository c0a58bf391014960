"""``docs/formats.md`` §2 names every table and column that the program reads, and no other."""

import re
from pathlib import Path

from ingest.papers import SORTS, STAFF, VEHICLE
from ingest.registry import MAPS, TABLES

HOUSE = Path(__file__).parents[2]


def described(head: str) -> dict[str, list[str]]:
    """Cells of the rows of the table of the page whose first heading is this, by the name in the first cell."""
    page = (HOUSE / "docs" / "formats.md").read_text(encoding="utf-8")
    lines = page[page.index(f"| {head} |") :].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cells[0].strip("`"): cells[1:] for cells in rows}


def test_every_table_and_column() -> None:
    found = described("table")
    assert set(found) == set(TABLES)
    for name, (required, known) in TABLES.items():
        cells, sort = found[name], SORTS.get(name)
        columns = tuple(re.findall("`([a-z_]+)`", cells[0]))
        must = set(re.findall(r"\*\*`([a-z_]+)`\*\*", cells[0]))
        assert not known or set(columns) == set(known), name
        if sort is None:
            assert must == set(required), name
        else:
            holder = {VEHICLE: {"plate"}, STAFF: {"staff"}}.get(sort.holder, set())
            ends = {"valid_to"} if sort.ends else set()
            by = {sort.by} if sort.by else set()
            assert must == {*holder, *by, *sort.required, *ends}, name
            assert set(sort.sorts) <= set(re.findall("`([A-Za-z_]+)`", cells[1])), name


def test_every_map() -> None:
    assert set(described("map")) == set(MAPS)
