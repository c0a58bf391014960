"""CSV: every line begins with the name of its table, so that programs can pick one out."""

import csv as writing
from collections.abc import Iterable
from io import StringIO

from dispatch.reports.paper import Cell, Paper

_FORMULA = tuple("=+-@\t\r＝＋－＠")
"""What a spreadsheet program takes for the begin of a formula, or makes one of."""


def neutral(cell: Cell) -> Cell:
    """A cell that no spreadsheet program takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip().startswith(_FORMULA) else cell


def head(paper: Paper) -> Iterable[tuple[Cell, ...]]:
    """What stands above the tables, as rows of a name and a text."""
    yield "标题", paper.title + paper.subtitle
    yield "编号", paper.number
    yield "编制单位", paper.issuer
    yield "编制日期", paper.dated
    if paper.reason:
        yield "更正说明", paper.reason
    yield from (("综述", words) for words in paper.summary)
    yield from (("说明", words) for words in paper.statement)


def csv(paper: Paper) -> bytes:
    """Print as CSV: UTF-8 with a byte order mark, which spreadsheet programs need."""
    text = StringIO()
    lines = writing.writer(text, lineterminator="\r\n")
    lines.writerows([neutral(cell) for cell in row] for row in head(paper))
    for table in paper.tables:
        lines.writerow([table.title, *(column.name for column in table.columns)])
        lines.writerows([table.title, *map(neutral, row)] for row in table.rows)
        if not table.rows:
            lines.writerow([table.title, table.empty])
    return text.getvalue().encode("utf-8-sig")
