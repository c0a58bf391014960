"""Edge: what holds for every request: bounds of its body, headers of its answer, its place in the metrics."""

import asyncio
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, document
from api.web_metrics import WebMetrics
from ledger.attachments import MOST_BYTES

MOST_BODY = 256 << 10
"""Largest body but for files [B]."""

MOST_FORM = MOST_BYTES + (64 << 10)
"""Largest form with a file [B]."""

MOST_IMPORT = 64 << 20
"""Largest form with files of the registry [B]."""

BODY_S = 60.0
"""How long a body may take to arrive [s]."""

PREFIX = "/api/v1"
"""Where the API is."""

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Edge:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, metrics: WebMetrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, most = time.perf_counter(), _most(scope)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], time.perf_counter() - began)
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(PREFIX):
                    headers.setdefault("Cache-Control", "no-store")
                if message["status"] in (408, 413):
                    headers["Connection"] = "close"  # the rest of the body is not wanted
            await send(message)

        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > most:
            await document(scope, Problem("too-large", _words(most)))(scope, receive, told)
            return
        await self.app(scope, _bounded(receive, most), told)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        if scope["path"].startswith(PREFIX) and route != "other":
            route = PREFIX + route
        method = scope["method"] if scope["method"] in ("GET", "POST", "PUT", "DELETE", "HEAD") else "other"
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.request_seconds.labels(route).observe(seconds)


def _most(scope: Scope) -> int:
    if scope["path"] == f"{PREFIX}/registry/imports":
        return MOST_IMPORT
    return MOST_FORM if scope["path"].endswith("/attachments") else MOST_BODY


def _words(most: int) -> str:
    return f"请求体超过{most:,}字节 the body is larger than {most:,} bytes"


def _bounded(receive: Receive, most: int) -> Receive:
    """Read a body up to a bound, whatever it says of its length, and for so long."""
    got, until = 0, asyncio.get_running_loop().time() + BODY_S
    whole = False

    async def bounded() -> Message:
        nonlocal got, whole
        try:
            async with asyncio.timeout_at(None if whole else until):
                message: dict[str, Any] = dict(await receive())
        except TimeoutError:
            raise HTTPException(408, f"接收超时 the body did not arrive within {BODY_S:.0f} s") from None
        whole = not message.get("more_body", False)
        got += len(message.get("body", b""))
        if got > most:
            raise HTTPException(413, _words(most))
        return message

    return bounded
