"""Made: deliveries, and real receivers for them to go to."""

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ledger.deliveries import Claimed
from ledger.subscriptions import new_secret

SECRET = new_secret()
PAYLOAD = (
    '{"type":"violation.raised","timestamp":"2026-03-02T08:00:00.000+08:00","data":{"violation":"1","kind":"V04",'
    '"kind_zh":"严重超速","kind_en":"Severe speeding","severity":4,"plate":"测A00001","company":"652301-L001",'
    '"county":"652301","begins":"2026-03-02T07:59:00.000+08:00"}}'
)
_CLAIMED: dict[str, Any] = {
    "role": "county",
    "tenant": "652301",
    "channel": "webhook",
    "target": "http://127.0.0.1:9/",
    "secret": SECRET,
    "language": "zh-CN",
    "type": "violation.raised",
    "payload": PAYLOAD,
    "attempts": 0,
    "claimed_until": datetime(2026, 3, 2, tzinfo=UTC),
    "report_id": None,
    "first_at": None,
}


def claimed(**changes: Any) -> Claimed:
    """A delivery in a courier's hands, plain but for what is changed."""
    return Claimed(**({"id": uuid.uuid4(), "subscription_id": uuid.uuid4()} | _CLAIMED | changes))


@dataclass
class Got:
    """A request that a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A real HTTP server; what it got, and where it is."""

    url: str
    got: list[Got] = field(default_factory=list)


Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with a status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


TAKEN = status(204)


@contextmanager
def receiver(answer: Answer = TAKEN, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver that answers so, for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.got.append(Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            pass

    with Server((host, 0), Handler) as server:
        got = Receiver(f"http://{host}:{server.server_address[1]}/hook")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield got
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def raw(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """URL of a server that says what it likes to each who connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def one(peer: socket.socket) -> None:
            with peer, suppress(OSError):
                talk(peer)

        def serve() -> None:
            while not done.is_set():
                try:
                    peer = server.accept()[0]
                except OSError:
                    return
                threading.Thread(target=one, args=(peer,), daemon=True).start()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            done.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def until(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until something holds; fails when it does not in time."""
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)
