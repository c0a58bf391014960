"""Registries: the registry in the database, dated by its rows and kept in every version it ever had.

A version begins for a partition where a ``REGISTRY`` frame stands in the log, so that it counts from
the same fix on for whoever reads the log again.
"""

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ingest.fences import Feature
from ingest.log import REGISTRY, Log, NewFrame
from ingest.registry import MAPS, Registry, Source
from ingest.table import RegistryError, Row
from ledger import audit
from ledger.database import in_words, query

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_LOCK = "LOCK registry_versions IN SHARE ROW EXCLUSIVE MODE"


def _rows(source: Source, changed: Collection[str]) -> Iterator[tuple[str, int, Jsonb, int, int]]:
    for collection in changed:
        for place, row in enumerate(source.tables.get(collection, ()), 1):
            yield collection, place, _content(row.path, row.line, row.cells), *row.validity()
        for place, feature in enumerate(source.maps.get(collection, ()), 1):
            made = feature.fence() if collection == "fences" else feature.way(collection)
            content = _content(feature.path, feature.line, json.loads(feature.raw))
            yield collection, place, content, made.from_ms, made.to_ms


def _content(path: Path, line: int, value: Any) -> Jsonb:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise RegistryError(path, line, "number", "finite numbers", value) from error
    if _NUL.search(text) or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise RegistryError(
            path, line, "text", "characters that a database can keep (no NUL, no half of a pair)", value
        )
    return Jsonb(value)


def store(connection: psycopg.Connection, source: Source, actor: str) -> tuple[int, int, int]:
    """Keep a registry as a new version, unless it is the newest one already.

    Returns
    -------
    version : int
        From 1.
    gone, new : int
        Rows that ended and rows that began with it; both 0 where nothing has changed.

    Raises
    ------
    RegistryError
        It cannot be read; nothing is stored.
    DatabaseError
        The database would not take it; nothing is stored.
    """
    return change(connection, actor, lambda _: source)


def change(
    connection: psycopg.Connection,
    actor: str,
    edit: Callable[[Source], Source],
    action: str = "registry.import",
    detail: Mapping[str, Any] | None = None,
) -> tuple[int, int, int]:
    """Make a new version of the newest one, unless nothing changes; see `store`. No other change comes between.

    Parameters
    ----------
    edit : callable
        Turns the newest version, empty if there is none, into the new one; lists that it does not touch it leaves.
    detail : mapping, optional
        Goes into the audit.
    """
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_LOCK)
        newest = latest(connection)[0]
        before = read(connection, newest)
        after = edit(before)
        after.registry()
        held, wanted = before.tables | before.maps, after.tables | after.maps
        changed = [name for name in held | wanted if held.get(name) is not wanted.get(name)]
        cursor.execute(query("inner/registry_stage"))
        with cursor.copy("COPY incoming FROM STDIN") as incoming:
            for row in _rows(after, changed):
                incoming.write_row(row)
        cursor.execute(query("inner/registry_differs"), {"changed": changed})
        gone, new = cursor.fetchone() or (0, 0)
        if newest and not gone and not new:
            return newest, 0, 0
        version = newest + 1
        cursor.execute("INSERT INTO registry_versions (version, imported_by) VALUES (%s, %s)", (version, actor))
        cursor.execute(query("inner/registry_end"), {"version": version, "changed": changed})
        cursor.execute(query("inner/registry_begin"), {"version": version})
        audit.write(cursor, actor, action, f"version {version}", {"gone": gone, "new": new, **(detail or {})})
        return version, gone, new


def latest(connection: psycopg.Connection) -> tuple[int, bool]:
    """Newest version, 0 for none, and whether the log has been told of it."""
    found = connection.execute(
        "SELECT version, announced_at IS NOT NULL FROM registry_versions ORDER BY version DESC LIMIT 1"
    ).fetchone()
    return (int(found[0]), bool(found[1])) if found else (0, True)


def announce(connection: psycopg.Connection, log: Log) -> bool:
    """Tell every partition of the log of the newest version, unless it knows; whether there was need.

    After a crash in the middle it is told once more: who has a version already takes no notice.

    Raises
    ------
    LogError
        The log would not take it; call again.
    """
    with in_words():
        version, known = latest(connection)
        if known:
            return False
        content, now_ms = str(version).encode(), time.time_ns() // 1_000_000
        log.append([NewFrame(partition, REGISTRY, now_ms, content) for partition in range(log.partitions)])
        connection.execute("UPDATE registry_versions SET announced_at = now() WHERE version = %s", (version,))
    return True


def load(connection: psycopg.Connection, version: int) -> Registry:
    """Read one version and make sense of it; version 0 is a registry without a vehicle.

    Raises
    ------
    RegistryError
        This program cannot read what an older one stored.
    """
    return read(connection, version).registry()


def read(connection: psycopg.Connection, version: int) -> Source:
    """Read one version as it was written down; version 0 is empty."""
    source = Source()
    with in_words():
        for collection, place, content in connection.execute(query("inner/registry_load"), {"version": version}):
            path = Path(f"registry version {version}: {collection}")
            if collection in MAPS:
                source.maps.setdefault(collection, []).append(Feature(path, place, json.dumps(content).encode()))
            else:
                source.tables.setdefault(collection, []).append(Row(path, place, content))
    return source


def versions(connection: psycopg.Connection, below: int | None, most: int) -> list[dict[str, Any]]:
    """Versions, newest first, those below one: number, when and by whom it was imported, when the log was told."""
    with in_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("inner/registry_versions"), {"below": below, "most": most}).fetchall()


def page(connection: psycopg.Connection, version: int, collection: str, after: int, most: int) -> list[dict[str, Any]]:
    """Rows of a table or a map of a version behind a place: place, content, validity, the version they came with."""
    asked = {"version": version, "collection": collection, "after": after, "most": most}
    with in_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("inner/registry_page"), asked).fetchall()
