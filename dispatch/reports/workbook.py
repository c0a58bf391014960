"""XLSX: one sheet for the numbers, one for the violations, one for the quality of the data."""

from datetime import datetime
from io import BytesIO

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from dispatch.reports.paper import DETAIL, QUALITY, SUMMARY, Paper, Table
from dispatch.reports.plain import head, neutral

_MADE = datetime(2000, 1, 1)
"""Of all workbooks: equal facts make equal bytes."""
_WIDTH = 6.5
"""Characters for one share of width."""


def xlsx(paper: Paper) -> bytes:
    """Print as a workbook."""
    target = BytesIO()
    book = Workbook(target, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": paper.title, "subject": paper.number, "author": paper.issuer, "created": _MADE})
    title = book.add_format({"bold": True, "font_size": 15, "font_color": "#C00000"})
    words = book.add_format({"text_wrap": True, "valign": "top"})
    styles = _Styles(
        book.add_format({"bold": True, "font_size": 12}),
        book.add_format(
            {"bold": True, "bg_color": "#F2E3E3", "border": 1, "border_color": "#BFBFBF", "text_wrap": True}
        ),
        book.add_format({"border": 1, "border_color": "#D9D9D9", "valign": "top"}),
        book.add_format({"border": 1, "border_color": "#D9D9D9", "valign": "top", "num_format": "#,##0"}),
    )
    for name in (SUMMARY, DETAIL, QUALITY):
        sheet = book.add_worksheet(name)
        tables = [table for table in paper.tables if table.sheet == name]
        _page(sheet, tables, paper)
        row = 0
        if name == SUMMARY:
            sheet.write_string(0, 0, str(neutral(paper.title + paper.subtitle)), title)
            for row, (key, text) in enumerate(list(head(paper))[1:], 1):
                sheet.set_row(row, 15.0 * -(-len(str(text)) // 44))
                sheet.write_string(row, 0, str(key), words)
                sheet.merge_range(row, 1, row, 9, str(neutral(text)), words)
            row += 2
        for table in tables:
            row = _write(sheet, table, row, styles)
    book.close()
    return target.getvalue()


class _Styles:
    def __init__(self, title: Format, head: Format, text: Format, number: Format) -> None:
        self.title, self.head, self.text, self.number = title, head, text, number


def _page(sheet: Worksheet, tables: list[Table], paper: Paper) -> None:
    """Make a sheet ready: widths of columns, and how it is printed."""
    widths: dict[int, float] = {}
    for table in tables:
        for at, column in enumerate(table.columns):
            widths[at] = max(widths.get(at, 0.0), column.width)
    for at, width in widths.items():
        sheet.set_column(at, at, max(8.0, width * _WIDTH))
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{paper.number.replace('&', '&&')}&R&P / &N")
    if tables and tables[0].wide:
        sheet.set_landscape()
        sheet.repeat_rows(1)
        sheet.freeze_panes(2, 2)


def _write(sheet: Worksheet, table: Table, row: int, styles: _Styles) -> int:
    """Write a table from a row on; returns the row after it and a gap."""
    sheet.write_string(row, 0, table.title, styles.title)
    for at, column in enumerate(table.columns):
        sheet.write_string(row + 1, at, column.name, styles.head)
    row += 2
    for cells in table.rows:
        for at, cell in enumerate(cells):
            if isinstance(cell, int):
                sheet.write_number(row, at, cell, styles.number)
            else:
                sheet.write_string(row, at, str(neutral(cell)), styles.text)
        row += 1
    if not table.rows:
        sheet.write_string(row, 0, table.empty, styles.text)
        row += 1
    return row + 1
