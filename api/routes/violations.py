"""Violations: listed, filtered, read with their explanation and their track."""

import time
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Annotated, Literal
from uuid import UUID

import numpy as np
import psycopg
from fastapi import APIRouter, Query

from api import cursors, views
from api.permissions import Reader
from api.problems import Problem, no_such
from api.schemas import Code, Day, Module, Page, SeverityNumber, StateName, Status, Track, Violation, ViolationInFull
from api.state import Db, Held, State
from ingest.gate import Verdict
from ingest.moment import DAY_MS, midnight_ms
from ingest.registry import Vehicle
from ledger import casework
from ledger.directory import MODULES, Directory, load
from ledger.shown import Place, Shown, Wanted

router = APIRouter(prefix="/violations", tags=["violations"])

KEPT_S = 600.0
"""How long an older registry is kept at hand [s]."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Moment = Annotated[int, Query(ge=0, le=1 << 53)]


@router.get("")
def violations(
    caller: Reader,
    connection: Db,
    held: Held,
    kind: Annotated[list[Code] | None, Query(max_length=100)] = None,
    severity: Annotated[list[SeverityNumber] | None, Query(max_length=4)] = None,
    state: Annotated[list[StateName] | None, Query(max_length=10)] = None,
    status: Annotated[list[Status] | None, Query(max_length=3)] = None,
    county: Code | None = None,
    place_county: Code | None = None,
    company: Code | None = None,
    plate: Code | None = None,
    day: Day | None = None,
    from_ms: Moment | None = None,
    to_ms: Moment | None = None,
    lead: bool | None = None,
    superseded: bool | None = None,
    overdue: bool | None = None,
    module: Module | None = None,
    order: Literal["raised", "due"] = "raised",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=cursors.MOST)] = None,
) -> Page[Violation]:
    """Violations, newest first, or those whose case owes a move, the longest due first."""
    if day is not None:
        first_ms = midnight_ms(day)
        from_ms, to_ms = max(from_ms or first_ms, first_ms), min(to_ms or first_ms + DAY_MS, first_ms + DAY_MS)
    at_station = module == "S"
    wanted = Wanted(
        kinds=kind or None,
        severities=severity or None,
        states=state or None,
        statuses=status or None,
        of_county=county,
        place_county=place_county,
        of_company=company,
        plate=plate.strip().upper() if plate else None,
        from_ms=from_ms,
        to_ms=to_ms,
        lead=lead,
        superseded=superseded,
        overdue=overdue,
        vehicles=held.live.vehicles_of(MODULES[module][2]) if module and not at_station else None,
        stations=held.live.directory.stations() if at_station else None,
        by_due=order == "due",
    )
    rows = Shown(connection, caller.principal).page(wanted, limit + 1, _place(after, by_due=order == "due"))
    items = views.violations(rows[:limit], held.live.directory, now_ms())
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    following = last and cursors.write((_us(last["due_at"]), last["raised_ms"], last["id"], order))
    return Page(items=[Violation.model_validate(item) for item in items], next=following or None)


@router.get("/{violation_id}")
def violation(violation_id: UUID, caller: Reader, connection: Db, held: Held) -> ViolationInFull:
    """One violation: why it is one, how it came about, what has been done."""
    shown, directory = Shown(connection, caller.principal), held.live.directory
    rows = shown.page(Wanted(ids=[violation_id]), 1)
    if not rows:
        raise no_such()
    (item,), row = views.violations(rows, directory, now_ms()), rows[0]
    explanation = views.explanation(row, _directory(held, connection, row["registry_version"]))
    more = {name: row[name] for name in ("measures", "rule_version", "registry_version")}
    history = casework.history(connection, caller.principal, violation_id)
    moves = [views.move(one, directory, caller.principal) for one in history]
    return ViolationInFull.model_validate(
        item
        | more
        | {
            "clause": explanation["zh"]["clause"] if explanation else "",
            "explanation": explanation,
            "revisions": list(shown.revisions(violation_id)),
            "moves": moves,
        }
    )


@router.get("/{violation_id}/fixes")
def fixes(
    violation_id: UUID,
    caller: Reader,
    connection: Db,
    held: Held,
    margin_s: Annotated[int, Query(ge=0, le=3600)] = 600,
    limit: Annotated[int, Query(ge=2, le=10_000)] = 2000,
) -> Track:
    """Where the vehicle was while it lasted, and for a while before and after. Looking leaves an audit row."""
    shown = Shown(connection, caller.principal)
    rows = shown.page(Wanted(ids=[violation_id]), 1)
    if not rows:
        raise no_such()
    row = rows[0]
    track = shown.fixes(violation_id, margin_s * 1000, limit, caller.actor)
    directory = _directory(held, connection, row["registry_version"])
    lon, lat = (np.array([fix[name] for fix in track], np.float64) for name in ("lon", "lat"))
    times = np.array([fix["time_ms"] for fix in track], np.int64)
    limits = directory.limits(Vehicle(row["plate"], row["plate_color"]), lon, lat, times).tolist()
    limit_kmh = row["measures"].get("limit_kmh")
    return Track.model_validate(
        {
            "items": [
                {
                    **fix,
                    "verdict": Verdict(fix["verdict"]).name.lower(),
                    "limit_kmh": known if isfinite(known) else None,
                }
                for fix, known in zip(track, limits, strict=True)
            ],
            "begins_ms": row["begins_ms"],
            "ends_ms": row["ends_ms"],
            "limit_kmh": limit_kmh if isinstance(limit_kmh, int | float) else None,
            "cut": any(fix["cut"] for fix in track[:1]),
        }
    )


def _directory(held: State, connection: psycopg.Connection, version: int) -> Directory:
    """The registry that counted when something was found."""
    directory = held.live.directory
    if version in (0, directory.version):
        return directory
    older: Directory = held.kept.get(("directory", version), KEPT_S, lambda: load(connection, version))
    return older


def now_ms() -> int:
    """Now [ms]."""
    return time.time_ns() // 1_000_000


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _place(after: str | None, *, by_due: bool) -> Place | None:
    if after is None:
        return None
    due_us, raised_ms, id_, order = cursors.read(after, tuple[int | None, int, UUID, str])
    if (order == "due") != by_due or (by_due and due_us is None) or not -(1 << 62) < raised_ms < 1 << 62:
        raise Problem("invalid", "after 属于另一种排序 after is a cursor of another order")
    try:
        due = None if due_us is None else _EPOCH + timedelta(microseconds=due_us)
    except OverflowError:
        raise Problem("invalid", "after 不是本列表给出的游标 after is no cursor of this list") from None
    return Place(due, raised_ms, id_)
