"""The live stream."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from api.permissions import Reader
from api.problems import Problem
from api.state import Db, Held
from api.stream import Stream, Watch
from ledger.tail import feed_number

router = APIRouter(tags=["stream"])

MOST = 500
"""Streams of one process; the centre, whose own are bounded (`api.stream.OF_CENTRE`), has a place nonetheless."""

Number = Annotated[int, Query(ge=0, le=(1 << 63) - 1)]


@router.get(
    "/stream",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
def stream(
    caller: Reader,
    request: Request,
    connection: Db,
    held: Held,
    after: Number | None = None,
    positions: bool = True,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> Response:
    """What happens, as it happens: violations, cases, warnings, reports, positions."""
    if held.stopping.is_set() or (held.streams >= MOST and caller.principal.tenant):
        raise Problem("unavailable", "实时连接已满 there are too many streams", {"Retry-After": "10"})
    number = feed_number(connection)
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        after = int(last_event_id)
    if after is not None:
        number = min(number, after)
    return Stream(held, caller, request, Watch(caller.principal, number, -1 if positions else None))
