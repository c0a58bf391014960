"""Session: log in, log out, who am I."""

import time

from fastapi import APIRouter, Request, Response

from api.auth import Caller, cookie_of
from api.people import Login, Me
from api.permissions import PERMISSIONS, Member
from api.state import Db, Held
from ledger import accounts, guesses
from ledger.directory import Directory

router = APIRouter(prefix="/session", tags=["session"])


@router.post("")
def log_in(login: Login, request: Request, answer: Response, held: Held) -> Me:
    """Log in: sets a cookie that lasts for twelve hours."""
    address = request.client.host if request.client else ""
    with guesses.turn(address), held.pool.connection() as connection:
        opened = accounts.log_in(connection, login.login, login.password, address)
    answer.set_cookie(
        cookie_of(request),
        opened.token,
        max_age=int(accounts.SESSION.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    session = opened.session
    return _me(Caller.of_session(session, opened.token), held.live.directory)


@router.get("")
def who(caller: Member, held: Held) -> Me:
    """Who am I, and what may I do."""
    return _me(caller, held.live.directory)


@router.delete("", status_code=204)
def log_out(caller: Member, request: Request, answer: Response, connection: Db) -> None:
    """Log out."""
    if caller.token:
        accounts.log_out(connection, caller.token, caller.actor)
    answer.delete_cookie(cookie_of(request), secure=request.url.scheme == "https")


def _me(caller: Caller, directory: Directory) -> Me:
    principal = caller.principal
    return Me(
        actor=caller.actor,
        role=principal.role.value,
        tenant=principal.tenant,
        tenant_name=directory.tenant_name(principal.role, principal.tenant),
        can=[one.name for one in PERMISSIONS if one.name and one.allows(caller)],  # type: ignore[misc]  # their names are the literals
        expires_at=caller.expires_at,
        now_ms=time.time_ns() // 1_000_000,
    )
