"""Accounts: people who log in; passwords as Argon2id, sessions as the hash of a token, guessing slowed."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import argon2
import psycopg
from psycopg.rows import class_row, dict_row

from ledger import audit, guesses
from ledger.database import in_words
from ledger.guesses import TooManyTriesError
from ledger.principal import Principal, Role

SESSION = timedelta(hours=12)
"""How long a login lasts."""

FEWEST_LETTERS, MOST_LETTERS = 10, 200
"""Characters of a password."""

MOST_LOGIN = 64
"""Characters of a login."""

RESERVED = frozenset(
    {
        "audit", "command", "command-line", "demo", "dispatch", "gateway", "key", "ledger", "listen", "router",
        "serve", "system", "warnloop", "worker",
    }
)  # fmt: skip
"""No logins, in whatever letters: whoever reads the audit would take them for the program."""

_LOGIN = re.compile(r"[A-Za-z0-9._-]{1,64}")

_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _HASHER.hash(secrets.token_hex())
"""What the password of an unknown login is compared with, so that it takes as long."""


class AccountError(ValueError):
    """An account cannot be made or changed like this; says why."""


class WrongLoginError(Exception):
    """No such login, another password, or disabled: not to be told apart."""

    def __init__(self) -> None:
        super().__init__("账号或密码错误 the login or the password is wrong")


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was just opened.

    Attributes
    ----------
    token : str
        What the browser keeps; it is not kept here.
    """

    token: str
    session: "Session"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in, until when."""

    account_id: UUID
    login: str
    principal: Principal
    expires_at: datetime


def create(connection: psycopg.Connection, login: str, password: str, principal: Principal, actor: str) -> UUID:
    """Make an account.

    Raises
    ------
    AccountError
        The login is taken, reserved or unfit, the password too short or too long.
    """
    if not _LOGIN.fullmatch(login):
        raise AccountError(
            f"账号须为1至{MOST_LOGIN}个字母、数字或._- a login has 1 to {MOST_LOGIN} letters (A to Z), digits and ._-"
        )
    if login.lower() in RESERVED:
        raise AccountError(f"账号{login}为系统保留 the login {login} is the program's own")
    kept = _hash(password)
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        row = cursor.execute(
            "INSERT INTO accounts (login, password_hash, role, tenant) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (login) DO NOTHING RETURNING id",
            (login, kept, principal.role, principal.tenant),
        ).fetchone()
        if row is None:
            raise AccountError(f"账号已存在 there is an account {login} already")
        audit.write(cursor, actor, "account.create", login, {"role": str(principal.role), "tenant": principal.tenant})
    return UUID(str(row[0]))


def listed(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """All accounts by login; without their hashes."""
    with in_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            'SELECT id, login, role, tenant, created_at, disabled_at FROM accounts ORDER BY login COLLATE "C"'
        ).fetchall()


def id_of(connection: psycopg.Connection, login: str) -> UUID:
    """Find the account of a login.

    Raises
    ------
    AccountError
        There is none.
    """
    for row in listed(connection):
        if row["login"] == login:
            return UUID(str(row["id"]))
    raise AccountError(f"没有此账号 there is no account {login}")


def disable(connection: psycopg.Connection, id_: UUID, actor: str) -> bool:
    """Disable an account and end its sessions; its keys rest (`keys.find`). Whether there is such a one.

    Raises
    ------
    AccountError
        It is the last one of the centre: nobody could enable it again.
    """
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        centre = cursor.execute(
            "SELECT id FROM accounts WHERE role = 'centre' AND disabled_at IS NULL ORDER BY id FOR UPDATE"
        ).fetchall()
        if [UUID(str(row[0])) for row in centre] == [id_]:
            raise AccountError("不能停用最后一个中心账号 the last account of the centre cannot be disabled")
        return _change(cursor, "disable", "disabled_at = coalesce(disabled_at, now())", id_, actor)


def enable(connection: psycopg.Connection, id_: UUID, actor: str) -> bool:
    """Enable an account again, and its keys. Whether there is such a one."""
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        return _change(cursor, "enable", "disabled_at = NULL", id_, actor)


def set_password(connection: psycopg.Connection, id_: UUID, password: str, actor: str) -> bool:
    """Give an account another password and end its sessions. Whether there is such a one.

    Raises
    ------
    AccountError
        The password is too short or too long.
    """
    kept = _hash(password)
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        return _change(cursor, "password", "password_hash = %(value)s", id_, actor, kept)


def _change(
    cursor: psycopg.Cursor[Any], what: str, setting: str, id_: UUID, actor: str, value: str | None = None
) -> bool:
    row = cursor.execute(
        f"UPDATE accounts SET {setting} WHERE id = %(id)s RETURNING login".encode(),  # noqa: S608 - our own words
        {"id": id_, "value": value},
    ).fetchone()
    if row is None:
        return False
    if what != "enable":
        cursor.execute("DELETE FROM sessions WHERE account_id = %s", (id_,))
    audit.write(cursor, actor, f"account.{what}", row[0], {})
    return True


def log_in(connection: psycopg.Connection, login: str, password: str, address: str = "") -> Opened:
    """Open a session. Whoever serves many waits for `guesses.turn` first.

    A second try from an address while the first is being looked at counts as one too many.

    Parameters
    ----------
    address : str
        IP address of whoever asks.

    Raises
    ------
    WrongLoginError, TooManyTriesError
    DatabaseError
    """
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        outcome = _tried(cursor, login, password, address)
    if isinstance(outcome, Exception):  # after the commit: failures count
        raise outcome
    return outcome


def _tried(
    cursor: psycopg.Cursor[Any], login: str, password: str, address: str
) -> Opened | WrongLoginError | TooManyTriesError:
    wait_s = guesses.wait_s(cursor, login, address)
    if wait_s:
        return TooManyTriesError(wait_s)
    row = None
    if _LOGIN.fullmatch(login):
        row = cursor.execute(
            "SELECT id, password_hash, role, tenant, disabled_at IS NOT NULL FROM accounts WHERE login = %s", (login,)
        ).fetchone()
    id_, kept, role, tenant, disabled = row or (None, _NOBODY, "", "", True)
    if not _fits(kept, password) or disabled:
        guesses.failed(cursor, login, address)
        # a text that is no login may be a password in the wrong field
        audit.write(cursor, login if row else "?", "login.fail", login if row else "?", {})
        return WrongLoginError()
    guesses.succeeded(cursor, login, address)
    cursor.execute("DELETE FROM sessions WHERE expires_at < now()")
    if _HASHER.check_needs_rehash(kept):
        cursor.execute("UPDATE accounts SET password_hash = %s WHERE id = %s", (_HASHER.hash(password), id_))
    token = secrets.token_urlsafe(32)
    opened = cursor.execute(
        "INSERT INTO sessions (token_hash, account_id, expires_at) VALUES (%s, %s, now() + %s) RETURNING expires_at",
        (_digest(token), id_, SESSION),
    ).fetchone()
    assert opened is not None and id_ is not None  # noqa: S101, PT018 - one row was inserted, of an account
    audit.write(cursor, login, "login", login, {})
    return Opened(token, Session(id_, login, Principal(Role(role), tenant), opened[0]))


def of_token(connection: psycopg.Connection, token: str) -> Session | None:
    """Whose session a token is of; None where it is forged, over, or its account disabled."""
    with in_words(), connection.cursor(row_factory=class_row(_Row)) as cursor:
        row = cursor.execute(
            "SELECT a.id, a.login, a.role, a.tenant, s.expires_at FROM sessions AS s "
            "JOIN accounts AS a ON a.id = s.account_id "
            "WHERE s.token_hash = %s AND s.expires_at > now() AND a.disabled_at IS NULL",
            (_digest(token),),
        ).fetchone()
    if row is None:
        return None
    return Session(row.id, row.login, Principal(Role(row.role), row.tenant), row.expires_at)


def log_out(connection: psycopg.Connection, token: str, actor: str) -> None:
    """End a session."""
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sessions WHERE token_hash = %s", (_digest(token),))
        audit.write(cursor, actor, "logout", actor, {})


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    login: str
    role: str
    tenant: str
    expires_at: datetime


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _hash(password: str) -> str:
    if not FEWEST_LETTERS <= len(password) <= MOST_LETTERS:
        raise AccountError(
            f"密码须为{FEWEST_LETTERS}至{MOST_LETTERS}个字符 "
            f"a password has {FEWEST_LETTERS} to {MOST_LETTERS} characters"
        )
    try:
        return _HASHER.hash(password)
    except UnicodeEncodeError:
        raise AccountError("密码含无效字符 the password holds characters that are no text") from None


def _fits(kept: str, password: str) -> bool:
    if len(password) > MOST_LETTERS:
        password = ""
    try:
        return _HASHER.verify(kept, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, UnicodeEncodeError):
        return False
