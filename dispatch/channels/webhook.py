"""Webhook: a signed POST to a URL.

Source: Standard Webhooks 1.0.
"""

import logging
import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dispatch.channels.addresses import (
    AddressError,
    Allowed,
    Resolve,
    UrlError,
    checked,
    is_allowed,
    is_public,
    parse,
    resolve,
)
from dispatch.channels.answers import Answer, Later, Refused, Sent
from dispatch.channels.exchange import BOUNDS, Answered, Bounds, ExchangeError, post
from dispatch.channels.parcel import Files
from dispatch.channels.signature import SignatureError, sign
from ledger.deliveries import Claimed

_log = logging.getLogger("warnloop.dispatch")

NO_WAY = (
    "域名无法解析，或目标地址、端口不允许 {} cannot be resolved, or is not of the public internet, "
    "or the port is none of 80, 443 and 1024 or above"
)
"""Why nothing is sent to a host, in one text for all of it: what names and addresses there are inside is not told."""

NO_ANSWER = "内部网络的接收方没有可用的应答 no usable answer from a receiver in an internal network"
"""The same of what is allowed although it is not public."""

MOST_WAIT_S = 24 * 3600
"""Longest ``Retry-After`` that is heeded [s]."""


class Webhook:
    """Sends by HTTP.

    Parameters
    ----------
    allowed : sequence of Allowed
        What may be sent to although it is not public.
    bounds : Bounds
    resolver : callable
        Stands for the system's in tests.
    tls : SSLContext or None
        The system's trust if left out.
    """

    def __init__(
        self,
        allowed: Sequence[Allowed] = (),
        bounds: Bounds = BOUNDS,
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed, self._bounds, self._resolver = allowed, bounds, resolver
        self._tls = tls or ssl.create_default_context()

    def send(self, delivery: Claimed, files: Files) -> Answer:  # noqa: ARG002 - a webhook names files by their hashes
        """Make one attempt."""
        body, now_s = delivery.payload.encode(), int(time.time())
        try:
            url = parse(delivery.target)
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "warnloop",
                "webhook-id": str(delivery.id),
                "webhook-timestamp": str(now_s),
                "webhook-signature": sign(delivery.secret, str(delivery.id), now_s, body),
            }
        except (UrlError, SignatureError) as error:
            return Refused(str(error))
        try:
            address = checked(url.host, url.port, self._allowed, self._resolver)[0]
        except (AddressError, OSError, UnicodeError) as error:
            _log.debug("delivery %s: %s", delivery.id, error)
            return Later(NO_WAY.format(url.host), hidden=True)
        inside = not is_public(address) or is_allowed(address, url.port, self._allowed)
        try:
            answered = post(url, address, headers, body, self._tls, self._bounds)
        except ExchangeError as error:
            _log.debug("delivery %s: %s", delivery.id, error)
            return Later(NO_ANSWER, hidden=True) if inside else Later(str(error))
        return judged(answered._replace(body=b"") if inside else answered, datetime.now(UTC))


def judged(answer: Answered, now: datetime) -> Answer:
    """What an HTTP answer means."""
    status = answer.status
    said = answer.body[:200].decode(errors="replace").strip()
    if 200 <= status < 300:
        return Sent(said, status)
    if status == 410:
        return Refused("接收方已注销 the receiver wants nothing any more (410)", status, gone=True)
    if 300 <= status < 400:
        return Later("接收方要求转址，不予跟随 the receiver redirects, which is not followed: change the URL", status)
    asked_s = retry_after_s(answer.headers.get("retry-after", ""), now) if status in (429, 503) else None
    return Later(f"接收方返回 the receiver answers {status}: {said}".rstrip(": ")[:300], status, asked_s)


def retry_after_s(value: str, now: datetime) -> float | None:
    """How long ``Retry-After`` asks to wait, at most a day [s]; None where it says nothing that can be read."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:10]), MOST_WAIT_S))
    try:
        moment = parsedate_to_datetime(text)
        wanted_s = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(wanted_s, 0.0), float(MOST_WAIT_S))
