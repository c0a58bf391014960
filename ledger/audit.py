"""Audit: what was done, by whom; rows are added and never changed."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb


def write(cursor: psycopg.Cursor[Any], actor: str, action: str, subject: str, detail: dict[str, Any]) -> None:
    """Add a row, in the transaction of what it tells of."""
    cursor.execute(
        "INSERT INTO audit (actor, action, subject, detail) VALUES (%s, %s, %s, %s)",
        (actor, action, subject, Jsonb(detail)),
    )
