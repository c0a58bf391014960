"""Limits: connections that ask for nothing end; those that ask are served."""

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse

from api import limits
from tests.api.world import serving

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Port of a small application."""
    monkeypatch.setattr(limits, "HEAD_S", 0.3)
    app = FastAPI()
    app.state.held = SimpleNamespace(stopping=Event())

    async def told(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app.add_route("/", told, methods=["GET", "POST"])
    with serving(app) as url:
        yield urlsplit(url).port or 0


def lasted(port: int, *parts: bytes) -> tuple[float, bytes]:
    """How long a connection that sends something, and no more, stays open; and what it is answered."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as line:
        for part in parts:
            line.sendall(part)
            time.sleep(0.05)
        began, got = time.monotonic(), b""
        while part := line.recv(4096):
            got += part
        return time.monotonic() - began, got


@pytest.mark.parametrize(
    "parts",
    [(), (b"\r\n",), (b"GET / HT",), (b"GET / HTTP/1.1\r\nHost: x\r\n",), (ASK, b"\r\n"), (ASK, b"GET / HTTP/1.1\r\n")],
)
def test_who_asks_for_nothing_is_cut(port: int, parts: tuple[bytes, ...]) -> None:
    seconds, _ = lasted(port, *parts)
    assert 0.1 < seconds < 2


def test_who_asks_is_served(port: int) -> None:
    """A slow body is none of its business, and a second request is served on the same connection."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as line:
        for _ in range(2):
            line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
            time.sleep(0.5)
            line.sendall(b"b")
            assert line.recv(4096).startswith(b"HTTP/1.1 200")
            time.sleep(0.5)


def test_open_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = (
        "from resource import *; from api.limits import raise_open_files;"
        "setrlimit(RLIMIT_NOFILE, (64, getrlimit(RLIMIT_NOFILE)[1])); raise_open_files();"
        "print(getrlimit(RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert int(done.stdout) == most
