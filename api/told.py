"""Schemas of what is told to whom: reports, subscriptions, deliveries."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas import Asked, Code, Line, Topic


class Report(BaseModel):
    """A report that was issued."""

    id: UUID
    number: str
    day: date
    county: str
    county_name: str
    company: str
    company_name: str
    edition: int
    reason: str
    closed_at: datetime
    issued_at: datetime | None
    newest: bool
    first_read_at: datetime | None
    party: Any
    totals: Any


class ReportFile(BaseModel):
    """A file of a report."""

    sha256: str
    bytes: int


class ReportInFull(Report):
    """A report with its facts."""

    facts: dict[str, Any]
    files: dict[str, ReportFile]


class ReportDelivery(BaseModel):
    """To whom a report was sent, and how that went."""

    delivery_id: UUID
    name: str
    channel: str
    role: str
    tenant: str
    tenant_name: str
    state: Literal["due", "sent", "dead"]
    attempts: int
    created_at: datetime
    due_at: datetime
    settled_at: datetime | None
    began_at: datetime | None
    took_ms: int | None
    outcome: str | None
    status: int | None


class Receipt(BaseModel):
    """Who first opened a report, and when."""

    reader: str
    role: str
    tenant: str
    tenant_name: str
    read_at: datetime


class ReportDeliveries(BaseModel):
    """What became of a report."""

    deliveries: list[ReportDelivery]
    receipts: list[Receipt]


class NewSubscription(Asked):
    """A subscription that is wanted."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    channel: Literal["webhook", "email", "folder"]
    target: Annotated[Line, Field(min_length=1, max_length=1000)]
    topics: tuple[Topic, ...] = Field(("violation", "case", "report"), min_length=1, max_length=4)
    kinds: tuple[Code, ...] = Field((), max_length=100)
    least_severity: Annotated[int, Field(ge=1, le=4)] = 1
    language: Literal["zh-CN", "en"] = "zh-CN"


class Subscription(BaseModel):
    """A subscription, and how it does."""

    id: UUID
    name: str
    channel: str
    target: str
    topics: list[Topic]
    kinds: list[str]
    least_severity: int
    language: str
    created_by: str
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_reason: str
    due: int
    last_sent_at: datetime | None


class MadeSubscription(Subscription):
    """A subscription with its secret, shown once."""

    secret: str


class Delivery(BaseModel):
    """A delivery, and how the last attempt went."""

    id: UUID
    type: str
    state: Literal["due", "sent", "dead"]
    attempts: int
    created_at: datetime
    due_at: datetime
    settled_at: datetime | None
    last_at: datetime | None
    last_outcome: str | None
    last_status: int | None
    last_detail: str | None


class Try(BaseModel):
    """An attempt at a delivery."""

    attempt: int
    began_at: datetime
    took_ms: int
    outcome: Literal["sent", "later", "refused"]
    status: int | None
    detail: str


class DeliveryInFull(BaseModel):
    """A delivery with what is sent and every attempt."""

    id: UUID
    subscription_id: UUID
    type: str
    payload: dict[str, Any]
    state: Literal["due", "sent", "dead"]
    attempts: int
    created_at: datetime
    due_at: datetime
    settled_at: datetime | None
    tries: list[Try]
