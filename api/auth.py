"""Auth: who asks: by a session's cookie or by a key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import psycopg
from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from api.problems import Problem
from api.state import Db
from ledger import accounts, keys
from ledger.principal import Principal

COOKIE = "warnloop"
"""Name of the session's cookie; over HTTPS with a prefix, so that no neighbouring host can set it."""

OWN = "x-warnloop"
"""Header of requests that our own screens make: another site cannot add it without being asked."""

ALL_SCOPES = frozenset(keys.SCOPES) - {"ingest"}
"""What a session is good for."""

_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes
    ----------
    actor : str
        As the audit names it.
    scopes : frozenset of str
        What the key is good for.
    expires_at : datetime or None
        End of the session; None for a key.
    token : str
        Of the session; empty for a key.
    account_id : UUID or None
        Of the session, or of whoever made the key; None where a command made it.
    """

    principal: Principal
    actor: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    token: str = ""
    account_id: UUID | None = None

    @classmethod
    def of_session(cls, session: accounts.Session, token: str) -> "Caller":
        """Whoever is logged in."""
        return cls(session.principal, session.login, ALL_SCOPES, session.expires_at, token, session.account_id)


def cookie_of(request: HTTPConnection) -> str:
    """Name of the cookie of a request."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


def caller_of(request: HTTPConnection, connection: psycopg.Connection) -> Caller | None:
    """Who asks; None where nobody says who it is.

    Raises
    ------
    Problem
        Forged, expired or revoked.
    """
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, given = header.partition(" ")
        key = keys.find(connection, given.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise _unknown("密钥无效、已吊销或已停用 the key is not valid, or revoked, or its account disabled")
        return Caller(key.principal, key.actor, key.scopes, account_id=key.account_id)
    token = request.cookies.get(cookie_of(request), "")
    if not token:
        return None
    session = accounts.of_token(connection, token)
    if session is None:
        raise _unknown("登录已失效，请重新登录 the session is over: log in again")
    return Caller.of_session(session, token)


def _unknown(detail: str) -> Problem:
    return Problem("not-logged-in", detail, {"WWW-Authenticate": 'Bearer realm="warnloop"'})


def known(request: Request, connection: Db) -> Caller:
    """Who asks, whoever it is.

    Raises
    ------
    Problem
        Nobody, or somebody whom another site may have sent.
    """
    caller = caller_of(request, connection)
    if caller is None:
        raise _unknown("请先登录，或用密钥 log in, or use a key")
    if caller.token and request.method not in _SAFE and OWN not in request.headers:
        raise Problem("forbidden", "缺少请求头 the header X-Warnloop is missing: is another site asking?")
    return caller


Known = Annotated[Caller, Depends(known, scope="function")]
