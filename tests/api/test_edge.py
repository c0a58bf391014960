"""Slow and broken bodies: they end, and hold up nobody."""

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from urllib.parse import urlsplit

import pytest

from api import edge
from api.routes import casework
from tests.api.world import API, PNG, Someone, Web

START = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PNG[:60]


@contextmanager
def sending(web: Web, who: Someone, path: str, kind: str, start: bytes) -> Iterator[socket.socket]:
    """A request whose body has begun."""
    place = urlsplit(str(web.client.base_url))
    headers = "".join(f"{name}: {value}\r\n" for name, value in who.headers.items())
    head = f"POST {API}{path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Type: {kind}\r\nContent-Length: 5000\r\n\r\n"
    with closing(socket.create_connection((place.hostname or "", place.port or 0), timeout=20)) as line:
        line.sendall(head.encode() + start)
        yield line


def uploading(web: Web, who: str) -> AbstractContextManager[socket.socket]:
    return sending(web, web.people[who], "/attachments", "multipart/form-data; boundary=x", START)


def taken(web: Web) -> int:
    return sum(count for whose, count in web.app.state.held.places.taken.items() if whose[0] == "upload")


def wait_for(web: Web, uploads: int) -> None:
    until = time.monotonic() + 10
    while taken(web) != uploads:
        assert time.monotonic() < until, f"{taken(web)} uploads, not {uploads}"
        time.sleep(0.01)


def test_slow_uploads_hold_up_nobody(web: Web) -> None:
    """More of them than there are connections to the database; one tenant has so many and no more."""
    with ExitStack() as open_:
        for who in ("company", "company2", "county"):
            for _ in range(casework.UPLOADS):
                open_.enter_context(uploading(web, who))
        wait_for(web, 3 * casework.UPLOADS)
        for _ in range(5):
            began = time.monotonic()
            assert web.people["company"].get("/violations")["items"]
            assert time.monotonic() - began < 2
        files = {"file": ("a.png", PNG)}
        answer = web.people["company"]("POST", "/attachments", files=files)
        assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many")
        assert answer.headers["Retry-After"] == "10"
        assert web.people["centre"]("POST", "/attachments", files=files).status_code == 201
    wait_for(web, 0)
    assert web.people["company"]("POST", "/attachments", files=files).status_code == 201


@pytest.mark.parametrize(
    ("path", "kind", "start"),
    [
        ("/session", "application/json", b'{"login": "centre"'),
        ("/attachments", "multipart/form-data; boundary=x", START),
    ],
)
def test_a_body_has_so_long(web: Web, monkeypatch: pytest.MonkeyPatch, path: str, kind: str, start: bytes) -> None:
    """Not that something arrives now and then counts, but that all has arrived."""
    monkeypatch.setattr(edge, "BODY_S", 0.6)
    with sending(web, web.people["company"], path, kind, start) as line:
        began, got = time.monotonic(), b""
        line.settimeout(0.1)
        while b"\r\n\r\n" not in got:
            assert time.monotonic() - began < 5, "it goes on"
            try:
                got += line.recv(4096)
            except TimeoutError:
                line.sendall(b" ")
        assert got.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in got.lower()
        assert b"/problems/too-slow" in got or b"/problems/too-slow" in line.recv(4096)
    wait_for(web, 0)


def test_who_goes_away_amid_a_file_is_no_error_of_ours(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        with uploading(web, "company"):
            wait_for(web, 1)
        wait_for(web, 0)
        requests = web.app.state.held.metrics.requests
        counted = requests.labels("POST", f"{API}/attachments", "400")._value
        until = time.monotonic() + 10
        while not counted.get():
            assert time.monotonic() < until, "it was not answered as a bad request"
            time.sleep(0.01)
    assert not caplog.records
