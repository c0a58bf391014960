"""Webhooks against real sockets: signed, bounded, never led astray."""

import ipaddress
import json
import logging
import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Standard

from dispatch.channels.addresses import Allowed
from dispatch.channels.answers import Later, Refused, Sent
from dispatch.channels.exchange import Answered, Bounds
from dispatch.channels.webhook import MOST_WAIT_S, NO_ANSWER, NO_WAY, Webhook, judged, retry_after_s
from tests.dispatch.made import PAYLOAD, SECRET, Answer, claimed, raw, receiver, status

LOOPBACK = (Allowed.of("127.0.0.0/8"),)
QUICK = Bounds(connect_s=0.5, read_s=0.5, total_s=1.0)


def send(url: str, **changes: Any) -> Sent | Later | Refused:
    return Webhook(LOOPBACK, QUICK).send(claimed(target=url, **changes), tuple)


def test_it_is_a_standard_webhook() -> None:
    with receiver() as here:
        delivery = claimed(target=f"{here.url}?token=x")
        answer = Webhook(LOOPBACK).send(delivery, tuple)
    assert answer == Sent("", 204)
    (got,) = here.got
    assert got.path == "/hook?token=x"
    assert got.headers["webhook-id"] == str(delivery.id)
    assert got.headers["content-type"] == "application/json; charset=utf-8"
    assert got.headers["host"] == here.url.split("/")[2]
    assert got.body == PAYLOAD.encode()
    assert Standard(SECRET).verify(got.body, got.headers) == json.loads(PAYLOAD)
    with pytest.raises(Exception, match="signature"):
        Standard(SECRET).verify(got.body + b" ", got.headers)


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_taken(code: int) -> None:
    with receiver(status(code, b"" if code == 204 else b"thanks")) as here:
        answer = send(here.url)
    assert isinstance(answer, Sent)
    assert answer.status == code


@pytest.mark.parametrize("code", [400, 401, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504])
def test_not_now(code: int) -> None:
    with receiver(status(code, b"<why>", Retry_After="120")) as here:
        answer = send(here.url)
    assert isinstance(answer, Later)
    assert answer.status == code
    assert str(code) in answer.detail
    assert "<why>" not in answer.detail, "what is said inside stays inside"
    assert answer.retry_after_s == (120.0 if code in (429, 503) else None)


def test_gone() -> None:
    with receiver(status(410)) as here:
        answer = send(here.url)
    assert isinstance(answer, Refused)
    assert answer.gone


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(code: int) -> None:
    with receiver() as inside:
        for location in ("http://169.254.169.254/latest/meta-data/", inside.url, "/elsewhere"):
            with receiver(status(code, Location=location)) as here:
                answer = send(here.url)
            assert isinstance(answer, Later)
            assert answer.status == code
            assert len(here.got) == 1
        assert inside.got == []


def test_our_own_network_is_not_even_connected_to() -> None:
    with receiver() as here:
        port = int(here.url.split(":")[2].split("/")[0])
        for host in ("127.0.0.1", "localhost", "0", "[::ffff:127.0.0.1]", "2130706433"):
            answer = Webhook((), QUICK).send(claimed(target=f"http://{host}:{port}/"), tuple)
            assert isinstance(answer, Later), host
            assert answer.detail == NO_WAY.format(host.strip("[]"))
            assert answer.hidden
        assert here.got == []


def test_the_name_is_resolved_once_and_the_checked_address_is_used() -> None:
    """DNS that answers with another address the next time (rebinding) gains nothing."""
    asked: list[str] = []
    with receiver() as here, receiver(host="127.0.0.2") as other:
        port = int(here.url.split(":")[2].split("/")[0])

        def rebinding(host: str, _: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

        allowed = [Allowed.of("127.0.0.1/32")]
        channel = Webhook(allowed, QUICK, rebinding)
        answer = channel.send(claimed(target=f"http://hook.example:{port}/"), tuple)
        assert isinstance(answer, Sent)
        assert asked == ["hook.example"]
        assert here.got[0].headers["host"] == f"hook.example:{port}"
        assert isinstance(channel.send(claimed(target=f"http://hook.example:{port}/"), tuple), Later)
        assert other.got == []


def test_a_name_that_does_not_resolve() -> None:
    def fails(*_: Any) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    answer = Webhook(LOOPBACK, QUICK, fails).send(claimed(target="http://nobody.example/"), tuple)
    assert isinstance(answer, Later)
    assert answer.detail == NO_WAY.format("nobody.example"), "as of a name that leads inside"
    too_long = Webhook(LOOPBACK, QUICK).send(claimed(target=f"http://{'a' * 70}.example/"), tuple)
    assert isinstance(too_long, Later)


@pytest.mark.parametrize(
    "changes", [{"target": "ftp://x/"}, {"target": "http://u:p@x/"}, {"secret": "geheim"}, {"secret": "whsec_????"}]
)
def test_what_can_never_be_sent(changes: dict[str, str]) -> None:
    answer = send(**({"url": changes["target"]} if "target" in changes else {"url": "http://127.0.0.1:9/", **changes}))
    assert isinstance(answer, Refused)
    assert not answer.gone
    assert "geheim" not in answer.detail


def test_what_an_internal_receiver_does_is_told_to_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Refused, reset, silent, no HTTP: not to be told apart by a subscription's owner."""
    caplog.set_level(logging.DEBUG, "warnloop.dispatch")
    urls = ["http://127.0.0.1:9/"]
    with raw(lambda _: time.sleep(3)) as hangs, raw(lambda _: None) as closes, raw(said(b"SSH-2.0-x\r\n")) as speaks:
        urls += [hangs, closes, speaks, speaks.replace("http:", "https:")]
        answers = [send(url) for url in urls]
    assert answers == [Later(NO_ANSWER, hidden=True)] * 5
    assert "no connection" in caplog.records[0].message
    assert "too long" in caplog.records[1].message
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


def test_what_a_public_receiver_does_is_told_to_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.channels.webhook.checked", lambda *_: [ipaddress.ip_address("127.0.0.1")])
    monkeypatch.setattr("dispatch.channels.webhook.is_public", lambda _: True)
    channel = Webhook((), QUICK)
    answer = channel.send(claimed(target="http://hook.example:9/"), tuple)
    assert isinstance(answer, Later)
    assert "no connection" in answer.detail
    assert not answer.hidden
    with receiver(status(500, b"<why>")) as here:
        answer = channel.send(claimed(target=here.url), tuple)
    assert "<why>" in answer.detail


def said(words: bytes) -> Any:
    def talk(peer: socket.socket) -> None:
        peer.recv(65_536)
        peer.sendall(words)

    return talk


def drip(piece: bytes, first: bytes = b"") -> Any:
    def talk(peer: socket.socket) -> None:
        peer.recv(65_536)
        peer.sendall(first)
        while True:
            peer.sendall(piece)
            time.sleep(0.05)

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(lambda _: time.sleep(3), id="hangs"),
        pytest.param(drip(b"H"), id="drips its status line"),
        pytest.param(drip(b"X-A: b\r\n", b"HTTP/1.1 200 OK\r\n"), id="drips headers"),
        pytest.param(drip(b"HTTP/1.1 100 Continue\r\n\r\n"), id="continues for ever"),
    ],
)
def test_a_slow_receiver_is_given_up_in_time(talk: Any) -> None:
    with raw(talk) as url:
        began = time.monotonic()
        answer = send(url)
        took = time.monotonic() - began
    assert isinstance(answer, Later)
    assert answer.detail == NO_ANSWER
    assert took < QUICK.total_s + 0.5


def test_no_wait_goes_beyond_the_end_of_all() -> None:
    """What is left of the whole bounds each wait, even where a single one might be longer."""

    def talk(peer: socket.socket) -> None:
        peer.recv(65_536)
        time.sleep(0.4)
        peer.sendall(b"HTTP/1.1 2")
        time.sleep(3)

    with raw(talk) as url:
        began = time.monotonic()
        answer = Webhook(LOOPBACK, Bounds(connect_s=1.0, read_s=2.0, total_s=0.6)).send(claimed(target=url), tuple)
        assert time.monotonic() - began < 1.2
    assert isinstance(answer, Later)


def test_no_time_at_all() -> None:
    with receiver() as here:
        answer = Webhook(LOOPBACK, Bounds(total_s=0.0)).send(claimed(target=here.url), tuple)
        assert isinstance(answer, Later)
        assert answer.detail == NO_ANSWER
        assert here.got == []


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(drip(b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"), id="drips"),
        pytest.param(drip(b"x" * 65_536, b"HTTP/1.1 200 OK\r\n\r\n"), id="never ends"),
        pytest.param(drip(b"zz\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), id="broken chunks"),
    ],
)
def test_of_a_body_little_is_read_and_the_status_counts(talk: Any) -> None:
    with raw(talk) as url:
        began = time.monotonic()
        answer = send(url)
        assert time.monotonic() - began < QUICK.total_s + 0.5
    assert isinstance(answer, Sent)
    assert answer.detail == ""


@pytest.mark.parametrize(
    "words", [b"", b"\x00\xff\x00", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A" * 70_000]
)
def test_no_http(words: bytes) -> None:
    with raw(said(words)) as url:
        assert isinstance(send(url), Later)


NOW = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0), (" 0 ", 0.0), ("86401", MOST_WAIT_S), ("9" * 400, MOST_WAIT_S),
        ("Mon, 02 Mar 2026 08:05:00 GMT", 300.0), ("Mon, 02 Mar 2026 07:00:00 GMT", 0.0),
        ("Mon, 02 Mar 2099 07:00:00 GMT", MOST_WAIT_S), ("Mon, 02 Mar 2026 16:05:00 +0800", 300.0),
        ("", None), ("soon", None), ("-5", None), ("1.5", None), ("１２", None), ("Mon, 99 Mar 2026", None),
    ],
)  # fmt: skip
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate that it signed itself, for hook.example."""
    import subprocess

    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=hook.example", "-addext", "subjectAltName=DNS:hook.example", "-keyout", path,
         "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def over_tls(certificate: Path, host: str, trusted: bool, seen: list[str | None]) -> Sent | Later | Refused:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    server.sni_callback = lambda _, name, __: seen.append(name)

    def talk(peer: socket.socket) -> None:
        with server.wrap_socket(peer, server_side=True) as secured:
            secured.recv(65_536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    ours = ssl.create_default_context(cafile=f"{certificate}.crt" if trusted else None)
    with raw(talk) as url:
        port = url.split(":")[2].strip("/")
        channel = Webhook(LOOPBACK, QUICK, lambda *_: ["127.0.0.1"], ours)
        return channel.send(claimed(target=f"https://{host}:{port}/"), tuple)


def test_tls_is_verified_by_the_name(certificate: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "warnloop.dispatch")
    seen: list[str | None] = []
    assert over_tls(certificate, "hook.example", True, seen) == Sent("", 200)
    assert seen == ["hook.example"]
    for host, trusted in (("other.example", True), ("hook.example", False)):
        answer = over_tls(certificate, host, trusted, seen)
        assert isinstance(answer, Later)
        assert "certificate" in caplog.records[-1].message


def test_a_tls_handshake_that_hangs() -> None:
    with raw(lambda _: time.sleep(3)) as url:
        began = time.monotonic()
        answer = send(url.replace("http:", "https:"))
        assert time.monotonic() - began < QUICK.total_s + 0.5
    assert isinstance(answer, Later)


def test_the_answer_has_no_way_into_our_memory() -> None:
    huge: Answer = status(500, b"x" * 5_000_000)
    with receiver(huge) as here:
        answer = send(here.url)
    assert isinstance(answer, Later)
    assert len(answer.detail) <= 300
    (long,) = {len(judged(Answered(code, {}, b"x" * 4_096), NOW).detail) for code in (500, 404)}
    assert long <= 300
