"""Gateway: positions over HTTP into the log. It answers when the log has them durably, and not before."""

import asyncio
from io import BytesIO
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from starlette.middleware.base import RequestResponseEndpoint

from api import problems
from api.feed import Feeder
from api.problems import Problem
from ingest.log import Log, LogError
from ingest.profile import DEFAULT, read_profile, shipped
from ingest.unzip import Unzipped
from ledger import keys
from ledger.database import connect
from ledger.keys import Key

MOST_BYTES = 16 << 20
"""Largest body, packed or not [B]."""

BODY_S = 60.0
"""How long a body may take to arrive [s]."""

PATIENCE_S = 3.0
"""How long a log that takes nothing is waited for before the sender is told [s]."""


async def _body(request: Request) -> bytes:
    """Body of a request, bounded in size and time."""
    declared = request.headers.get("content-length", "0")
    too_large = Problem("too-large", f"请求体过大 a body holds at most {MOST_BYTES:,} bytes: send several")
    if not declared.isdigit() or int(declared) > MOST_BYTES:
        raise too_large
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                content += part
                if len(content) > MOST_BYTES:
                    raise too_large
    except TimeoutError:
        raise Problem("too-slow", f"接收超时 the body did not arrive within {BODY_S:.0f} s") from None
    return bytes(content)


def _unpacked(content: bytes) -> bytes:
    """Undo gzip, within the same bound."""
    stream = Unzipped(BytesIO(content))
    plain = stream.read(MOST_BYTES + 1)
    if len(plain) > MOST_BYTES:
        raise Problem("too-large", f"解压后过大 unpacked, a body holds at most {MOST_BYTES:,} bytes: send several")
    if stream.broken:
        raise Problem("bad-request", f"gzip 数据损坏 the gzip stream is broken: {stream.broken}")
    return plain


def _who(url: str, header: str) -> Key:
    """Key of a request that may post positions."""
    scheme, _, token = header.partition(" ")
    key = None
    if scheme.lower() == "bearer":
        with connect(url, statement_s=5) as connection:
            key = keys.find(connection, token.strip())
    if key is None:
        words = "密钥无效 a key is needed: Authorization: Bearer wl_…"
        raise Problem("not-logged-in", words, {"WWW-Authenticate": "Bearer"})
    if "ingest" not in key.scopes:
        raise Problem("forbidden", "密钥无接入权限 the key does not have the scope ingest")
    return key


class Gateway:
    """What a request goes through.

    Parameters
    ----------
    log : Log
    url : str
        Of the database that knows the keys.
    """

    def __init__(self, log: Log, url: str) -> None:
        self.log, self.url = log, url
        self.profiles = {name: read_profile(name) for name in ("warnloop", *shipped())}
        self.registry = CollectorRegistry()
        self.requests = Counter("warnloop_ingest_requests", "Requests, by status.", ["status"], registry=self.registry)
        self.lines = Counter("warnloop_ingest_lines", "Lines that the log has.", registry=self.registry)

    def take(self, profile: str, content: bytes) -> dict[str, Any]:
        """Put the lines of a body into the log; when it returns they are durable."""
        plain = _unpacked(content)
        chosen = DEFAULT if profile == "warnloop" else self.profiles[profile]
        try:
            fed = Feeder(self.log, chosen, patience_s=PATIENCE_S).feed(BytesIO(plain), "body")
        except LogError as error:
            words = "日志暂不可写，请稍后整体重发 the log takes nothing now: send the whole body again"
            raise Problem("unavailable", f"{words} ({error})", {"Retry-After": "5"}) from error
        self.lines.inc(fed.lines)
        refused = [{"line": one.line, "reason": one.reason, "detail": one.detail} for one in fed.rejects.shown]
        return {"lines": fed.lines, "refused": sum(fed.rejects.counts.values()), "examples": refused}

    async def ingest(self, request: Request, profile: str = "warnloop") -> dict[str, Any]:
        """Answer ``POST /ingest``: first who it is, then what is brought."""
        await run_in_threadpool(_who, self.url, request.headers.get("authorization", ""))
        if profile not in self.profiles:
            words = f"未知的字段方案 no profile {profile!r}: there are {', '.join(self.profiles)}"
            raise Problem("invalid", words)
        return await run_in_threadpool(self.take, profile, await _body(request))

    def app(self) -> FastAPI:
        """The application."""
        app = FastAPI(title="warnloop gateway", openapi_url=None, docs_url=None, redoc_url=None)
        problems.install(app)
        app.middleware("http")(self._counted)
        app.add_api_route("/ingest", self.ingest, methods=["POST"])
        app.add_api_route("/healthz", lambda: {"status": "ok"}, methods=["GET"])
        app.add_api_route("/metrics", self._metrics, methods=["GET"])
        return app

    async def _counted(self, request: Request, go_on: RequestResponseEndpoint) -> Response:
        answer = await go_on(request)
        if request.url.path == "/ingest":
            self.requests.labels(str(answer.status_code)).inc()
        return answer

    def _metrics(self) -> Response:
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


def serve(log: Log, url: str, host: str, port: int) -> None:
    """Serve until a signal comes; requests at hand are answered first."""
    uvicorn.run(Gateway(log, url).app(), host=host, port=port, log_level="warning", limit_concurrency=256,
                timeout_graceful_shutdown=10, server_header=False)  # fmt: skip
