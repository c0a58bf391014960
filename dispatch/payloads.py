"""Payloads: an event as it is told to receivers: the body of a Standard Webhook, frozen when it is routed."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg

from detectors.catalogue import CATALOGUE
from detectors.explain import warned
from ingest.moment import BEIJING
from ledger import closing, registries
from ledger.outbox import Row

TYPES = {
    "raised": "violation.raised",
    "risen": "violation.risen",
    "ended": "violation.ended",
    "withdrawn": "violation.withdrawn",
    "moved": "case.moved",
    "issued": "report.issued",
    "warned": "violation.warned",
}
"""Event of the outbox to its type."""

_STATUS = {"raised": "open", "risen": "open", "ended": "ended", "withdrawn": "withdrawn"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Names:
    """Names behind the codes of counties and companies, by the newest registry; read again when there is a newer."""

    def __init__(self) -> None:
        self._version = -1
        self._counties: Mapping[str, str] = {}
        self._companies: Mapping[str, str] = {}

    def refresh(self, connection: psycopg.Connection) -> "Names":
        """Look whether there is a newer registry; returns itself.

        Raises
        ------
        DatabaseError
        """
        version, _ = registries.latest(connection)
        if version != self._version:
            self._counties, self._companies = closing.names(connection, version)
            self._version = version
        return self

    def of(self, row: Row) -> dict[str, Any]:
        """Codes of an event's county and company, and their names; a code where there is no name."""
        county, company = row["county"], row["company"]
        return {
            "company": company,
            "company_name": self._companies.get(company) or company,
            "county": county,
            "county_name": self._counties.get(county) or county,
        }


def payload(row: Row, names: Names) -> str:
    """Text of an event: ``{"type", "timestamp", "data"}``; times are ISO 8601 with +08:00."""
    event = row["event"]
    data = _TOLD.get(event, _violation)(row)
    data |= names.of(row)
    body = {"type": TYPES[event], "timestamp": _iso(row["recorded_at"]), "data": data}
    return msgspec.json.encode(body).decode()


def _subject(row: Row) -> dict[str, Any]:
    """What violations and their cases have in common."""
    return {
        "violation": str(row["violation_id"]),
        "revision": row["revision"],
        **_whose(row),
        "severity": row["severity"],
    }


def _whose(row: Row) -> dict[str, Any]:
    """Kind and vehicle."""
    kind = CATALOGUE.get(row["kind"])
    return {
        "kind": row["kind"],
        "kind_zh": kind.zh if kind else row["kind"],
        "kind_en": kind.en if kind else row["kind"],
        "plate": row["plate"],
        "plate_color": row["plate_color"],
    }


def _violation(row: Row) -> dict[str, Any]:
    kind = CATALOGUE.get(row["kind"])
    return _subject(row) | {
        "place_county": row["place_county"],
        "begins": _iso_of_ms(row["begins_ms"]),
        "raised": _iso_of_ms(row["raised_ms"]),
        "ends": _iso_of_ms(row["ends_ms"]),
        "lead": row["lead"],
        "status": _STATUS[row["event"]],
        "superseded_by": row["superseded_by"],
        "measures": row["measures"],
        "lon": _known(row["lon"]),
        "lat": _known(row["lat"]),
        "clause": kind.clause if kind else "",
    }


def _move(row: Row) -> dict[str, Any]:
    return _subject(row) | {
        "number": row["move_number"],
        "move": row["move"],
        "from": row["from_state"],
        "to": row["to_state"],
        "by": row["by_role"],
        "words": row["words"],
        "made": _iso(row["made_at"]),
        "due": _iso(row["due_at"]),
    }


def _warning(row: Row) -> dict[str, Any]:
    kind = CATALOGUE.get(row["kind"])
    zh, en = warned(kind, row["measures"]) if kind else ("", "")
    return _whose(row) | {
        "warning": str(row["warning_id"]),
        "place_county": row["place_county"],
        "begins": _iso_of_ms(row["begins_ms"]),
        "warned": _iso_of_ms(row["warned_ms"]),
        "words_zh": zh,
        "words_en": en,
        "measures": row["measures"],
        "lon": _known(row["lon"]),
        "lat": _known(row["lat"]),
        "clause": kind.clause if kind else "",
    }


def _report(row: Row) -> dict[str, Any]:
    files: Mapping[str, str] = row["files"] or {}
    return {
        "report": str(row["report_id"]),
        "number": row["report_number"],
        "day": row["day"].isoformat(),
        "edition": row["edition"],
        "reason": row["reason"],
        "closed": _iso(row["closed_at"]),
        "issued": _iso(row["issued_at"]),
        "sha256": files,
    }


_TOLD: Mapping[str, Callable[[Row], dict[str, Any]]] = {"issued": _report, "moved": _move, "warned": _warning}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(BEIJING).isoformat(timespec="milliseconds")


def _iso_of_ms(time_ms: int) -> str | None:
    return _iso(_EPOCH + timedelta(milliseconds=time_ms))


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
