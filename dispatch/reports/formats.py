"""Formats: facts to files. The same facts give the same bytes, whenever and wherever they are printed."""

from collections.abc import Callable

from dispatch.reports.facts import Facts
from dispatch.reports.paper import Paper, compose
from dispatch.reports.pdf import pdf
from dispatch.reports.plain import csv
from dispatch.reports.web import html
from dispatch.reports.workbook import xlsx

MAKERS: dict[str, Callable[[Paper], bytes]] = {"html": html, "pdf": pdf, "xlsx": xlsx, "csv": csv}

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


def render(facts: Facts) -> dict[str, bytes]:
    """All files of a report, by format."""
    paper = compose(facts)
    return {name: make(paper) for name, make in MAKERS.items()}
