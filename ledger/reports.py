"""Reports: daily reports as they are told of, read and received. How they come about is in `ledger.closing`."""

import uuid
from datetime import date
from typing import Any, NamedTuple

import psycopg

from ledger import audit
from ledger.database import in_words
from ledger.principal import Principal, Role
from ledger.shown import Shown

FORMATS = ("html", "pdf", "xlsx", "csv")
"""Of every report there is one file of each."""

MOST_LISTED = 200
"""Reports that a list gives at once."""


class File(NamedTuple):
    """A file of a report."""

    number: str
    format: str
    content: bytes
    sha256: str


def listed(
    connection: psycopg.Connection,
    principal: Principal,
    *,
    after: uuid.UUID | None = None,
    limit: int = MOST_LISTED,
    day: date | None = None,
    of_county: str | None = None,
    of_company: str | None = None,
) -> list[dict[str, Any]]:
    """Issued reports that a principal may see, newest day first.

    Parameters
    ----------
    after : UUID, optional
        Those that follow this one: the last of the page before.
    of_county, of_company : str, optional
        Of this county or company; empty text for reports of none.
    """
    chosen: dict[str, Any] = {"after": after, "limit": min(limit, MOST_LISTED), "day": day}
    chosen |= {"of_county": of_county, "of_company": of_company}
    return list(Shown(connection, principal).rows("report_list", **chosen))


def read(connection: psycopg.Connection, principal: Principal, report: uuid.UUID) -> dict[str, Any] | None:
    """One issued report with its facts and what files there are; None where it is not the principal's to see."""
    return next(Shown(connection, principal).rows("report_read", id=report), None)


def file(connection: psycopg.Connection, principal: Principal, report: uuid.UUID, form: str) -> File | None:
    """A file of an issued report; None where it is not the principal's to see, or there is no such format."""
    row = next(Shown(connection, principal).rows("report_file", id=report, format=form), None)
    return None if row is None else File(**row)


def receipt(connection: psycopg.Connection, principal: Principal, reader: str, report: uuid.UUID) -> bool:
    """Record that a county or a company opens a report, unless this reader has before; whether it is new.

    The centre's own reading is no receipt; nor is a report that the principal may not see.
    """
    if principal.role not in (Role.COUNTY, Role.COMPANY):
        return False
    found = next(Shown(connection, principal).rows("report_head", id=report), None)
    if found is None:
        return False
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO report_receipts (report_id, reader, role, tenant) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            (report, reader, principal.role, principal.tenant),
        )
        if not cursor.rowcount:
            return False
        told = {"role": principal.role, "tenant": principal.tenant, "id": str(report)}
        audit.write(cursor, reader, "report.read", found["number"], told)
    return True


def receipts(connection: psycopg.Connection, principal: Principal, report: uuid.UUID) -> list[dict[str, Any]]:
    """Who first opened a report, and when."""
    return list(Shown(connection, principal).rows("report_receipts", id=report))


def deliveries(connection: psycopg.Connection, principal: Principal, report: uuid.UUID) -> list[dict[str, Any]]:
    """To whom a report was sent, with the last attempt at each: the issuing side's proof of delivery."""
    return list(Shown(connection, principal).rows("report_deliveries", id=report))
