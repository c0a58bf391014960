"""Deliveries: one thing owed to one subscription: owed once, claimed under a lease, settled with an attempt's row."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from ledger.database import in_words, query
from ledger.principal import Principal
from ledger.subscriptions import owner


class Owed(NamedTuple):
    """A delivery as it is first owed."""

    subscription_id: UUID
    outbox_id: UUID
    type: str
    payload: str

    @property
    def id(self) -> UUID:
        """The same whenever it is worked out again."""
        return uuid.uuid5(self.subscription_id, str(self.outbox_id))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery in the hands of a courier, and whom it is for.

    Attributes
    ----------
    attempts : int
        How many there were before.
    claimed_until : datetime
        End of the lease; it also tells this claim from a later one.
    first_at : datetime or None
        When the first attempt began.
    report_id : UUID or None
        Report whose files go with it.
    """

    id: UUID
    subscription_id: UUID
    role: str
    tenant: str
    channel: str
    target: str
    secret: str
    language: str
    type: str
    payload: str
    attempts: int
    claimed_until: datetime
    report_id: UUID | None
    first_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt at a claimed delivery went, and what follows.

    Attributes
    ----------
    outcome : str
        ``sent``, ``later`` or ``refused``.
    state : str
        Of the delivery from now on: ``due``, ``sent`` or ``dead``.
    due_at : datetime or None
        When it is tried again.
    """

    claimed: Claimed
    began_at: datetime
    took_ms: int
    outcome: str
    status: int | None
    detail: str
    state: str
    due_at: datetime | None


class File(NamedTuple):
    """A file of a report: of which report, in which format, and its bytes."""

    number: str
    format: str
    content: bytes


class Counts(NamedTuple):
    """How much waits: events unrouted, deliveries due now and dead, cases overdue."""

    unrouted: int
    due: int
    dead: int
    overdue: int


@contextmanager
def turn(connection: psycopg.Connection) -> Iterator[psycopg.Cursor[Any]]:
    """Cursor of one transaction, in which a courier settles what it has tried and claims what is due.

    Raises
    ------
    DatabaseError
    """
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        yield cursor


def owe(cursor: psycopg.Cursor[Any], owed: Sequence[Owed]) -> None:
    """Owe deliveries, in the cursor's transaction; what is owed already stays as it is."""
    if owed:
        values = {
            "ids": [one.id for one in owed],
            "subscriptions": [one.subscription_id for one in owed],
            "outbox": [one.outbox_id for one in owed],
            "types": [one.type for one in owed],
            "payloads": [one.payload for one in owed],
        }
        cursor.execute(query("inner/deliveries_owe"), values)


def claim(
    cursor: psycopg.Cursor[Any], *, most: int, at_once: int, share: int, failing: bool, lease: timedelta
) -> list[Claimed]:
    """Take up to so many deliveries that are due, in the cursor's transaction.

    Parameters
    ----------
    at_once : int
        How many of one subscription may be in hands at the same time, of all couriers.
    share : int
        How many of one owner.
    failing : bool
        Those of subscriptions whose last attempts failed or that were never reached, or those of all others.
    """
    values = {"most": most, "at_once": at_once, "share": share, "failing": failing, "lease": lease}
    with cursor.connection.cursor(row_factory=class_row(Claimed)) as rows:
        return rows.execute(query("inner/deliveries_claim"), values).fetchall()


def settle(cursor: psycopg.Cursor[Any], attempts: Sequence[Attempt]) -> set[UUID]:
    """Note attempts, in the cursor's transaction.

    Returns
    -------
    set of UUID
        Deliveries that were noted; not those whose lease had ended and that another courier has taken over.
    """
    values = {
        "ids": [one.claimed.id for one in attempts],
        "claims": [one.claimed.claimed_until for one in attempts],
        "began": [one.began_at for one in attempts],
        "took_ms": [one.took_ms for one in attempts],
        "outcomes": [one.outcome for one in attempts],
        "statuses": [one.status for one in attempts],
        "details": [one.detail.replace("\0", "�") for one in attempts],
        "states": [one.state for one in attempts],
        "due": [one.due_at for one in attempts],
    }
    return {id_ for (id_,) in cursor.execute(query("inner/deliveries_settle"), values).fetchall()}


def files(connection: psycopg.Connection, report_id: UUID) -> list[File]:
    """Files of a report, by format."""
    with in_words(), connection.cursor(row_factory=class_row(File)) as rows:
        return rows.execute(query("inner/deliveries_files"), {"report": report_id}).fetchall()


def counts(connection: psycopg.Connection) -> Counts:
    """Count what waits."""
    with in_words(), connection.cursor(row_factory=class_row(Counts)) as rows:
        found: Iterable[Counts] = rows.execute(query("inner/deliveries_counts")).fetchall()
    (one,) = found
    return one


# -- as the owner of a subscription sees them


def listed(
    connection: psycopg.Connection,
    principal: Principal,
    subscription_id: UUID,
    *,
    state: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    most: int = 100,
) -> list[dict[str, Any]]:
    """Deliveries of a subscription of the principal, newest first, with how the last attempt went.

    Parameters
    ----------
    state : str or None
        Only ``due``, ``sent`` or ``dead`` ones.
    after : (datetime, UUID) or None
        ``created_at`` and ``id`` of the last row of the page before.
    """
    after_at, after_id = after or (None, None)
    values = {"subscription": subscription_id, "state": state, "after_at": after_at, "after_id": after_id, "most": most}
    return _owned(connection, principal, "deliveries", values)


def shown(connection: psycopg.Connection, principal: Principal, id_: UUID) -> dict[str, Any] | None:
    """One delivery of the principal with its payload and, as ``tries``, every attempt; None where there is no such."""
    found = _owned(connection, principal, "delivery", {"id": id_})
    if not found:
        return None
    return {**found[0], "tries": _owned(connection, principal, "delivery_attempts", {"id": id_})}


def _owned(
    connection: psycopg.Connection, principal: Principal, name: str, values: dict[str, Any]
) -> list[dict[str, Any]]:
    with in_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(f"owned/{name}"), {**values, **owner(principal)}).fetchall()
