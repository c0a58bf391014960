"""Cursors: where a page ends, as an opaque text."""

import base64
import binascii
from typing import Any, TypeVar

import msgspec

from api.problems import Problem

MOST = 400
"""Characters of a cursor."""


def write(place: Any) -> str:
    """Text of a place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


Place = TypeVar("Place")


def read(text: str, kind: type[Place]) -> Place:
    """Place of a text.

    Raises
    ------
    Problem
        It is none that was given out.
    """
    try:
        content = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, binascii.Error, UnicodeError, ValueError):
        wrong = [{"field": "query.after", "detail": "not a cursor of this list"}]
        raise Problem("invalid", "after 不是本列表给出的游标 after is no cursor of this list", errors=wrong) from None
