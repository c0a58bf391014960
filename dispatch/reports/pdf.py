"""PDF: the form of an official paper, set by typst."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import pylopdf_fonts_zh_cn as fonts
import typst

from dispatch.reports.paper import Cell, Paper, Table

MOST_ROWS = 1_000
"""Rows that a table shows on paper; how many there are, and where, stands below it."""


def pdf(paper: Paper) -> bytes:
    """Print as PDF."""
    content = {
        "issuer": paper.issuer,
        "number": paper.number,
        "title": paper.title,
        "subtitle": paper.subtitle,
        "reason": paper.reason,
        "summary": paper.summary,
        "statement": paper.statement,
        "dated": paper.dated,
        "tables": [_table(table) for table in paper.tables],
    }
    parts: Any = {"main.typ": _form(), "paper.json": json.dumps(content, ensure_ascii=False).encode()}
    printed, warnings = typst.compile_with_warnings(parts, font_paths=_fonts(), format="pdf", timestamp=0)
    if warnings or not isinstance(printed, bytes):  # a font that is not found leaves empty pages, with a warning
        raise RuntimeError(f"the report cannot be set: {[warning.message for warning in warnings]}")
    return printed


def _table(table: Table) -> dict[str, Any]:
    note = ""
    if len(table.rows) > MOST_ROWS:
        note = (
            f"本表共{len(table.rows):,}行，纸面列示前{MOST_ROWS:,}行（按等级由重到轻、时间由早到晚）；"
            "全部内容见同编号XLSX、CSV文件。"
        )
    return {
        "title": table.title,
        "heads": [column.name for column in table.columns],
        "widths": [column.width for column in table.columns],
        "numbers": [column.number for column in table.columns],
        "rows": [[_cell(cell) for cell in row] for row in table.rows[:MOST_ROWS]],
        "empty": table.empty,
        "wide": table.wide,
        "total": table.total,
        "note": note,
    }


def _cell(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else cell


@cache
def _form() -> bytes:
    return (files("dispatch.reports") / "forms" / "daily.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    folders = {str(path.parent) for path in (fonts.serif_path(), fonts.sans_path())}
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=sorted(folders))
