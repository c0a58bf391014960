"""Workbooks: sheets of an XLSX file as numbered lines of text.

A workbook is a ZIP archive: what it says it unfolds to is bounded before any of it is read, and no more than that is
ever unfolded.
"""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from ingest.table import MOST_ROWS, RegistryError, check_size

warnings.filterwarnings("ignore", module="openpyxl")  # of styles and the like, which nobody reads here

MOST_UNFOLDED_BYTES = 512 << 20
"""What a workbook may unfold to [B]."""

MOST_COLUMNS = 64
"""Columns of a sheet."""

_BROKEN = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}
_NO_WORKBOOK = "a readable XLSX workbook"


Lines = Iterator[tuple[int, list[str]]]
"""Numbered lines of cells."""


def read_workbook(path: Path, refused: list[RegistryError]) -> Iterator[tuple[str, Lines]]:
    """Read the sheets of a workbook: the name of each, and its lines; those without text are left out.

    A line has as many cells as the first one, or more where they are not empty. Formulas count as what they last
    came to; a line with one that came to an error is put into `refused`.

    Raises
    ------
    RegistryError
        It cannot be read, or is too large.
    """
    check_size(path)
    with _readable(path):
        with zipfile.ZipFile(path) as archive:
            unfolded = sum(part.file_size for part in archive.infolist())
        if unfolded > MOST_UNFOLDED_BYTES:
            expected = f"a workbook that unfolds to at most {MOST_UNFOLDED_BYTES:,} bytes"
            raise RegistryError(path, 0, "file", expected, f"{unfolded:,}")
        with closing(load_workbook(path, read_only=True, data_only=True, keep_links=False)) as workbook:
            for sheet in workbook.worksheets:
                yield sheet.title.strip(), _lines(path / sheet.title, sheet, refused)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever openpyxl and its parser stumble over is told in one way: they raise all kinds of errors."""
    try:
        yield
    except RegistryError:
        raise
    except OSError as error:
        raise RegistryError(path, 0, "file", _NO_WORKBOOK, error.strerror or str(error)) from error
    except Exception as error:
        raise RegistryError(path, 0, "file", _NO_WORKBOOK, f"{type(error).__name__}: {error}") from error


def _lines(path: Path, sheet: Any, refused: list[RegistryError]) -> Lines:
    width = 0
    for line, row in _rows(path, sheet):
        cells = list(map(_text, row))
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MOST_COLUMNS:
            raise RegistryError(path, line, "file", f"at most {MOST_COLUMNS} columns", "more")
        if broken := _BROKEN.intersection(cells):
            expected = "a value, not the error of a formula"
            refused.append(RegistryError(path, line, f"cell {cells.index(min(broken)) + 1}", expected, min(broken)))
        elif cells:
            width = width or len(cells)
            yield line, cells + [""] * (width - len(cells))


def _rows(path: Path, sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Numbered rows of values; what stands in the sheet of its own size is not believed."""
    with _readable(path):
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS + 1, values_only=True)
        yield from enumerate(rows, 1)


def _text(cell: Any) -> str:
    """A cell as it would stand in a CSV file: a date without a clock is a bare date."""
    match cell:
        case None:
            return ""
        case bool():
            return str(int(cell))
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)
