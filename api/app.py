"""App: the HTTP API and the screens, made of a database's URL."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

from api import problems
from api.edge import PREFIX, Edge
from api.live import Live
from api.problems import MEDIA_TYPE
from api.routes import (
    casework,
    health,
    keys,
    overview,
    registry,
    reports,
    session,
    stream,
    subscriptions,
    violations,
    warnings,
)
from api.schemas import ProblemDocument
from api.state import WATCHING, State
from ledger.pool import Pool

WEB = Path(__file__).parent / "web"


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    words = {
        400: "Cannot be understood", 401: "Not logged in", 403: "Not allowed", 404: "No such thing, or another's",
        408: "Too slow to arrive",
        409: "In conflict with what there is", 413: "Too large", 415: "Not taken", 422: "Invalid",
        429: "Too many, or too many tries", 503: "Not available just now",
    }  # fmt: skip
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    return {status: {"description": words[status], "content": {MEDIA_TYPE: schema}} for status in statuses}


def make_app(url: str, *, web: Path = WEB, patience_s: float = 5.0) -> FastAPI:
    """Make the application of a database.

    Parameters
    ----------
    url : str
        Of a migrated database.
    web : Path
        Folder of the screens.
    patience_s : float
        How long a request waits for a database that is busy or out of reach [s].
    """
    state = State(Pool(url, wait_s=patience_s), Pool(url, wait_s=patience_s, most=WATCHING), Live(url))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        state.pool.open()
        state.watching_pool.open()
        state.live.start()
        try:
            await to_thread.run_sync(state.live.wait, patience_s)
            yield
        finally:
            state.stopping.set()
            await to_thread.run_sync(state.live.stop)
            await to_thread.run_sync(state.pool.close)
            await to_thread.run_sync(state.watching_pool.close)

    app = FastAPI(
        title="warnloop",
        version=version("warnloop"),
        summary="车辆动态监控告警闭环 The warning loop, closed.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=_problems(400, 408, 422, 503),
    )
    app.state.held = state
    problems.install(app)
    api = APIRouter(prefix=PREFIX, responses=_problems(401, 403, 404, 409, 413, 415, 429))
    for module in (session, violations, warnings, casework, overview, stream, reports, subscriptions, keys, registry):
        api.include_router(module.router)
    app.include_router(health.router)
    app.include_router(api)
    app.openapi = _described(app)  # type: ignore[method-assign]  # how FastAPI says to extend it
    app.mount("/", Screens(directory=web, html=True, check_dir=False), name="screens")
    app.add_middleware(Edge, metrics=state.metrics)
    return app


def _described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The description of an application, with what FastAPI does not know of: problem documents and ways to log in."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = plain()
            components = found.setdefault("components", {})
            components.setdefault("schemas", {}).update(_schema_of_problems())
            components["securitySchemes"] = {
                "cookie": {"type": "apiKey", "in": "cookie", "name": "warnloop"},
                "key": {"type": "http", "scheme": "bearer"},
            }
            for path, methods in found["paths"].items():
                for method, operation in methods.items():
                    if path.startswith(PREFIX) and (path, method) != (f"{PREFIX}/session", "post"):
                        operation["security"] = [{"cookie": []}, {"key": []}]
            app.openapi_schema = found
        return app.openapi_schema

    return described


def _schema_of_problems() -> dict[str, Any]:
    schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), "ProblemDocument": schema}


class Screens(StaticFiles):
    """The screens: always asked for anew, answered from the cache where nothing has changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, with its tag."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer
