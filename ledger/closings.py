"""Closings: what the second pass over a day of a vehicle leaves behind, in one transaction or not at all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import psycopg

from ingest.moment import BEIJING_MS, DAY_MS, midnight_ms
from ledger import audit, violations
from ledger.casebook import CLOSED, Episode, Withdrawal
from ledger.database import query

ACTOR = "close"
"""Who it was, in the audit."""

MERGED = "日结复核：与更早的同类违规合并为一起 closing of the day: it is part of an earlier violation of its kind"

REASON = "日结复核：补传或迟到的定位数据表明不成立 closing of the day: by fixes that came late it is not found any more"


class Late(NamedTuple):
    """A vehicle of which something of a day came late: its number and its partition of the log."""

    vehicle_id: int
    partition: int


class Heard(NamedTuple):
    """Fixes of a vehicle that were read: its partition, how many, from when to when, both included [ms]."""

    partition: int
    fixes: int
    from_ms: int
    to_ms: int


class Done(NamedTuple):
    """What a closing changed: revisions of violations, and how many of those were withdrawn."""

    revisions: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Closing:
    """A second pass over a day of a vehicle.

    Attributes
    ----------
    kinds : collection of str
        Codes of the kinds that were judged.
    from_ms, to_ms : int
        Violations of these kinds that begin in this time, to_ms not included, are found by it or are none [ms].
    heard : Heard
        What it was judged by: if by now there is more, it says nothing.
    digest : bytes
        Of all that it was judged by.
    """

    day: date
    vehicle_id: int
    kinds: Collection[str]
    from_ms: int
    to_ms: int
    episodes: Sequence[Episode]
    registry_version: int
    heard: Heard
    digest: bytes


def late(connection: psycopg.Connection, day: date) -> list[Late]:
    """Vehicles of which a fix of this Beijing day came late, or was back-filled."""
    rows = connection.execute(query("inner/closings_late"), (midnight_ms(day), midnight_ms(day) + DAY_MS))
    return [Late(*row) for row in rows]


def days(connection: psycopg.Connection) -> list[date]:
    """Beijing days of which something came late, in order."""
    rows = connection.execute(query("inner/closings_days"), (BEIJING_MS, DAY_MS))
    return [date(1970, 1, 1) + timedelta(days=int(number)) for (number,) in rows]


def is_closed(connection: psycopg.Connection, day: date, vehicle_id: int, digest: bytes) -> bool:
    """Whether the day of the vehicle was last closed by the same."""
    held = connection.execute("SELECT digest FROM closings WHERE (day, vehicle_id) = (%s, %s)", (day, vehicle_id))
    return held.fetchone() == (digest,)


def keep(connection: psycopg.Connection, closing: Closing) -> Done:
    """Let a closing revise, found and withdraw violations; when it returns that is durable, and has happened once.

    Where more has been heard of the vehicle since its fixes were read, nothing is done: it is to be judged again. A
    violation whose case is closed is not withdrawn; the audit names it.
    """
    with connection.transaction(), connection.cursor() as cursor:
        if not _is_all(cursor, closing):
            return Done(0, 0)
        cursor.execute(
            "INSERT INTO closings (day, vehicle_id, digest, registry_version) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (day, vehicle_id) DO UPDATE SET digest = excluded.digest, closed_at = now(), "
            "registry_version = excluded.registry_version WHERE closings.digest <> excluded.digest",
            (closing.day, closing.vehicle_id, closing.digest, closing.registry_version),
        )
        if not cursor.rowcount:
            return Done(0, 0)
        book = violations.settle(cursor, closing.episodes)
        found = {violation.id for violation in book.known.values()}
        gone = cursor.execute(
            query("inner/closings_gone"),
            {
                "vehicle": closing.vehicle_id,
                "kinds": list(closing.kinds),
                "from": closing.from_ms,
                "to": closing.to_ms,
                "found": list(found),
            },
        ).fetchall()
        withdrawals = [
            Withdrawal(id_, MERGED if merged else REASON, closing.registry_version)
            for id_, is_closed, merged in gone
            if not is_closed
        ]
        violations.withdraw(cursor, withdrawals, pass_=CLOSED, actor=ACTOR)
        for id_, is_closed, merged in gone:
            if is_closed:
                why = {"reason": MERGED if merged else REASON, "case": "closed"}
                audit.write(cursor, ACTOR, "violation.keep", str(id_), why)
        done = Done(len(book.revisions) + len(withdrawals), len(withdrawals))
        told = {"revisions": done.revisions, "withdrawn": done.withdrawn, "registry_version": closing.registry_version}
        audit.write(cursor, ACTOR, "day.close", f"{closing.day} {closing.vehicle_id}", told)
    return done


def _is_all(cursor: psycopg.Cursor[Any], closing: Closing) -> bool:
    """Whether nothing more was heard of the vehicle; nothing more will be, until the end of the transaction."""
    heard = closing.heard
    cursor.execute("SELECT FROM positions WHERE partition = %s FOR SHARE", (heard.partition,))
    count = cursor.execute(
        "SELECT count(*) FROM fixes WHERE vehicle_id = %s AND time_ms >= %s AND time_ms <= %s",
        (closing.vehicle_id, heard.from_ms, heard.to_ms),
    ).fetchone()
    return count == (heard.fixes,)
