"""The registry: imports, versions and their rows, parameters, exemptions; the centre's."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psycopg
from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from starlette.datastructures import UploadFile

from api import cursors
from api.permissions import Registrar
from api.problems import Problem, no_such
from api.schemas import Page
from api.state import Db, Held, State
from api.versions import Changed, Imported, LeftOut, NewParameter, RegistryRow, Rows, Version
from ingest.faults import SHOWN, FaultsError
from ingest.handed import read_files
from ingest.log import LogError
from ingest.registry import MAPS, TABLES
from ingest.table import RegistryError
from ledger import imports, registries
from ledger.database import connect
from ledger.tablelog import TableLog

router = APIRouter(tags=["registry"])

MOST_FILES = 20
IMPORTS = 2
"""Imports at a time."""

_SWITCH = {"type": "string", "enum": ["", "0", "1"]}
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1},
                        "only": {"type": "string"},
                        "add": _SWITCH,
                        "partial": _SWITCH,
                        "datum": {"type": "string", "enum": ["wgs84", "gcj02", "bd09"]},
                    },
                }
            }
        },
    }
}


@router.post("/registry/imports", openapi_extra=FORM)
async def bring(caller: Registrar, request: Request, held: Held) -> Imported:
    """Make files part of the newest version of the registry: CSV, XLSX, GeoJSON, named as their tables; GTFS."""
    with held.places.take({"import": IMPORTS}):
        try:
            form = await request.form(max_files=MOST_FILES, max_fields=10)
        except (KeyError, ValueError) as error:
            raise Problem("bad-request", "不是有效的表单 the form cannot be read") from error
        try:
            files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            if not files:
                raise Problem("invalid", "缺少文件字段 file a multipart form with fields named file is expected")
            return await to_thread.run_sync(_bring, held, caller, files, fields, limiter=held.uploads)
        finally:
            await form.close()


def _bring(held: State, caller: Registrar, files: Sequence[UploadFile], fields: dict[str, str]) -> Imported:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="warnloop-import-")))
        paths = []
        for file in files:
            path = folder / Path((file.filename or "").replace("\\", "/")).name[-100:]
            if path == folder or path.exists() or not path.name.isprintable():
                raise Problem("invalid", "每个文件须有各自的名称 each file needs a name of its own, that of its table")
            with path.open("xb") as kept:
                while chunk := file.file.read(1 << 20):
                    kept.write(chunk)
            paths.append(path)
        only = [name.strip() for name in fields.get("only", "").split(",") if name.strip()]
        try:
            given = read_files(paths, only=only, datum=fields.get("datum") or "wgs84")
            connection = stack.enter_context(connect(held.live.url))
            add, partial = (fields.get(name) == "1" for name in ("add", "partial"))
            done = imports.bring(connection, given, caller.actor, add=add, partial=partial)
        except RegistryError as error:
            raise _unfit(error, folder) from error
        _announce(connection, held.live.url)
        return Imported(
            version=done.version,
            new=done.new,
            gone=done.gone,
            rows=done.rows,
            left_out=len(done.faults),
            faults=[_told(fault.error, folder) for fault in done.faults[:SHOWN]],
        )


def _told(error: RegistryError, folder: Path) -> LeftOut:
    file = str(error.path).replace(f"{folder}/", "")
    return LeftOut(file=file, line=error.line, detail=str(error).replace(f"{folder}/", ""))


def _unfit(error: RegistryError, folder: Path = Path("/nowhere")) -> Problem:
    """Which rows cannot be taken, and why: the first few, and how many there are."""
    each = [fault.error for fault in error.faults] if isinstance(error, FaultsError) else [error]
    told = [_told(one, folder) for one in each[:SHOWN]]
    return Problem(
        "invalid",
        f"{len(each):,} 行有误，未导入 {len(each):,} rows cannot be taken, nothing was changed",
        errors=[{"field": f"{one.file}:{one.line}" if one.line else one.file, "detail": one.detail} for one in told],
    )


def _announce(connection: psycopg.Connection, url: str) -> None:
    """Tell the log of a new version; should it not take it, the same request will do."""
    try:
        with closing(TableLog(url)) as log:
            registries.announce(connection, log)
    except LogError as error:
        words = "已保存，但日志暂不可用，请重试 stored, but the log cannot be told just now: ask again"
        raise Problem("unavailable", words, {"Retry-After": "5"}) from error


@router.get("/registry/versions")
def versions(
    _: Registrar,
    connection: Db,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=cursors.MOST)] = None,
) -> Page[Version]:
    """Versions of the registry, newest first."""
    below = None if after is None else cursors.read(after, int)
    rows = registries.versions(connection, below, limit + 1)
    following = cursors.write(rows[limit - 1]["version"]) if len(rows) > limit else None
    return Page(items=[Version.model_validate(row) for row in rows[:limit]], next=following)


@router.get("/registry/versions/{version}/tables/{table}")
def rows(
    version: Annotated[int, InPath(ge=1, le=2_147_483_647)],
    table: str,
    _: Registrar,
    connection: Db,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    after: Annotated[str | None, Query(max_length=cursors.MOST)] = None,
) -> Page[RegistryRow]:
    """Rows of a table, or features of a map, as they were in a version."""
    if table not in (*TABLES, *MAPS) or version > registries.latest(connection)[0]:
        raise no_such()
    behind = 0 if after is None else cursors.read(after, int)
    found = registries.page(connection, version, table, behind, limit + 1)
    following = cursors.write(found[limit - 1]["place"]) if len(found) > limit else None
    return Page(items=[RegistryRow.model_validate(row) for row in found[:limit]], next=following)


@router.get("/parameters")
def parameters(_: Registrar, connection: Db) -> Rows:
    """Rows that change parameters; the defaults stand in the catalogue."""
    return _all("parameters", connection)


@router.post("/parameters", status_code=201)
def set_parameter(wanted: NewParameter, caller: Registrar, connection: Db, held: Held) -> Changed:
    """Change a parameter from an event time on: a new version of the registry, with who and why."""
    group, _, name = wanted.parameter.partition(".")
    cells = {
        "group": group, "name": name, "value": repr(wanted.value), "class": wanted.classes, "county": wanted.county,
        "company": wanted.company, "fence": wanted.fence, "valid_from": wanted.valid_from, "valid_to": wanted.valid_to,
    }  # fmt: skip
    try:
        done = imports.set_parameter(connection, cells, caller.actor, wanted.why)
    except RegistryError as error:
        raise _unfit(error) from error
    _announce(connection, held.live.url)
    return Changed(version=done.version, new=done.new, gone=done.gone)


@router.get("/exemptions")
def exemptions(_: Registrar, connection: Db) -> Rows:
    """Exemptions, those that have ended too."""
    return _all("exemptions", connection)


def _all(table: str, connection: psycopg.Connection) -> Rows:
    newest = registries.latest(connection)[0]
    found: list[dict[str, Any]] = registries.page(connection, newest, table, 0, 1_000_000)
    return Rows(version=newest, items=[{name: text for name, text in row["content"].items() if text} for row in found])
