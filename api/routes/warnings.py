"""Warnings before a violation: listed, and measured by what became of them."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api import cursors, views
from api.permissions import Reader
from api.problems import Problem
from api.routes.violations import Moment, now_ms
from api.schemas import Code, Day, Page
from api.state import Db, Held
from api.warning_schemas import Outcome, Prewarning
from ingest.moment import DAY_MS, midnight_ms
from ledger.shown import Shown
from ledger.warned import Asked, Place

router = APIRouter(prefix="/warnings", tags=["warnings"])


@dataclass(frozen=True, slots=True)
class Filters:
    """Which warnings are asked for."""

    kind: Annotated[list[Code] | None, Query(max_length=100)] = None
    county: Code | None = None
    company: Code | None = None
    plate: Code | None = None
    day: Day | None = None
    from_ms: Moment | None = None
    to_ms: Moment | None = None

    @property
    def asked(self) -> Asked:
        """The same in the ledger's words."""
        from_ms, to_ms = self.from_ms, self.to_ms
        if self.day is not None:
            first_ms = midnight_ms(self.day)
            from_ms, to_ms = max(from_ms or first_ms, first_ms), min(to_ms or first_ms + DAY_MS, first_ms + DAY_MS)
        return Asked(
            kinds=self.kind or None,
            of_county=self.county,
            of_company=self.company,
            plate=self.plate.strip().upper() if self.plate else None,
            from_ms=from_ms,
            to_ms=to_ms,
        )


Filtered = Annotated[Filters, Depends()]


@router.get("")
def warnings(
    caller: Reader,
    connection: Db,
    held: Held,
    filters: Filtered,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=cursors.MOST)] = None,
) -> Page[Prewarning]:
    """Warnings, newest first. They are told beforehand, have no case, and count as no violation."""
    rows = Shown(connection, caller.principal).warnings(filters.asked, limit + 1, _place(after))
    items = views.warnings(rows[:limit], held.live.directory)
    last = rows[limit - 1] if len(rows) > limit else None
    following = cursors.write((last["warned_ms"], last["id"])) if last else None
    return Page(items=[Prewarning.model_validate(item) for item in items], next=following)


@router.get("/outcomes")
def outcomes(caller: Reader, connection: Db, filters: Filtered) -> Page[Outcome]:
    """By kind how many warnings there were, and after how many the violation happened or did not."""
    rows = Shown(connection, caller.principal).outcomes(filters.asked, now_ms())
    return Page(items=[Outcome.model_validate(views.outcome(row)) for row in rows])


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    warned_ms, id_ = cursors.read(after, tuple[int, UUID])
    if not -(1 << 62) < warned_ms < 1 << 62:
        raise Problem("invalid", "after 不是本列表给出的游标 after is no cursor of this list")
    return Place(warned_ms, id_)
