"""Reports: issued daily reports, their files, and who has received them."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api import cursors, views
from api.permissions import Reader
from api.problems import no_such
from api.routes.casework import download
from api.schemas import Code, Day, Page
from api.state import Db, Held
from api.told import Report, ReportDeliveries, ReportInFull
from ledger import reports

router = APIRouter(prefix="/reports", tags=["reports"])

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


@router.get("")
def listed(
    caller: Reader,
    connection: Db,
    held: Held,
    day: Day | None = None,
    county: Code | None = None,
    company: Code | None = None,
    limit: Annotated[int, Query(ge=1, le=reports.MOST_LISTED - 1)] = 50,
    after: Annotated[str | None, Query(max_length=cursors.MOST)] = None,
) -> Page[Report]:
    """Reports that were issued, newest first."""
    behind = None if after is None else cursors.read(after, UUID)
    rows = reports.listed(
        connection,
        caller.principal,
        after=behind,
        limit=limit + 1,
        day=day,
        of_county=county,
        of_company=company,
    )
    items = [Report.model_validate(views.report(row, held.live.directory)) for row in rows[:limit]]
    return Page(items=items, next=cursors.write(rows[limit - 1]["id"]) if len(rows) > limit else None)


@router.get("/{report_id}")
def read(report_id: UUID, caller: Reader, connection: Db, held: Held) -> ReportInFull:
    """One report with its facts. Reading leaves a receipt of counties and companies."""
    row = reports.read(connection, caller.principal, report_id)
    if row is None:
        raise no_such()
    reports.receipt(connection, caller.principal, caller.actor, report_id)
    editions = reports.listed(
        connection, caller.principal, day=row["day"], of_county=row["county"], of_company=row["company"]
    )
    receipts = reports.receipts(connection, caller.principal, report_id)
    party = ("company", row["company"]) if row["company"] else ("county", row["county"])
    read_at = min((one["read_at"] for one in receipts if (one["role"], one["tenant"]) == party), default=None)
    newest = row["edition"] == max((one["edition"] for one in editions), default=row["edition"])
    told = views.report({**row, "newest": newest, "first_read_at": read_at}, held.live.directory)
    return ReportInFull.model_validate({**told, "files": row["files"] or {}})


@router.get(
    "/{report_id}/files/{form}",
    response_class=Response,
    responses={200: {"content": {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()}}},
)
def file(
    report_id: UUID,
    form: Literal["html", "pdf", "xlsx", "csv"],
    caller: Reader,
    connection: Db,
    inline: bool = False,
) -> Response:
    """A file of a report. Reading leaves a receipt of counties and companies."""
    found = reports.file(connection, caller.principal, report_id, form)
    if found is None:
        raise no_such()
    reports.receipt(connection, caller.principal, caller.actor, report_id)
    name, shown = f"{found.number}.{form}", inline and form in ("html", "pdf")
    return download(bytes(found.content), MEDIA_TYPES[form], name, inline=shown)


@router.get("/{report_id}/deliveries")
def deliveries(report_id: UUID, caller: Reader, connection: Db, held: Held) -> ReportDeliveries:
    """To whom a report was sent, how that went, and who has opened it."""
    if reports.read(connection, caller.principal, report_id) is None:
        raise no_such()
    directory = held.live.directory

    def named(row: dict[str, object]) -> dict[str, object]:
        return {**row, "tenant_name": directory.tenant_name(str(row["role"]), str(row["tenant"]))}

    return ReportDeliveries.model_validate(
        {
            "deliveries": list(map(named, reports.deliveries(connection, caller.principal, report_id))),
            "receipts": [
                {**named(row), "reader": views.known_login(row["reader"], row, caller.principal)}
                for row in reports.receipts(connection, caller.principal, report_id)
            ],
        }
    )
