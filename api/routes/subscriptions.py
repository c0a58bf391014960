"""Subscriptions: who is told of what, and what became of it; each owner's own."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from api import cursors
from api.permissions import Subscriber
from api.problems import Problem, no_such
from api.schemas import Page
from api.state import Db
from api.told import Delivery, DeliveryInFull, MadeSubscription, NewSubscription, Subscription
from detectors.catalogue import CATALOGUE
from dispatch.channels import TargetError, check_target
from ledger import deliveries as owed
from ledger import subscriptions

router = APIRouter(tags=["subscriptions"])

BY_HAND = "人工停用 disabled by hand"


@router.get("/subscriptions")
def listed(caller: Subscriber, connection: Db) -> Page[Subscription]:
    """Subscriptions of the caller's party that have not ended."""
    found = subscriptions.listed(connection, caller.principal)
    return Page(items=[Subscription.model_validate(row) for row in found])


@router.post("/subscriptions", status_code=201)
def create(wanted: NewSubscription, caller: Subscriber, connection: Db) -> MadeSubscription:
    """Begin a subscription. The secret that webhooks are signed with is shown this once."""
    if unknown := sorted(set(wanted.kinds) - set(CATALOGUE)):
        raise _invalid("kinds", f"没有此类违规 there is no kind {unknown[0]}")
    try:
        check_target(wanted.channel, wanted.target)
    except TargetError as error:
        raise _invalid("target", str(error)) from error
    if not wanted.name.strip():
        raise _invalid("name", "名称不能为空 a name is needed")
    try:
        made = subscriptions.create(
            connection,
            caller.principal,
            caller.actor,
            name=wanted.name.strip(),
            channel=wanted.channel,
            target=wanted.target,
            topics=tuple(dict.fromkeys(wanted.topics)),
            kinds=tuple(dict.fromkeys(wanted.kinds)),
            least_severity=wanted.least_severity,
            language=wanted.language,
        )
    except subscriptions.TooManySubscriptionsError as error:
        raise Problem("conflict", str(error)) from error
    return MadeSubscription.model_validate({**_one(connection, caller, made.id), "secret": made.secret})


@router.get("/subscriptions/{subscription_id}")
def read(subscription_id: UUID, caller: Subscriber, connection: Db) -> Subscription:
    """One subscription."""
    return Subscription.model_validate(_one(connection, caller, subscription_id))


@router.delete("/subscriptions/{subscription_id}", status_code=204)
def end(subscription_id: UUID, caller: Subscriber, connection: Db) -> None:
    """End a subscription, for good."""
    if not subscriptions.end(connection, caller.principal, caller.actor, subscription_id):
        raise no_such()


@router.post("/subscriptions/{subscription_id}/enable")
def enable(subscription_id: UUID, caller: Subscriber, connection: Db) -> Subscription:
    """Enable what was disabled; what waits flows again."""
    subscriptions.enable(connection, caller.principal, caller.actor, subscription_id)
    return Subscription.model_validate(_one(connection, caller, subscription_id))


@router.post("/subscriptions/{subscription_id}/disable")
def disable(subscription_id: UUID, caller: Subscriber, connection: Db) -> Subscription:
    """Disable a subscription; what it is owed waits."""
    subscriptions.disable(connection, caller.principal, caller.actor, subscription_id, BY_HAND)
    return Subscription.model_validate(_one(connection, caller, subscription_id))


@router.get("/subscriptions/{subscription_id}/deliveries")
def deliveries(
    subscription_id: UUID,
    caller: Subscriber,
    connection: Db,
    state: Literal["due", "sent", "dead"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=cursors.MOST)] = None,
) -> Page[Delivery]:
    """What a subscription was owed, newest first, and how it went."""
    _one(connection, caller, subscription_id)
    behind = None if after is None else cursors.read(after, tuple[datetime, UUID])
    rows = owed.listed(connection, caller.principal, subscription_id, state=state, after=behind, most=limit + 1)
    following = (rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
    items = [Delivery.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next=cursors.write(following) if following else None)


@router.get("/deliveries/{delivery_id}")
def delivery(delivery_id: UUID, caller: Subscriber, connection: Db) -> DeliveryInFull:
    """One delivery with what is sent and every attempt."""
    found = owed.shown(connection, caller.principal, delivery_id)
    if found is None:
        raise no_such()
    return DeliveryInFull.model_validate({**found, "payload": json.loads(found["payload"])})


def _one(connection: Db, caller: Subscriber, id_: UUID) -> dict[str, Any]:
    for row in subscriptions.listed(connection, caller.principal):
        if row["id"] == id_:
            return row
    raise no_such()


def _invalid(field: str, detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"field": f"body.{field}", "detail": detail}])
