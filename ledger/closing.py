"""Closing: what a day's reports are made from, and how they are kept, rendered and issued."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from detectors.episodes import SUPERSEDED_BY
from ingest.gate import CLOCK_AHEAD_MS
from ingest.moment import DAY_MS
from ledger import audit
from ledger.database import in_words, query
from ledger.reports import FORMATS, File

REPORT_LOCK = 0x77_6C_05
"""First number of the advisory lock of those who close, correct and issue."""

_LONGEST_S = 900
"""How long each statement that reads a day may take [s]."""

_BEHIND_MS = 30 * DAY_MS
"""A fix older than this at its receipt does not know its time [ms]."""


class Count(NamedTuple):
    """Fixes of a vehicle with one verdict: how many, with the back-fill mark, received after the day was over."""

    plate: str
    plate_color: int
    verdict: int
    fixes: int
    backfilled: int
    after: int


@dataclass(frozen=True, slots=True)
class Day:
    """What the ledger knows of a day, for all parties at once.

    Attributes
    ----------
    violations, withdrawn : list of dict
        Rows of ``inner/report_violations`` and ``inner/report_withdrawn``.
    counts : list of Count
    quarantined : dict
        Reason to how many records were no fix.
    """

    violations: list[dict[str, Any]]
    withdrawn: list[dict[str, Any]]
    counts: list[Count]
    quarantined: dict[str, int]


class Standing(NamedTuple):
    """How far a day has come: when its newest edition was closed, whether all of it is issued."""

    day: date
    closed_at: datetime
    issued: bool


class Edition(NamedTuple):
    """The newest edition of a party's report; facts as JSON text."""

    county: str
    company: str
    edition: int
    facts: bytes
    closed_at: datetime


class New(NamedTuple):
    """An edition to be kept; facts as JSON text."""

    number: str
    county: str
    company: str
    edition: int
    reason: str
    facts: bytes


class Unrendered(NamedTuple):
    """A closed report that lacks files; facts as JSON text."""

    id: uuid.UUID
    number: str
    facts: bytes


@contextmanager
def alone(connection: psycopg.Connection, *, wait: bool) -> Iterator[bool]:
    """Be the only one who closes and issues; gives whether it is so (always, if it waits)."""
    take = "SELECT pg_advisory_lock(%s, 0) IS NOT NULL" if wait else "SELECT pg_try_advisory_lock(%s, 0)"
    with in_words():
        taken = connection.execute(take, (REPORT_LOCK,)).fetchone() == (True,)
    try:
        yield taken
    finally:
        if taken and not connection.closed:
            with in_words():
                connection.execute("SELECT pg_advisory_unlock(%s, 0)", (REPORT_LOCK,))


@contextmanager
def snapshot(connection: psycopg.Connection) -> Iterator[datetime]:
    """Do what follows in one transaction that sees one moment of the ledger; gives that moment."""
    with in_words(), connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # a day of a large fleet is read in one go; the clock of a transaction that runs can only be stopped
        for bound, value in (("statement_timeout", f"{_LONGEST_S}s"), ("transaction_timeout", "0")):
            connection.execute("SELECT set_config(%s, %s, true)", (bound, value))
        row = connection.execute("SELECT now()").fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has one row
        yield row[0]


def standings(connection: psycopg.Connection, since: date) -> list[Standing]:
    """Days since a date that are closed, oldest first."""
    with in_words():
        return [Standing(*row) for row in connection.execute(query("inner/report_days"), {"since": since})]


def gather(connection: psycopg.Connection, from_ms: int, to_ms: int, as_of: datetime, cases_as_of: datetime) -> Day:
    """Read what a day's reports are made from.

    Parameters
    ----------
    from_ms, to_ms : int
        Where the day begins and ends [ms].
    as_of : datetime
        What was received later is left out.
    cases_as_of : datetime
        Cases are shown as they stood then.
    """
    span = {"from_ms": from_ms, "to_ms": to_ms}
    ends = {"from": datetime.fromtimestamp(from_ms / 1000, UTC), "to": datetime.fromtimestamp(to_ms / 1000, UTC)}
    pairs = {"superseded": list(SUPERSEDED_BY), "graver": list(SUPERSEDED_BY.values())}
    clocks = {"as_of_ms": int(as_of.timestamp() * 1000), "ahead_ms": CLOCK_AHEAD_MS, "behind_ms": _BEHIND_MS}
    with in_words(), connection.cursor(row_factory=dict_row) as rows:
        violations = rows.execute(query("inner/report_violations"), {**span, **pairs, "as_of": cases_as_of}).fetchall()
        withdrawn = rows.execute(query("inner/report_withdrawn"), {**span, **ends}).fetchall()
        counts = connection.execute(query("inner/report_fixes"), {**span, **clocks}).fetchall()
        reasons = connection.execute(query("inner/report_quarantine"), span).fetchall()
    return Day(violations, withdrawn, [Count(*row) for row in counts], dict(reasons))


def names(connection: psycopg.Connection, version: int) -> tuple[dict[str, str], dict[str, str]]:
    """Code to name, of counties and of companies, in one version of the registry."""
    found: dict[str, dict[str, str]] = {"counties": {}, "companies": {}}
    with in_words():
        for collection, code, name in connection.execute(query("inner/report_names"), {"version": version}):
            found[collection][code] = name
    return found["counties"], found["companies"]


def editions(connection: psycopg.Connection, day: date) -> list[Edition]:
    """The newest edition of each party's report of a day."""
    with in_words(), _cursor(connection) as cursor:
        return [Edition(*row) for row in cursor.execute(query("inner/report_editions"), {"day": day})]


def first_whole(connection: psycopg.Connection, day: date, ended: datetime) -> datetime | None:
    """When a day was first closed after it had ended; None if it has not been."""
    with in_words():
        row = connection.execute(
            "SELECT min(closed_at) FROM reports WHERE day = %s AND closed_at >= %s", (day, ended)
        ).fetchone()
    return row[0] if row else None


def keep(connection: psycopg.Connection, day: date, closed_at: datetime, new: Sequence[New], actor: str) -> None:
    """Keep editions of a day's reports, all or none: closed, neither rendered nor issued."""
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO reports (number, day, county, company, edition, reason, facts, closed_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s)",
            [
                (one.number, day, one.county, one.company, one.edition, one.reason, one.facts.decode(), closed_at)
                for one in new
            ],
        )
        for one in new:
            told = {"day": day.isoformat(), "edition": one.edition, "reason": one.reason}
            audit.write(cursor, actor, "report.close", one.number, told)


def unrendered(connection: psycopg.Connection, day: date) -> Unrendered | None:
    """A closed report of a day that lacks files, by county and company; None once all have them."""
    with in_words(), _cursor(connection) as cursor:
        row = cursor.execute(query("inner/report_unrendered"), {"day": day, "formats": len(FORMATS)}).fetchone()
    return Unrendered(*row) if row else None


def keep_files(connection: psycopg.Connection, report: uuid.UUID, contents: Mapping[str, bytes]) -> None:
    """Keep the files of a report, all or none; those that are kept already stay as they are."""
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO report_files (report_id, format, sha256, content) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [(report, name, hashlib.sha256(content).digest(), content) for name, content in contents.items()],
        )


def issue(connection: psycopg.Connection, day: date, actor: str) -> list[tuple[uuid.UUID, str]]:
    """Issue what is closed and rendered of a day: those concerned are owed it from now on.

    Returns
    -------
    list of (id, number)
        Reports that were issued now.
    """
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        issued = cursor.execute(query("inner/report_issue"), {"day": day, "formats": len(FORMATS)}).fetchall()
        cursor.executemany(
            "INSERT INTO outbox (id, event, report_id) VALUES (%s, 'issued', %s)",
            [(uuid.uuid5(report, "issued"), report) for report, _ in issued],
        )
        for report, number in issued:
            audit.write(cursor, actor, "report.issue", number, {"day": day.isoformat(), "id": str(report)})
    return issued


def issued_files(connection: psycopg.Connection, day: date) -> Iterator[File]:
    """Files of the issued reports of a day, by number."""
    with in_words(), connection.cursor() as cursor:
        wanted = cursor.execute(
            "SELECT id FROM reports WHERE day = %s AND issued_at IS NOT NULL ORDER BY number", (day,)
        )
        for (report,) in wanted.fetchall():
            yield from (File(*row) for row in cursor.execute(query("inner/report_files"), {"id": report}).fetchall())


def opened_on(connection: psycopg.Connection) -> datetime | None:
    """When somebody was registered for the first time; None where nobody ever was."""
    with in_words():
        row = connection.execute("SELECT min(imported_at) FROM registry_versions").fetchone()
    return row[0] if row else None


def _cursor(connection: psycopg.Connection) -> psycopg.Cursor[Any]:
    """A cursor that leaves JSON as text: facts are read by those who know their form."""
    cursor = connection.cursor()
    set_json_loads(lambda text: text.encode() if isinstance(text, str) else text, cursor)
    return cursor
