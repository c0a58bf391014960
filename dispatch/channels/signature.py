"""Signature: how webhooks are signed and verified.

Source: Standard Webhooks 1.0, symmetric signatures (``v1``).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"

TOLERANCE_S = 300
"""How far a message's timestamp may be from the receiver's clock [s]."""


class SignatureError(ValueError):
    """A message is not what a holder of the secret sent just now; says why."""


def key(secret: str) -> bytes:
    """Key that a secret stands for.

    Raises
    ------
    SignatureError
        It is no secret: ``whsec_`` and base64 are expected.
    """
    try:
        if not secret.startswith(PREFIX):
            raise ValueError
        found = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error):
        raise SignatureError("密钥无效 a secret is whsec_ followed by base64") from None
    if len(found) < 16:
        raise SignatureError("密钥过短 the secret is too short")
    return found


def sign(secret: str, id_: str, timestamp_s: int, body: bytes) -> str:
    """Value of ``webhook-signature``."""
    digest = hmac.new(key(secret), f"{id_}.{timestamp_s}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> str:
    """See that a message is genuine and fresh; returns its id.

    Parameters
    ----------
    headers : mapping
        ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``, by lower-case name.

    Raises
    ------
    SignatureError
    """
    id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not (id_ and timestamp and given):
        raise SignatureError("缺少签名 webhook-id, webhook-timestamp or webhook-signature is missing")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        raise SignatureError("时间戳无效 webhook-timestamp is no time")
    expected = sign(secret, id_, int(timestamp), body).encode()
    if not any(hmac.compare_digest(expected, one.encode(errors="replace")) for one in given.split()):
        raise SignatureError("签名不符 the signature does not match: other secret, or changed on its way")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise SignatureError("时间戳过期 the timestamp is more than five minutes off: an old message, or a wrong clock")
    return id_
