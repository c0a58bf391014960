"""Closings: what the second pass over a day of a vehicle leaves behind, in one transaction or not at all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import psycopg

from ingest.moment import BEIJING_MS, DAY_MS
from ledger import audit, violations
from ledger.casebook import CLOSED, Episode, Withdrawal

ACTOR = "close"
"""Who it was, in the audit."""

REASON = "日结复核：补传或迟到的定位数据表明不成立 closing of the day: by fixes that came late it is not found any more"

_EPOCH = date(1970, 1, 1)


class Late(NamedTuple):
    """A vehicle of which something of a day came late: its number and its partition of the log."""

    vehicle_id: int
    partition: int


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
    digest: bytes


def begin_ms(day: date) -> int:
    """00:00 of a Beijing day [ms]."""
    return (day - _EPOCH).days * DAY_MS - BEIJING_MS


def late(connection: psycopg.Connection, day: date) -> list[Late]:
    """Vehicles of which a fix of this Beijing day came late, or was back-filled."""
    rows = connection.execute(
        "SELECT vehicle_id, min(log_partition) FROM fixes "
        "WHERE verdict IN (3, 5) AND time_ms >= %s AND time_ms < %s GROUP BY vehicle_id ORDER BY vehicle_id",
        (begin_ms(day), begin_ms(day) + DAY_MS),
    )
    return [Late(*row) for row in rows]


def days(connection: psycopg.Connection) -> list[date]:
    """Beijing days of which something came late, in order."""
    rows = connection.execute(
        "SELECT DISTINCT (time_ms + %s) / %s FROM fixes WHERE verdict IN (3, 5) AND time_ms > 0 ORDER BY 1",
        (BEIJING_MS, DAY_MS),
    )
    return [date.fromordinal(_EPOCH.toordinal() + int(number)) for (number,) in rows]


def is_closed(connection: psycopg.Connection, day: date, vehicle_id: int, digest: bytes) -> bool:
    """Whether the day of the vehicle was last closed by the same."""
    held = connection.execute("SELECT digest FROM closings WHERE (day, vehicle_id) = (%s, %s)", (day, vehicle_id))
    return held.fetchone() == (digest,)


def keep(connection: psycopg.Connection, closing: Closing) -> Done:
    """Let a closing revise, found and withdraw violations; when it returns that is durable, and has happened once."""
    with connection.transaction(), connection.cursor() as cursor:
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
            "SELECT id FROM violations WHERE vehicle_id = %s AND kind = ANY (%s) "
            "AND begins_ms >= %s AND begins_ms < %s AND status <> 'withdrawn' AND NOT id = ANY (%s) ORDER BY id",
            (closing.vehicle_id, list(closing.kinds), closing.from_ms, closing.to_ms, list(found)),
        ).fetchall()
        withdrawals = [Withdrawal(id_, REASON, closing.registry_version) for (id_,) in gone]
        violations.withdraw(cursor, withdrawals, pass_=CLOSED, actor=ACTOR)
        done = Done(len(book.revisions) + len(withdrawals), len(withdrawals))
        told = {"revisions": done.revisions, "withdrawn": done.withdrawn, "registry_version": closing.registry_version}
        audit.write(cursor, ACTOR, "day.close", f"{closing.day} {closing.vehicle_id}", told)
    return done
