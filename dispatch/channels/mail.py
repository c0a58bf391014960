"""Mail: one letter a delivery, by SMTP, with the files of a report."""

import json
import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from dispatch.channels.answers import Answer, Later, Refused, Sent
from dispatch.channels.parcel import MEDIA_TYPES, Files, name
from dispatch.words import headline, letter
from ledger.deliveries import Claimed

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def is_address(target: str) -> bool:
    """Whether a target is one plain mail address."""
    return len(target) <= 254 and _ADDRESS.fullmatch(target) is not None


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server.

    Attributes
    ----------
    tls : bool
        TLS from the first byte; otherwise STARTTLS where it is offered.
    user : str
        Empty: no login.
    """

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, url: str) -> "Smtp":
        """Read ``smtp://USER:PASSWORD@HOST:PORT`` (port 587) or ``smtps://…`` (port 465).

        Raises
        ------
        ValueError
            It is no such URL; the text shows no password.
        """
        expected = "邮件服务器地址无效 expected smtp://USER:PASSWORD@HOST:PORT or smtps://…"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(expected) from None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError(expected)
        tls = parts.scheme == "smtps"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port or (465 if tls else 587), tls, user, password)


class Mail:
    """Sends letters.

    Parameters
    ----------
    server : Smtp or None
        None: this installation has no such channel.
    sender : str
        Address that letters come from.
    tls : SSLContext or None
        The system's trust if left out.
    """

    def __init__(
        self, server: Smtp | None, sender: str, timeout_s: float = 20.0, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server, self._sender, self._timeout_s = server, sender, timeout_s
        self._tls = tls or ssl.create_default_context()

    def send(self, delivery: Claimed, files: Files) -> Answer:
        """Make one attempt."""
        if self._server is None or not self._sender:
            return Later("未设置邮件通道 the mail channel is not set up: WARNLOOP_SMTP_URL, WARNLOOP_MAIL_FROM")
        if not is_address(delivery.target):
            return Refused("邮件地址无效 this is no mail address")
        message = composed(delivery, files, self._sender)
        try:
            smtp = self._connected(self._server)
            try:
                smtp.send_message(message)
                with suppress(smtplib.SMTPException, OSError):  # it has been taken, whatever comes now
                    smtp.quit()
            finally:
                smtp.close()
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients.get(delivery.target, (0, b""))
            return _refusal(code, text)
        except smtplib.SMTPAuthenticationError as error:
            return Later("邮件服务器拒绝登录 the mail server refuses our login", error.smtp_code)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            return _refusal(error.smtp_code, error.smtp_error)
        except ssl.SSLError as error:
            return Later(f"邮件服务器证书无效 no TLS with the mail server: {error.reason}")
        except (smtplib.SMTPException, OSError) as error:
            return Later(
                f"邮件服务器不可用 the mail server cannot be used: {getattr(error, 'strerror', None) or error}"[:300]
            )
        return Sent(delivery.target, 250)

    def _connected(self, server: Smtp) -> smtplib.SMTP:
        if server.tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_s, context=self._tls)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        try:
            smtp.ehlo()
            if not server.tls and smtp.has_extn("starttls"):
                smtp.starttls(context=self._tls)
                smtp.ehlo()
            if server.user:
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def _refusal(code: int, text: bytes | str) -> Answer:
    """What a mail server's refusal means: 5xx is for good."""
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    words = f"邮件服务器拒收 the mail server refuses: {code} {said}"[:300]
    return Refused(words, code) if code >= 500 else Later(words, code)


def composed(delivery: Claimed, files: Files, sender: str) -> EmailMessage:
    """Compose the letter; its ``Message-ID`` is the same at every attempt."""
    event = json.loads(delivery.payload)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = delivery.target
    message["Subject"] = headline(event, delivery.language)
    message["Date"] = format_datetime(datetime.fromisoformat(event["timestamp"]))
    message["Message-ID"] = f"<{delivery.id}@{sender.partition('@')[2].strip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = delivery.language
    message.set_content(letter(event, delivery.language))
    for file in files():
        main, _, sub = MEDIA_TYPES[file.format].partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=name(file))
    return message
