"""Copy: columns into a table by PostgreSQL's binary COPY, in a buffer that numpy builds.

Every field of a row is preceded by its length and stands big-endian; rows of fixed-size fields are
therefore one structured array, filled column by column, without an object per row. A table that is
loaded so has no NULLs.
"""

from collections.abc import Iterable, Mapping
from typing import Any, LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"


class Layout:
    """The binary rows of a table.

    Parameters
    ----------
    table : str
        Its name.
    columns : mapping
        Column to numpy type: ``i2``, ``i4``, ``i8``, ``f4``, ``f8`` or ``u1`` (boolean).
    """

    def __init__(self, table: str, columns: Mapping[str, str]) -> None:
        self.columns = tuple(columns)
        self._names = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._table = sql.Identifier(table)
        fields = [
            (f"{name}{part}", f">{kind}")
            for name, kind in columns.items()
            for part, kind in ((" size", "i4"), ("", kind))
        ]
        self.dtype = np.dtype([("fields", ">i2"), *fields])
        self._blank = np.zeros((), self.dtype)
        self._blank["fields"] = len(columns)
        for name in columns:
            self._blank[f"{name} size"] = self.dtype[name].itemsize

    def rows(self, n: int) -> NDArray[np.void]:
        """Rows to be filled, (n,): sizes are set, values are zero."""
        return np.full(n, self._blank)

    def into(self, table: LiteralString = "") -> sql.Composed:
        """Command that copies into the table, or into another of these columns, quoted as SQL has it."""
        where = sql.SQL(table) if table else self._table
        return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(where, self._names)

    def copy(self, cursor: psycopg.Cursor[Any], parts: Iterable[NDArray[np.void]], table: LiteralString = "") -> None:
        """Send rows to a table (see `into`), in the cursor's transaction.

        While one part is filled the server stores the last.
        """
        with cursor.copy(self.into(table)) as target:
            target.write(_HEADER)
            for rows in parts:
                target.write(rows.data.cast("B") if len(rows) else b"")
            target.write(_TRAILER)

    def parse(self, content: bytes) -> NDArray[np.void]:
        """Rows of what ``COPY ... TO STDOUT (FORMAT binary)`` of these columns gave, (n,).

        Raises
        ------
        ValueError
            Another format, or rows with NULLs.
        """
        body = content[len(_HEADER) : -len(_TRAILER)]
        whole = content[: len(_HEADER)] == _HEADER and content[len(_HEADER) + len(body) :] == _TRAILER
        if not whole or len(body) % self.dtype.itemsize:
            raise ValueError("not a binary copy of this layout")
        rows = np.frombuffer(body, self.dtype)
        for name in ("fields", *(f"{name} size" for name in self.columns)):
            if (rows[name] != self._blank[name]).any():
                raise ValueError("not a binary copy of this layout")
        return rows
