"""Casework: what may be done with a case, doing it, and the files that go with it."""

import hashlib
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response
from starlette.datastructures import UploadFile

from api import views
from api.permissions import CaseMover, Reader
from api.problems import Problem
from api.schemas import Attached, Legal, Moved, NewMove
from api.state import Db, Held, State, give_back
from ledger import attachments, casework
from ledger.casework import IllegalMoveError

router = APIRouter(tags=["casework"])

CHUNK_BYTES = 64 << 10

UPLOADS = 4
"""Files that one tenant may send at a time."""

PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'; sandbox"
)
"""What a page that is a file of ours may do: show itself."""

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.get("/violations/{violation_id}/moves/legal")
def legal(violation_id: UUID, caller: CaseMover, connection: Db) -> Legal:
    """What the caller may do with a case now."""
    now = casework.standing(connection, caller.principal, violation_id)
    return Legal.model_validate(
        {
            **views.state_names(now["state"]),
            "number": now["number"],
            "legal": views.legal_moves(now["state"], caller.principal.role),
        }
    )


@router.post("/violations/{violation_id}/moves")
def move(violation_id: UUID, wanted: NewMove, caller: CaseMover, connection: Db) -> Moved:
    """Move a case."""
    try:
        casework.make_move(
            connection,
            caller.principal,
            caller.actor,
            violation_id,
            wanted.move,
            wanted.words,
            [(file.name, file.sha256) for file in wanted.attachments],
            wanted.expected,
        )
    except IllegalMoveError as error:
        legal_now = views.legal_moves(error.state, caller.principal.role)
        raise Problem(
            "illegal-move", str(error), state=str(error.state), number=error.number, legal=legal_now
        ) from error
    now = casework.standing(connection, caller.principal, violation_id)
    return Moved.model_validate({**views.state_names(now["state"]), "number": now["number"], "due_at": now["due_at"]})


@router.post("/attachments", status_code=201, openapi_extra=FORM)
async def attach(caller: CaseMover, request: Request, held: Held) -> Attached:
    """Store a file, so that it can be hung on a move: JPEG, PNG, WebP or PDF."""
    await to_thread.run_sync(give_back, request)
    with held.places.take({("upload", caller.principal): UPLOADS}):
        return await _receive(request, held, caller)


async def _receive(request: Request, held: State, caller: CaseMover) -> Attached:
    try:
        form = await request.form(max_files=1, max_fields=0)
    except (KeyError, ValueError) as error:
        raise Problem("bad-request", "不是有效的表单 the form cannot be read") from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Problem("invalid", "缺少文件字段 file a multipart form with one field, file, is expected")
        return await to_thread.run_sync(_store, held, caller, file, limiter=held.uploads)
    finally:
        await form.close()


def _store(held: State, caller: CaseMover, file: UploadFile) -> Attached:
    def chunks() -> Iterator[bytes]:
        while chunk := file.file.read(CHUNK_BYTES):
            yield chunk

    name = file.filename or ""
    with held.pool.connection() as connection:
        sha256 = attachments.store(connection, caller.principal, caller.actor, name, chunks())
    name = attachments.clean_name(name)
    media_type = next(kind for kind, endings in attachments.ENDINGS.items() if name.lower().endswith(endings))
    return Attached(sha256=sha256, name=name, media_type=media_type, bytes=file.file.tell())


@router.get(
    "/attachments/{sha256}",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in attachments.ENDINGS}}},
)
def attachment(sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], caller: Reader, connection: Db) -> Response:
    """Download a file that hangs on a case of the caller's."""
    file = attachments.read(connection, caller.principal, sha256)
    return download(file.content, file.media_type, file.name)


def download(content: bytes, media_type: str, name: str, *, inline: bool = False) -> Response:
    """A file as an answer: never taken for a page of ours."""
    kind = "inline" if inline else "attachment"
    headers = {
        "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
    }
    if media_type.startswith("text/html"):
        headers["Content-Security-Policy"] = PAGE_POLICY
    return Response(content, media_type=media_type, headers=headers)
