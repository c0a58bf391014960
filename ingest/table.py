"""Rows of a registry's CSV file, with errors that name file, line, field and what was expected."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from ingest.headings import column
from ingest.moment import from_ms, until_ms

MOST_ROWS = 1_000_000
"""Rows of a table."""

MOST_BYTES = 256 << 20
"""Size of a file [B]."""


class RegistryError(ValueError):
    """A registry cannot be read: says file, line, field, what was expected and what was found.

    Attributes
    ----------
    path : Path
        File, or sheet of a workbook, or table of a stored version.
    line : int
        From 1; 0 for the whole file.
    """

    def __init__(self, path: Path, line: int, field: str, expected: str, found: object) -> None:
        where = f"{path}, line {line}" if line else str(path)
        shown = repr(found)
        shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
        super().__init__(f"{where}, field {field!r}: expected {expected}, found {shown}")
        self.path, self.line = path, line


def listed(text: str) -> frozenset[str]:
    """Codes of a list in one cell, between blanks, commas or semicolons, also Chinese ones."""
    return frozenset(filter(None, re.split(r"[\s,;，；、]+", text)))


class Row:
    """One data row of a CSV file; its readers raise `RegistryError`."""

    def __init__(self, path: Path, line: int, cells: dict[str, str]) -> None:
        self.path, self.line, self.cells = path, line, cells

    def fail(self, field: str, expected: str) -> NoReturn:
        """Refuse the row for the sake of this field."""
        raise RegistryError(self.path, self.line, field, expected, self.cells.get(field, ""))

    def text(self, field: str, *, required: bool = False) -> str:
        """Stripped text; empty where missing."""
        value = self.cells.get(field, "").strip()
        if required and not value:
            self.fail(field, "a text")
        return value

    def whole(self, field: str, default: int, low: int, high: int) -> int:
        """Whole number from `low` to `high`, or the default where empty."""
        value = self.text(field)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high):
            self.fail(field, f"a whole number from {low} to {high}")
        return int(value)

    def number(self, field: str) -> float:
        """Finite number; required."""
        try:
            value = float(self.text(field, required=True))
        except ValueError:
            self.fail(field, "a number")
        if not abs(value) < 1e15:
            self.fail(field, "a number below 1e15")
        return value

    def validity(self) -> tuple[int, int]:
        """``valid_from`` (inclusive) and ``valid_to`` (exclusive) [ms]; an empty one has no end."""
        span = from_ms(self.text("valid_from")), until_ms(self.text("valid_to"))
        for field, moment in zip(("valid_from", "valid_to"), span, strict=True):
            if moment is None:
                self.fail(field, "a date, an ISO 8601 time or epoch milliseconds")
        begin, end = span
        if begin is None or end is None or begin >= end:
            self.fail("valid_to", f"a time after valid_from ({self.text('valid_from')})")
        return begin, end


def read_header(path: Path, cells: Sequence[str], required: tuple[str, ...], known: tuple[str, ...] = ()) -> list[str]:
    """Columns that a header names, in English; it must hold at least the required ones.

    Where `known` names all that there are, another column is refused: a misspelt one would be silent.

    Raises
    ------
    RegistryError
        There is none, a required column is missing, or one stands twice or is not known.
    """
    if not cells:
        raise RegistryError(path, 1, "file", "a line that names the columns", "nothing")
    header = [column(cell.strip()) for cell in cells]
    for name in required:
        if name not in header:
            raise RegistryError(path, 1, name, "a column of this name", ",".join(cells))
    for name, cell in zip(header, cells, strict=True):
        if header.count(name) > 1 or (known and name not in known):
            expected = f"columns of {', '.join(known)}, each once" if known else "each column once"
            raise RegistryError(path, 1, name, expected, cell)
    return header


def read_rows(
    path: Path,
    lines: Iterable[tuple[int, list[str]]],
    required: tuple[str, ...],
    known: tuple[str, ...],
    refused: list[RegistryError],
) -> Iterator[Row]:
    """Make rows of numbered lines, the first of them a header; lines of another length are put into `refused`.

    Raises
    ------
    RegistryError
        The header, see `read_header`, or more than `MOST_ROWS` rows.
    """
    numbered = iter(lines)
    header = read_header(path, next(numbered, (1, []))[1], required, known)
    for count, (line, cells) in enumerate(numbered, 1):
        if count > MOST_ROWS:
            raise RegistryError(path, line, "file", f"at most {MOST_ROWS:,} rows", "more")
        if len(cells) == len(header):
            yield Row(path, line, dict(zip(header, cells, strict=True)))
        else:
            expected = f"{len(header)} fields as in the header"
            refused.append(RegistryError(path, line, header[0] if header else "", expected, ",".join(cells)))


def read_table(
    path: Path, required: tuple[str, ...], known: tuple[str, ...], refused: list[RegistryError]
) -> Iterator[Row]:
    """Read a CSV file with a header line; see `read_rows`.

    Raises
    ------
    RegistryError
        Also: not UTF-8, too large, or unreadable.
    """

    def lines() -> Iterator[tuple[int, list[str]]]:
        for cells in reader:
            if cells:
                yield reader.line_num, cells

    check_size(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            yield from read_rows(path, lines(), required, known, refused)
    except UnicodeDecodeError as error:
        raise RegistryError(path, 0, "text", "UTF-8", error.reason) from error
    except (OSError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RegistryError(path, 0, "file", "a readable CSV file", reason) from error


def check_size(path: Path) -> None:
    """Refuse a file that is too large to be a registry's.

    Raises
    ------
    RegistryError
    """
    try:
        size = path.stat().st_size
    except OSError:
        return  # whoever opens it will say so
    if size > MOST_BYTES:
        raise RegistryError(path, 0, "file", f"at most {MOST_BYTES:,} bytes", f"{size:,}")
