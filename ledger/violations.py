"""Violations: what episodes become, with a permanent id and numbered revisions.

`apply` loads what a batch touches, lets the casebook judge, and stores the outcome in the batch's transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ledger import audit
from ledger.casebook import CLOSED, ONLINE, Casebook, Episode, Key, Violation, Withdrawal
from ledger.database import query

ACTOR = "detect"
"""Who it was, in the audit, that withdrew a violation."""


def withdraw(
    cursor: psycopg.Cursor[Any], withdrawals: Sequence[Withdrawal], *, pass_: str = ONLINE, actor: str = ACTOR
) -> Casebook:
    """Withdraw violations, each once, in the cursor's transaction; those concerned are owed to be told."""
    asked = {one.violation_id: one for one in withdrawals}
    none: dict[str, list[Any]] = {"vehicles": [], "kinds": [], "from_ms": [], "to_ms": []}
    book = Casebook({}, pass_=pass_)
    with cursor.connection.cursor(row_factory=class_row(Violation)) as rows:
        found = rows.execute(query("inner/violations_touched"), {"ids": list(asked), **none}).fetchall()
    for violation in found:
        if violation.status != "withdrawn":
            one = asked[violation.id]
            book.withdraw(violation, one)
            told = {"reason": one.reason, "registry_version": one.registry_version, "revision": violation.revision}
            audit.write(cursor, actor, "violation.withdraw", str(violation.id), told)
    _store(cursor, book)
    return book


def apply(cursor: psycopg.Cursor[Any], episodes: Sequence[Episode]) -> Casebook:
    """Let the episodes of a batch become violations, in the cursor's transaction."""
    book = _load(cursor, episodes, ONLINE)
    for episode in episodes:
        book.take(episode)
    _store(cursor, book)
    return book


def settle(cursor: psycopg.Cursor[Any], episodes: Sequence[Episode]) -> Casebook:
    """Let the episodes of a closed day settle what its violations are, in the cursor's transaction."""
    book = _load(cursor, episodes, CLOSED)
    for episode in episodes:
        book.settle(episode)
    _store(cursor, book)
    return book


def _load(cursor: psycopg.Cursor[Any], episodes: Iterable[Episode], pass_: str) -> Casebook:
    """The violations that the episodes are part of, or may join."""
    firsts: dict[Key, Episode] = {}
    for episode in episodes:
        firsts.setdefault(episode.key, episode)
    wanted = {
        "vehicles": [key.vehicle_id for key in firsts],
        "kinds": [key.kind for key in firsts],
        "begins_ms": [key.begins_ms for key in firsts],
        "pass": pass_,
    }
    parts = cursor.execute(query("inner/violations_of_episodes"), wanted).fetchall()
    held = {Key(*part[:3]): part[3] for part in parts}
    new = [episode for key, episode in firsts.items() if key not in held]
    near = {
        "ids": list(held.values()),
        "vehicles": [episode.vehicle_id for episode in new],
        "kinds": [episode.kind for episode in new],
        "from_ms": [episode.begins_ms - episode.merge_ms for episode in new],
        "to_ms": [episode.ends_ms + episode.merge_ms for episode in new],
    }
    with cursor.connection.cursor(row_factory=class_row(Violation)) as rows:
        found = {violation.id: violation for violation in rows.execute(query("inner/violations_touched"), near)}
    touched = set(held.values())
    others = [violation for violation in found.values() if violation.id not in touched]
    return Casebook({key: found[id_] for key, id_ in held.items()}, others, pass_=pass_)


def _store(cursor: psycopg.Cursor[Any], book: Casebook) -> None:
    cursor.executemany(
        query("inner/violations_keep"),
        [{**_columns(violation), "measures": Jsonb(violation.measures)} for violation in book.changed.values()],
    )
    cursor.executemany(
        "INSERT INTO violation_episodes AS held (vehicle_id, kind, pass, begins_ms, violation_id) "
        "VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (vehicle_id, kind, pass, begins_ms) DO UPDATE SET violation_id = excluded.violation_id "
        "WHERE (SELECT status FROM violations WHERE id = held.violation_id) = 'withdrawn'",
        [(key.vehicle_id, key.kind, book.pass_, key.begins_ms, id_) for key, id_ in book.founded.items()],
    )
    cursor.executemany(
        query("inner/violations_revise"),
        [
            {
                **_columns(revision.stands),
                "measures": Jsonb(revision.stands.measures),
                "fact": revision.fact,
                "reason": revision.reason,
                "pass": book.pass_,
            }
            for revision in book.revisions
        ],
    )
    cursor.executemany(
        "INSERT INTO outbox (id, violation_id, revision, event) VALUES (%s, %s, %s, %s)",
        [(event.id, *event) for event in book.events],
    )


def _columns(violation: Violation) -> dict[str, Any]:
    return {name: getattr(violation, name) for name in Violation.__slots__}
