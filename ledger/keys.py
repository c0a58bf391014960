"""Keys: how programs say who they are; of a key only its hash is kept."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from ledger import audit
from ledger.database import in_words
from ledger.principal import Principal, Role

PREFIX = "wl_"

SCOPES = ("ingest", "read", "casework", "manage", "registry")
"""What a key may be good for: positions in, looking, moves, keys (and, with looking, subscriptions), the registry."""

MOST_NAME = 100
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is good.

    Attributes
    ----------
    account_id : UUID or None
        Of whoever made it; None where a command did.
    """

    id: UUID
    name: str
    principal: Principal
    scopes: frozenset[str]
    account_id: UUID | None = None

    @property
    def actor(self) -> str:
        """How it stands in the audit; a login has no blank."""
        return f"key {self.id}"


def create(
    connection: psycopg.Connection,
    principal: Principal,
    name: str,
    scopes: Sequence[str],
    actor: str,
    account_id: UUID | None = None,
) -> tuple[UUID, str]:
    """Make a key of a principal.

    Parameters
    ----------
    account_id : UUID, optional
        Of whoever makes it: while the account is disabled, the key is good for nothing.

    Returns
    -------
    id : UUID
    key : str
        To be shown once.

    Raises
    ------
    ValueError
        No name, no scope, or one that there is not.
    """
    name, wanted = name.strip(), sorted(set(scopes))
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise ValueError(f"名称须为1至{MOST_NAME}个可见字符 a name has 1 to {MOST_NAME} characters")
    if not wanted or set(wanted) - set(SCOPES):
        raise ValueError(f"权限范围须为 the scopes are {'、'.join(SCOPES)}")
    key = PREFIX + secrets.token_urlsafe(32)
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        row = cursor.execute(
            "INSERT INTO api_keys (key_hash, name, role, tenant, scopes, created_by, account_id) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
            (_digest(key), name, principal.role, principal.tenant, wanted, actor, account_id),
        ).fetchone()
        assert row is not None  # noqa: S101 - one row was inserted
        detail = {"name": name, "scopes": wanted, "role": str(principal.role), "tenant": principal.tenant}
        audit.write(cursor, actor, "key.create", str(row[0]), detail)
    return UUID(str(row[0])), key


def find(connection: psycopg.Connection, key: str) -> Key | None:
    """The key that a text is; None where it is forged or revoked, or the account that made it is disabled."""
    if not key.startswith(PREFIX):
        return None
    with in_words():
        row = connection.execute(
            "SELECT k.id, k.name, k.role, k.tenant, k.scopes, k.account_id FROM api_keys AS k "
            "LEFT JOIN accounts AS a ON a.id = k.account_id "
            "WHERE k.key_hash = %s AND k.revoked_at IS NULL AND a.disabled_at IS NULL",
            (_digest(key),),
        ).fetchone()
    return None if row is None else Key(row[0], row[1], Principal(Role(row[2]), row[3]), frozenset(row[4]), row[5])


def listed(connection: psycopg.Connection, principal: Principal) -> list[dict[str, Any]]:
    """Keys of a principal, oldest first, revoked ones too."""
    with in_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT id, name, scopes, created_by, created_at, revoked_at FROM api_keys "
            "WHERE role = %(role)s AND tenant = %(tenant)s ORDER BY created_at, id",
            _owner(principal),
        ).fetchall()


def revoke(connection: psycopg.Connection, principal: Principal, actor: str, id_: UUID) -> bool:
    """Revoke a key of a principal, for good. Whether there is such a one."""
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        row = cursor.execute(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) "
            "WHERE id = %(id)s AND role = %(role)s AND tenant = %(tenant)s RETURNING name",
            {"id": id_, **_owner(principal)},
        ).fetchone()
        if row is not None:
            audit.write(cursor, actor, "key.revoke", str(id_), {"name": row[0]})
    return row is not None


def _owner(principal: Principal) -> dict[str, str]:
    return {"role": principal.role, "tenant": principal.tenant}


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
