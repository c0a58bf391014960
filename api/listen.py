"""Listen: a small receiver of webhooks that verifies what arrives and prints it, one line an event."""

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dispatch.channels.signature import SignatureError, key, verify
from dispatch.words import headline
from ingest.moment import BEIJING

MOST_BYTES = 1_000_000
"""Longest body that is read [B]."""

REMEMBERED = 10_000
"""How many ids are kept to tell repeats."""

Print = Callable[[str], None]


class Receiver(ThreadingHTTPServer):
    """Answers 204 to what is genuine, 401 to what is not; prints both.

    Parameters
    ----------
    secret : str
        ``whsec_…``, as the subscription was given it.
    as_json : bool
        Print bodies as they are instead of a line in words.
    show, warn : callable
        Print a line of result, and of trouble.

    Raises
    ------
    SignatureError
        The secret is none.
    OSError
        The port cannot be had.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int, secret: str, show: Print, warn: Print, *, as_json: bool = False) -> None:
        key(secret)
        self.secret, self.show, self.warn, self.as_json = secret, show, warn, as_json
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        super().__init__((host, port), _Handler)

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Verify a message and print it, once.

        Raises
        ------
        SignatureError, ValueError
        """
        id_ = verify(self.secret, headers, body, time.time())
        event = json.loads(body)
        if not isinstance(event, dict):
            raise ValueError
        with self._lock:
            repeated = id_ in self._seen
            self._seen[id_] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            if repeated:
                self.warn(f"重复送达 delivered again: {id_}")
            elif self.as_json:
                self.show(json.dumps(event, ensure_ascii=False))
            else:
                self.show(f"{datetime.now(BEIJING):%H:%M:%S} {headline(event)}")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of peers that go away."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    timeout = 10
    server_version = "warnloop-listen"
    sys_version = ""

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            return self._answer(411, "缺少长度 Content-Length is missing")
        if len(length) > 9 or int(length) > MOST_BYTES:
            return self._answer(413, "内容过长 the body is too long")
        body = self.rfile.read(int(length))
        try:
            self.server.take({name.lower(): value for name, value in self.headers.items()}, body)
        except SignatureError as error:
            return self._answer(401, str(error))
        except ValueError:
            return self._answer(400, "内容不是 JSON the body is no JSON object")
        return self._answer(204)

    def _answer(self, status: int, why: str = "") -> None:
        if why:
            self.server.warn(f"拒收 refused ({status}): {why}")
        body = f"{why}\n".encode() if why else b""
        self.send_response(status)
        self.send_header("Connection", "close")
        if why:
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Print nothing but what `Receiver` prints."""
