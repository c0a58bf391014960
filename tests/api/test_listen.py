"""Listen: takes what is genuine, refuses what is not, and says so."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook as Standard

from api.listen import MOST_BYTES, Receiver
from dispatch.channels.signature import TOLERANCE_S, SignatureError, key, sign, verify
from tests.dispatch.made import PAYLOAD, SECRET


class Heard:
    """A receiver at work, and the lines it printed."""

    def __init__(self, as_json: bool = False) -> None:
        self.shown: list[str] = []
        self.warned: list[str] = []
        self.server = Receiver("127.0.0.1", 0, SECRET, self.shown.append, self.warned.append, as_json=as_json)
        self.address = ("127.0.0.1", self.server.server_address[1])
        self.url = f"http://127.0.0.1:{self.address[1]}/any/path"


@contextmanager
def listening(as_json: bool = False) -> Iterator[Heard]:
    heard = Heard(as_json)
    thread = threading.Thread(target=heard.server.serve_forever, args=(0.01,))
    with heard.server:
        thread.start()
        try:
            yield heard
        finally:
            heard.server.shutdown()
            thread.join()


def signed(body: bytes = PAYLOAD.encode(), at_s: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """Headers as the reference implementation signs them."""
    id_, moment = str(uuid.uuid4()), datetime.fromtimestamp(time.time() if at_s is None else at_s, UTC)
    signature = Standard(secret).sign(id_, moment, body.decode())
    return {"webhook-id": id_, "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


def test_what_is_genuine_is_one_line() -> None:
    with listening() as heard:
        answer = httpx.post(heard.url, content=PAYLOAD.encode(), headers=signed())
    assert answer.status_code == 204
    (line,) = heard.shown
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d 违规新增 V04 严重超速 严重 测A00001 652301-L001 2026-03-02T07:59:00\.000\+08:00", line
    )
    assert heard.warned == []


def test_as_json() -> None:
    with listening(as_json=True) as heard:
        httpx.post(heard.url, content=PAYLOAD.encode(), headers=signed())
    assert [json.loads(line) for line in heard.shown] == [json.loads(PAYLOAD)]


def test_a_repeat_is_taken_and_not_printed_again() -> None:
    headers = signed()
    with listening() as heard:
        codes = [httpx.post(heard.url, content=PAYLOAD.encode(), headers=headers).status_code for _ in range(2)]
    assert codes == [204, 204]
    assert len(heard.shown) == 1
    assert headers["webhook-id"] in heard.warned[0]


OTHER = "whsec_" + "QUJD" * 8


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        pytest.param({}, "missing", id="none"),
        pytest.param(signed(secret=OTHER), "does not match", id="another secret"),
        pytest.param(signed(PAYLOAD.encode() + b" "), "does not match", id="another body"),
        pytest.param({**signed(), "webhook-id": "x"}, "does not match", id="another id"),
        pytest.param({**signed(), "webhook-timestamp": "12"}, "does not match", id="another time"),
        pytest.param({**signed(), "webhook-timestamp": "soon"}, "no time", id="no time"),
        pytest.param({**signed(), "webhook-signature": "v1,"}, "does not match", id="empty"),
        pytest.param({**signed(), "webhook-signature": "v2,AAAA v1,ÄÖ".encode().decode("latin1")}, "match", id="odd"),
        pytest.param(signed(at_s=time.time() - 4_000), "five minutes", id="old"),
        pytest.param(signed(at_s=time.time() + 4_000), "five minutes", id="from the future"),
    ],
)
def test_what_is_not_genuine_is_refused(headers: dict[str, str], why: str) -> None:
    with listening() as heard:
        sent = [(name.encode(), value.encode("latin1")) for name, value in headers.items()]
        answer = httpx.post(heard.url, content=PAYLOAD.encode(), headers=sent)
    assert answer.status_code == 401
    assert why in answer.text
    assert heard.shown == []
    assert why in heard.warned[0]


def test_several_signatures_one_right() -> None:
    headers = signed()
    headers["webhook-signature"] = f"v1,{'A' * 43}= {headers['webhook-signature']}"
    assert verify(SECRET, headers, PAYLOAD.encode(), time.time()) == headers["webhook-id"]


def test_the_reference_signs_as_we_do() -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    ours = sign(SECRET, "id", int(moment.timestamp()), PAYLOAD.encode())
    assert ours == Standard(SECRET).sign("id", moment, PAYLOAD)


def test_tolerance() -> None:
    headers = signed(at_s=1_000_000)
    for off in (-TOLERANCE_S, TOLERANCE_S):
        verify(SECRET, headers, PAYLOAD.encode(), 1_000_000 + off)
    for off in (-TOLERANCE_S - 1, TOLERANCE_S + 1):
        with pytest.raises(SignatureError):
            verify(SECRET, headers, PAYLOAD.encode(), 1_000_000 + off)


@pytest.mark.parametrize("secret", ["", "whsec_", "geheim", "whsec_ä", "whsec_????", "whsec_QUJD", "QUJD" * 8])
def test_no_secret(secret: str) -> None:
    with pytest.raises(SignatureError) as raised:
        key(secret)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null"])
def test_no_event(body: bytes) -> None:
    id_, now_s = str(uuid.uuid4()), int(time.time())
    headers = {"webhook-id": id_, "webhook-timestamp": str(now_s), "webhook-signature": sign(SECRET, id_, now_s, body)}
    with listening() as heard:
        assert httpx.post(heard.url, content=body, headers=headers).status_code == 400
    assert heard.shown == []


def test_an_event_of_another_make_is_printed_all_the_same() -> None:
    body = b'{"type": "x\\ny", "data": [1]}'
    with listening() as heard:
        assert httpx.post(heard.url, content=body, headers=signed(body)).status_code == 204
    assert heard.shown[0].endswith("x y")


def test_a_body_too_long_is_not_read() -> None:
    with listening() as heard:
        with socket.create_connection(heard.address) as peer:
            peer.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {MOST_BYTES + 1}\r\n\r\n".encode())
            assert peer.recv(100).startswith(b"HTTP/1.0 413")
        with socket.create_connection(heard.address) as peer:
            peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert peer.recv(100).startswith(b"HTTP/1.0 411")
        assert httpx.get(heard.url).status_code == 501


def command(*words: str, secret: str) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WARNLOOP_")}
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli", "listen", *words], env={**environment, "WARNLOOP_WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_command() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with command("--port", str(port), secret=SECRET) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "正在接收" in process.stderr.readline()
        assert httpx.post(f"http://127.0.0.1:{port}/", content=PAYLOAD.encode(), headers=signed()).status_code == 204
        assert "严重超速" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_the_command_with_a_bad_secret() -> None:
    with command(secret="geheim") as process:  # noqa: S106 - is none
        _, told = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "whsec_" in told
    assert "geheim" not in told
