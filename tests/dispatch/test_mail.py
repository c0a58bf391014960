"""Mail against a real SMTP server: what arrives, and what refusals mean."""

import asyncio
import email.policy
import hashlib
import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from dispatch.channels.answers import Later, Refused, Sent
from dispatch.channels.mail import Mail, Smtp, composed, is_address
from dispatch.words import headline
from ledger.deliveries import Claimed, File
from tests.dispatch.made import claimed

SENDER = "warnloop <warnloop@example.org>"
REPORT = (
    '{"type":"report.issued","timestamp":"2026-03-03T08:00:00.000+08:00","data":{"report":"1","number":"昌州日报〔2026〕61号",'
    '"day":"2026-03-02","county":"652301","company":"","edition":1,"reason":"","sha256":{}}}'
)


RIGHT = "richtig"


class Box:
    """What a mail server takes, and what it says instead of taking it."""

    def __init__(self, at_recipient: str = "", at_data: str = "") -> None:
        self.at_recipient, self.at_data = at_recipient, at_data
        self.got: list[EmailMessage] = []
        self.secured: list[bool] = []

    async def handle_RCPT(self, _s: Any, _t: Any, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802
        if self.at_recipient:
            return self.at_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        parsed = BytesParser(policy=email.policy.default).parsebytes(envelope.content)
        assert isinstance(parsed, EmailMessage)
        self.got.append(parsed)
        self.secured.append(session.ssl is not None)
        return "250 taken"


class AnyPort(Controller):
    """A controller that takes the port it is given by the system."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def server(box: Box, **options: Any) -> Iterator[Smtp]:
    """A mail server for the length of a block."""
    controller = AnyPort(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield Smtp("127.0.0.1", controller.port)
    finally:
        controller.stop()


def letter(**changes: Any) -> Claimed:
    return claimed(channel="email", target="monitor@example.com", secret="", **changes)


def test_a_letter_arrives() -> None:
    box, delivery = Box(), letter()
    with server(box) as smtp:
        answer = Mail(smtp, SENDER).send(delivery, tuple)
    assert answer == Sent("monitor@example.com", 250)
    (got,) = box.got
    assert got["subject"] == "违规新增 V04 严重超速 严重 测A00001 652301-L001 2026-03-02T07:59:00.000+08:00"
    assert (got["from"], got["to"]) == (SENDER, "monitor@example.com")
    assert got["message-id"] == f"<{delivery.id}@example.org>"
    assert got["date"] == "Mon, 02 Mar 2026 08:00:00 +0800"
    body = got.get_content()
    assert "车牌: 测A00001" in body
    assert "等级: 严重" in body


def test_in_english() -> None:
    box = Box()
    with server(box) as smtp:
        Mail(smtp, SENDER).send(letter(language="en"), tuple)
    (got,) = box.got
    assert got["subject"].startswith("Violation found V04 Severe speeding severe 测A00001")
    assert "plate: 测A00001" in got.get_content()


def test_a_report_comes_with_its_files() -> None:
    pdf, xlsx = b"%PDF-1.7 \xff\x00" * 9, b"PK\x03\x04\r\n.\r\n"
    files = [File("昌州日报〔2026〕61号", "pdf", pdf), File("昌州日报〔2026〕61号", "xlsx", xlsx)]
    box = Box()
    with server(box) as smtp:
        answer = Mail(smtp, SENDER).send(letter(type="report.issued", payload=REPORT), lambda: files)
    assert isinstance(answer, Sent)
    (got,) = box.got
    attached = {part.get_filename(): part.get_content() for part in got.iter_attachments()}
    assert attached == {"昌州日报〔2026〕61号.pdf": pdf, "昌州日报〔2026〕61号.xlsx": xlsx}
    assert hashlib.sha256(attached["昌州日报〔2026〕61号.pdf"]).digest() == hashlib.sha256(pdf).digest()
    assert "日期: 2026-03-02" in got.get_body().get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("box", "kind", "status"),
    [
        (Box(at_recipient="550 no such user"), Refused, 550),
        (Box(at_recipient="450 greylisted"), Later, 450),
        (Box(at_data="552 too large"), Refused, 552),
        (Box(at_data="451 disk full"), Later, 451),
    ],
)
def test_refusals(box: Box, kind: type[Any], status: int) -> None:
    with server(box) as smtp:
        answer = Mail(smtp, SENDER).send(letter(), tuple)
    assert isinstance(answer, kind)
    assert answer.status == status
    assert not getattr(answer, "gone", False)
    assert box.got == []


def test_no_server() -> None:
    answer = Mail(Smtp("127.0.0.1", 9), SENDER, timeout_s=1).send(letter(), tuple)
    assert isinstance(answer, Later)
    assert "the mail server cannot be used" in answer.detail


def test_not_set_up() -> None:
    assert isinstance(Mail(None, "").send(letter(), tuple), Later)


@pytest.mark.parametrize(
    "target", ["", "nobody", "a@b c", "a@b\r\nBcc: x@y", "a@b,c@d", "<a@b>", "甲@b", "a@" + "b" * 300]
)
def test_no_address(target: str) -> None:
    assert not is_address(target)
    answer = Mail(Smtp("127.0.0.1", 9), SENDER).send(claimed(channel="email", target=target), tuple)
    assert isinstance(answer, Refused)


def test_nothing_of_an_event_becomes_a_header() -> None:
    payload = REPORT.replace("昌州日报〔2026〕61号", r"1\r\nBcc: x@y\u2028z")
    box = Box()
    with server(box) as smtp:
        answer = Mail(smtp, SENDER).send(letter(type="report.issued", payload=payload), tuple)
    assert isinstance(answer, Sent)
    assert box.got[0]["bcc"] is None
    assert box.got[0]["subject"] == "日报发布 1 Bcc: x@y z 2026-03-02 652301"


@pytest.mark.parametrize("control", [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)])
def test_no_control_character_of_a_name_comes_into_the_subject(control: str) -> None:
    event = {**json.loads(REPORT), "data": {"company_name": f"甲{control}乙"}}
    assert headline(event) == "日报发布 甲 乙"
    assert composed(letter(payload=json.dumps(event)), tuple, SENDER).as_bytes()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


def test_starttls_is_used_and_the_login_goes_through_it(certificate: Path) -> None:
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(f"{certificate}.crt", certificate)
    logins: list[Any] = []

    def login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        logins.append((data.login, data.password))
        return AuthResult(success=data.password == RIGHT.encode(), handled=False)

    box = Box()
    trust = ssl.create_default_context(cafile=f"{certificate}.crt")
    with server(box, tls_context=secured, authenticator=login, auth_required=True) as smtp:
        right = Smtp(smtp.host, smtp.port, user="warnloop", password=RIGHT)
        assert isinstance(Mail(right, SENDER, tls=trust).send(letter(), tuple), Sent)
        assert box.secured == [True]
        assert logins == [(b"warnloop", RIGHT.encode())]
        wrong = Smtp(smtp.host, smtp.port, user="warnloop", password=RIGHT + "x")
        answer = Mail(wrong, SENDER, tls=trust).send(letter(), tuple)
        assert isinstance(answer, Later)
        assert "refuses our login" in answer.detail
        distrusted = Mail(right, SENDER).send(letter(), tuple)
        assert isinstance(distrusted, Later)
        assert len(box.got) == 1


def test_urls() -> None:
    assert Smtp.of("smtp://mail.example.org") == Smtp("mail.example.org", 587)
    assert Smtp.of("smtps://a%40b:p%3Aw@mail.example.org") == Smtp("mail.example.org", 465, True, "a@b", "p:w")
    assert Smtp.of("smtp://mail:2525").port == 2525
    for url in ("", "mail.example.org", "http://mail", "smtp://", "smtp://mail:99999", "smtp://u:geheim@:25"):
        with pytest.raises(ValueError, match="expected smtp://") as raised:
            Smtp.of(url)
        assert "geheim" not in str(raised.value)
