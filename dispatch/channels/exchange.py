"""Exchange: one HTTP request and its answer, on a connection to a given address, within bounds.

Written on sockets, because the address that was checked must be the one that is connected to, and
because a peer that drips a byte now and then must not hold a thread: every wait counts against one
deadline.
"""

import io
import socket
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple, cast

from dispatch.channels.addresses import Address, Url


class Bounds(NamedTuple):
    """How long things may take [s], and how much of an answer is read [B]."""

    connect_s: float = 5.0
    read_s: float = 10.0
    total_s: float = 20.0
    most_bytes: int = 4_096


BOUNDS = Bounds()


class Answered(NamedTuple):
    """An answer's status, headers by lower-case name, and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ExchangeError(OSError):
    """There was no answer, or none that can be read; says why."""


class _Incoming(io.RawIOBase):
    """Bytes from a socket until a deadline, whatever the pace they come at; what `HTTPResponse` takes for a socket."""

    def __init__(self, sock: socket.socket, bounds: Bounds, deadline: float) -> None:
        self._sock, self._bounds, self._deadline = sock, bounds, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._sock.settimeout(_left_s(self._deadline, self._bounds.read_s))
        return self._sock.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)


def _left_s(deadline: float, most_s: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return min(left_s, most_s)


def post(
    url: Url, address: Address, headers: Mapping[str, str], body: bytes, tls: ssl.SSLContext, bounds: Bounds
) -> Answered:
    """POST a body to a URL at an address.

    Parameters
    ----------
    tls : SSLContext
        Verifies the host by its name, not by the address.

    Raises
    ------
    ExchangeError
    """
    deadline = time.monotonic() + bounds.total_s
    doing = "连接超时 connecting took too long"
    try:
        with socket.create_connection((str(address), url.port), timeout=bounds.connect_s) as plain:
            doing = "接收方应答超时 the receiver took too long to answer"
            if not url.tls:
                return _exchange(plain, url, headers, body, bounds, deadline)
            plain.settimeout(_left_s(deadline, bounds.read_s))
            with tls.wrap_socket(plain, server_hostname=url.host) as sock:
                return _exchange(sock, url, headers, body, bounds, deadline)
    except TimeoutError as error:
        raise ExchangeError(doing) from error
    except ssl.SSLCertVerificationError as error:
        raise ExchangeError(f"证书无效 the certificate is not valid: {error.verify_message}") from error
    except HTTPException as error:
        raise ExchangeError(f"应答不是 HTTP the answer is no HTTP: {type(error).__name__}") from error
    except OSError as error:
        raise ExchangeError(f"连接失败 no connection: {error.strerror or error}") from error


def _exchange(
    sock: socket.socket, url: Url, headers: Mapping[str, str], body: bytes, bounds: Bounds, deadline: float
) -> Answered:
    lines = [f"POST {url.path} HTTP/1.1", f"Host: {url.authority}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    sock.settimeout(_left_s(deadline, bounds.read_s))
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
    answer = HTTPResponse(cast(socket.socket, _Incoming(sock, bounds, deadline)), method="POST")
    try:
        answer.begin()
        try:
            text = answer.read(bounds.most_bytes)
        except (OSError, HTTPException):
            text = b""  # the status is what counts
        return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
    finally:
        answer.close()
