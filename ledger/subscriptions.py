"""Subscriptions: who is told, of what, how. Their owner manages them; long failure disables them."""

import base64
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from ledger import audit
from ledger.database import in_words, query
from ledger.principal import Principal, Role

GONE = "接收方已注销该地址（410） the receiver says that the address is gone for good (410)"
FAILED = "长时间推送失败，已自动停用 disabled after long failure: repair the receiver, then enable it again"

TOPICS = ("violation", "case", "report")

MOST = 20
"""Subscriptions that one owner may have at a time, disabled ones among them."""

ACTOR = "dispatch"
"""Who it was, in the audit, that disabled a subscription by itself."""


class TooManySubscriptionsError(ValueError):
    """An owner has as many subscriptions as may be."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that is neither disabled nor ended, as far as it decides what is owed to it.

    Attributes
    ----------
    role, tenant : str
        Of its owner: ``centre`` with no tenant, ``county`` or ``company`` with their code.
    topics : list of str
        Of ``violation``, ``case``, ``report``.
    kinds : list of str
        Codes of kinds; empty for all.
    """

    id: UUID
    role: str
    tenant: str
    topics: list[str]
    kinds: list[str]
    least_severity: int


class Created(NamedTuple):
    """A subscription just made, and what its webhooks are signed with, to be shown once; empty for other channels."""

    id: UUID
    secret: str


class Health(NamedTuple):
    """How attempts at a subscription went: whether one succeeded, and whether it said that it is gone."""

    subscription_id: UUID
    reached: bool
    gone: bool


def owner(principal: Principal) -> dict[str, str]:
    """Parameters of every query under ``queries/owned``; an operator acts for the centre."""
    role = Role.CENTRE if principal.role is Role.OPERATOR else principal.role
    return {"role": role, "tenant": principal.tenant}


def new_secret() -> str:
    """Make a secret to sign webhooks with, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def create(
    connection: psycopg.Connection,
    principal: Principal,
    actor: str,
    *,
    name: str,
    channel: str,
    target: str,
    topics: Sequence[str] = TOPICS,
    kinds: Sequence[str] = (),
    least_severity: int = 1,
    language: str = "zh-CN",
    secret: str = "",
) -> Created:
    """Begin a subscription of the principal; the target is checked by whoever knows the channels.

    Parameters
    ----------
    secret : str
        Of a webhook; a new one if left out.

    Raises
    ------
    TooManySubscriptionsError
        The owner has `MOST` already.
    DatabaseError
        The database refuses a field.
    """
    secret = (secret or new_secret()) if channel == "webhook" else ""
    asked = {
        "name": name,
        "channel": channel,
        "target": target,
        "topics": list(topics),
        "kinds": list(kinds),
        "least_severity": least_severity,
        "language": language,
        **owner(principal),
    }
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        cursor.execute(query("inner/subscriptions_alone"), owner(principal))
        if cursor.execute(query("owned/subscriptions_count"), owner(principal)).fetchall()[0][0] >= MOST:
            raise TooManySubscriptionsError(
                f"订阅最多 {MOST} 个，请先删除不用的 {MOST} subscriptions are the most: end one that is not needed"
            )
        row = cursor.execute(
            query("owned/subscriptions_create"), {**asked, "secret": secret, "actor": actor}
        ).fetchone()
        assert row is not None  # noqa: S101 - one row was inserted
        audit.write(cursor, actor, "subscription.create", str(row[0]), asked)
    return Created(row[0], secret)


def read(connection: psycopg.Connection, principal: Principal, id_: UUID) -> dict[str, Any] | None:
    """One subscription of the principal, as `listed` gives it; None where there is no such."""
    return next((row for row in listed(connection, principal) if row["id"] == id_), None)


def listed(connection: psycopg.Connection, principal: Principal) -> list[dict[str, Any]]:
    """Subscriptions of the principal that have not ended, oldest first; without their secrets."""
    with in_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("owned/subscriptions"), owner(principal)).fetchall()


def enable(connection: psycopg.Connection, principal: Principal, actor: str, id_: UUID) -> bool:
    """Enable what was disabled; what it is owed flows again. Whether there was such a one."""
    return _change(connection, principal, actor, "enable", id_, {})


def disable(connection: psycopg.Connection, principal: Principal, actor: str, id_: UUID, reason: str) -> bool:
    """Disable a subscription; what it is owed waits. Whether there was such a one."""
    return _change(connection, principal, actor, "disable", id_, {"reason": reason})


def end(connection: psycopg.Connection, principal: Principal, actor: str, id_: UUID) -> bool:
    """End a subscription for good. Whether there was such a one."""
    return _change(connection, principal, actor, "end", id_, {})


def _change(
    connection: psycopg.Connection, principal: Principal, actor: str, what: str, id_: UUID, detail: dict[str, str]
) -> bool:
    with in_words(), connection.transaction(), connection.cursor() as cursor:
        cursor.execute(query(f"owned/subscriptions_{what}"), {"id": id_, **detail, **owner(principal)})
        if cursor.rowcount:
            audit.write(cursor, actor, f"subscription.{what}", str(id_), {**detail, **owner(principal)})
        return bool(cursor.rowcount)


def live(cursor: psycopg.Cursor[Any]) -> list[Subscription]:
    """All subscriptions that are owed what happens now, in the cursor's transaction."""
    with cursor.connection.cursor(row_factory=class_row(Subscription)) as rows:
        return rows.execute(query("inner/subscriptions_live")).fetchall()


def note_health(cursor: psycopg.Cursor[Any], health: Iterable[Health], patience: timedelta) -> list[UUID]:
    """Note how attempts went; returns those disabled by it: gone, or failing for longer than the patience."""
    noted = sorted(health)
    values = {
        "ids": [one.subscription_id for one in noted],
        "reached": [one.reached for one in noted],
        "goners": [one.gone for one in noted],
        "patience": patience,
        "gone": GONE,
        "failed": FAILED,
    }
    changed = cursor.execute(query("inner/subscriptions_health"), values).fetchall()
    disabled = [(id_, reason) for id_, is_disabled, reason in changed if is_disabled]
    for id_, reason in disabled:
        audit.write(cursor, ACTOR, "subscription.disable", str(id_), {"reason": reason})
    return [id_ for id_, _ in disabled]
