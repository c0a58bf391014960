"""Router: events become deliveries and cases, each chunk in one transaction: all of it or nothing."""

from collections.abc import Callable
from typing import Any

import psycopg

from dispatch.payloads import TYPES, Names, payload
from dispatch.routing import TOPICS, Facts, Routes
from ledger import casework, deliveries, outbox, subscriptions
from ledger.deliveries import Owed
from ledger.outbox import Row

CHUNK = 500
"""How many events are routed in one transaction, at most."""


def route(
    connection: psycopg.Connection,
    most: int = CHUNK,
    step: Callable[[str], None] = lambda _: None,
    names: Names | None = None,
) -> int:
    """Route the oldest events that nobody has been told of; returns how many there were.

    Several processes may do this at the same time: one after the other, each event once.

    Parameters
    ----------
    step : callable
        Told the name of every step when it is done.
    names : Names or None
        Kept from call to call; read for this one if left out.

    Raises
    ------
    DatabaseError
        Nothing of the chunk was done.
    """
    with outbox.unrouted(connection, most) as (cursor, rows):
        if not rows:
            return 0
        step("read")
        for row in rows:
            if TOPICS[row["event"]] == "violation":
                _casework(cursor, row)
        step("cases")
        routes = Routes(subscriptions.live(cursor))
        known = (names or Names()).refresh(connection)
        deliveries.owe(cursor, [one for row in rows for one in _owed(row, routes, known)])
        step("deliveries")
        outbox.routed(cursor, [row["id"] for row in rows])
        step("numbers")
    step("commit")
    return len(rows)


def _casework(cursor: psycopg.Cursor[Any], row: Row) -> None:
    """Open the case of a violation, or let it end where the violation is withdrawn or a graver one takes its place."""
    violation = row["violation_id"]
    if row["event"] == "withdrawn":
        words = "违规已撤销 the violation was withdrawn"
        why = row["withdrawn_for"]
        casework.system_move(cursor, violation, "withdraw", f"{words}: {why}" if why else words)
        return
    if row["superseded_by"] is not None:
        casework.system_move(cursor, violation, "supersede", _superseded(row["superseded_by"]))
    elif row["event"] == "risen":
        casework.risen(cursor, violation, row["severity"])
    else:
        casework.open_case(cursor, violation, row["severity"])
    for lesser in row["supersedes"]:
        casework.system_move(cursor, lesser, "supersede", _superseded(row["kind"]))


def _superseded(kind: str) -> str:
    return f"由更严重的违规 {kind} 取代 a graver violation, {kind}, takes its place"


def _owed(row: Row, routes: Routes, names: Names) -> list[Owed]:
    facts = Facts(
        TOPICS[row["event"]], row["county"] or "", row["company"] or "", row["kind"] or "", row["severity"] or 0
    )
    found = routes.owed(facts)
    if not found:
        return []
    text = payload(row, names)  # one for all: the same bytes to everybody
    return [Owed(one.id, row["id"], TYPES[row["event"]], text) for one in found]
