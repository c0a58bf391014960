"""Gateway: positions over HTTP into the log. It answers when the log has them durably, and not before."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from starlette.requests import ClientDisconnect

from api import problems
from api.feed import Feeder
from api.limits import BoundedProtocol, raise_open_files
from api.problems import KINDS, Problem
from ingest.log import Log, LogError
from ingest.profile import DEFAULT, read_profile, shipped
from ingest.unzip import Unzipped
from ledger import keys
from ledger.keys import Key
from ledger.pool import Pool

MOST_BYTES = 16 << 20
"""Largest body, packed or not [B]."""

MOST_AT_ONCE = 32
"""Bodies that are taken in at the same time."""

KNOWN_S = 3.0
"""How long a key is believed after it was looked up: a revoked one may post for so long [s]."""

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


class Gateway:
    """What a request goes through.

    Parameters
    ----------
    log : Log
    url : str
        Of the database that knows the keys.
    """

    def __init__(self, log: Log, url: str) -> None:
        self.log = log
        self._pool = Pool(url, wait_s=5.0, most=4)
        self._known: dict[str, tuple[float, Key | None]] = {}
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
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

    def _key(self, token: str) -> Key | None:
        """Key of a token, as of a few seconds ago at most."""
        at, key = self._known.get(token, (-KNOWN_S, None))
        if time.monotonic() - at >= KNOWN_S:
            with self._pool.connection() as connection:
                key = keys.find(connection, token)
            if key is not None:  # what is forged is asked for each time, and fills nothing
                self._known[token] = time.monotonic(), key
            else:
                self._known.pop(token, None)
        return key

    def _who(self, header: str) -> Key:
        """Key of a request that may post positions."""
        scheme, _, token = header.partition(" ")
        key = self._key(token.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            words = "密钥无效 a key is needed: Authorization: Bearer wl_…"
            raise Problem("not-logged-in", words, {"WWW-Authenticate": "Bearer"})
        if "ingest" not in key.scopes:
            raise Problem("forbidden", "密钥无接入权限 the key does not have the scope ingest")
        return key

    async def ingest(self, request: Request, profile: str = "warnloop") -> dict[str, Any]:
        """Answer ``POST /ingest``."""
        status = "500"
        try:
            answer = await self._answer(request, profile)
            status = "200"
            return answer
        except Problem as problem:
            status = str(KINDS[problem.kind][0])
            raise
        except ClientDisconnect:
            status = "gone"
            raise
        finally:
            self.requests.labels(status).inc()

    async def _answer(self, request: Request, profile: str) -> dict[str, Any]:
        """See first who it is, then what is brought."""
        await run_in_threadpool(self._who, request.headers.get("authorization", ""))
        if profile not in self.profiles:
            words = f"未知的字段方案 no profile {profile!r}: there are {', '.join(self.profiles)}"
            raise Problem("invalid", words)
        if self._turns.locked():
            words = "接收繁忙，请稍后重发 too many bodies at once: send again"
            raise Problem("unavailable", words, {"Retry-After": "1"})
        async with self._turns:
            return await run_in_threadpool(self.take, profile, await _body(request))

    def app(self) -> FastAPI:
        """The application."""
        app = FastAPI(
            title="warnloop gateway", openapi_url=None, docs_url=None, redoc_url=None, lifespan=self._lifespan
        )
        problems.install(app)
        app.add_api_route("/ingest", self.ingest, methods=["POST"])
        app.add_api_route("/healthz", lambda: {"status": "ok"}, methods=["GET"])
        app.add_api_route("/metrics", self._metrics, methods=["GET"])
        return app

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        self._pool.open()
        yield
        self._pool.close()

    def _metrics(self) -> Response:
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


def serve(log: Log, url: str, host: str, port: int) -> None:
    """Serve until a signal comes; requests at hand are answered first."""
    raise_open_files()
    uvicorn.run(
        Gateway(log, url).app(),
        host=host,
        port=port,
        http=BoundedProtocol,
        log_level="warning",
        timeout_graceful_shutdown=10,
        server_header=False,
    )
