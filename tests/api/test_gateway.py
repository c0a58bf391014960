"""The gateway over a real socket: what is taken is in the log, what is not is told why."""

import gzip
import socket
from contextlib import ExitStack, closing

import pytest

from api import gateway
from ledger import keys
from ledger.database import connect
from ledger.principal import CENTRE
from tests.api.posting import Running

LINE = b'{"plate":"\xe6\xb5\x8bA00001","time":1772380800000,"lon":87.3,"lat":44.0,"speed_kmh":60}\n'


def test_what_is_answered_200_is_in_the_log(running: Running) -> None:
    assert running.post(LINE * 3) == (200, {"lines": 3, "refused": 0, "examples": []})
    assert running.lines() == 3
    assert running.post(gzip.compress(LINE * 2))[0] == 200
    assert running.lines() == 5
    assert running.post(b"plate,time,lon,lat,speed_kmh\nx,1772380800000,87,44,5\n")[1]["lines"] == 1
    assert running.post(b"")[1]["lines"] == 0


def test_rubbish_goes_along_to_be_quarantined(running: Running) -> None:
    """A line that names no vehicle is kept; only what does not fit a frame is refused."""
    status, told = running.post(LINE + b"\xff\x00{rubbish}\n" + b"x" * (1 << 20) + b"x\n" + LINE)
    assert (status, told["lines"], told["refused"]) == (200, 3, 1)
    assert told["examples"][0]["reason"] == "oversize"
    assert running.lines() == 3


def test_who_may_not(running: Running) -> None:
    with connect(running.url) as connection:
        _, reader = keys.create(connection, CENTRE, "reader", ("read",), "tester")
        assert running.post(LINE, key=reader)[0] == 403
        assert running.post(LINE, key="wl_forged")[0] == 401
        assert running.post(LINE, key="forged")[0] == 401
        assert running.post(LINE, Authorization="Basic eDp5")[0] == 401
        assert running.headers["Content-Type"] == "application/problem+json"
        keys.revoke(connection, CENTRE, "tester", running.id)
    assert running.post(LINE)[0] == 401
    assert running.lines() == 0


def test_a_revoked_key_is_believed_for_moments_only(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    assert running.post(LINE)[0] == 200
    with connect(running.url) as connection:
        keys.revoke(connection, CENTRE, "tester", running.id)
    assert running.post(LINE)[0] == 200
    monkeypatch.setattr(gateway, "KNOWN_S", 0.0)
    assert running.post(LINE)[0] == 401


def test_a_small_body_does_not_become_a_large_one(running: Running) -> None:
    """Each frame of a CSV has a copy of its header."""
    header = b"plate,time,lon,lat,speed_kmh," + b",".join(b"%d" % n for n in range(20_000))
    status, told = running.post(header + b"\nx,1" * 2_000)
    assert (status, told["lines"], told["refused"]) == (200, 0, 1)
    assert "header longer than" in told["examples"][0]["detail"]
    wide = b"plate,time,lon,lat,speed_kmh," + b",".join(b"%d" % n for n in range(1_500))
    assert running.post(wide + b"\nx,1" * 2_000)[1]["lines"] == 2_000
    with connect(running.url) as connection:
        (size,) = connection.execute("SELECT sum(octet_length(content)) FROM log_frames").fetchone() or (0,)
    assert size < 40_000


def test_too_many_at_once_are_told_to_come_again(running: Running) -> None:
    with ExitStack() as open_:
        for _ in range(2 * gateway.MOST_AT_ONCE):  # some may come while one of ours has a place
            slow = open_.enter_context(closing(socket.create_connection(("127.0.0.1", running.port))))
            head = f"POST /ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {running.key}\r\nContent-Length: 9\r\n"
            slow.sendall(f"{head}\r\n".encode())
        while (status := running.post(LINE)[0]) == 200:
            pass
        assert status == 503
        assert running.headers["Retry-After"] == "1"
    while running.post(LINE)[0] == 503:
        pass


def test_what_cannot_be_taken(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "MOST_BYTES", 1000)
    assert running.post(b"x" * 1001)[0] == 413
    assert running.post(iter([b"x" * 600, b"x" * 600]))[0] == 413  # chunked, without a declared length
    assert running.post(gzip.compress(b"x" * 100_000))[0] == 413
    assert running.post(gzip.compress(LINE * 3)[:-9])[0] == 400
    assert running.post(LINE, path="/ingest?profile=nobody")[0] == 422
    assert running.lines() == 0


def test_a_body_that_never_ends_is_given_up(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "BODY_S", 0.3)
    with closing(socket.create_connection(("127.0.0.1", running.port))) as slow:
        head = (
            f"POST /ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {running.key}\r\nContent-Length: 100\r\n\r\nx"
        )
        slow.sendall(head.encode())
        slow.settimeout(10)
        assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_a_log_that_takes_nothing_is_never_acknowledged(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "PATIENCE_S", 0.1)
    with connect(running.url) as connection:
        connection.execute("ALTER TABLE log_frames RENAME TO hidden")
        status, told = running.post(LINE)
        assert status == 503
        assert running.headers["Retry-After"] == "5"
        assert "send the whole body again" in told["detail"]
        connection.execute("ALTER TABLE hidden RENAME TO log_frames")
    assert running.post(LINE)[0] == 200
    assert running.lines() == 1
