"""Schemas of those who ask: sessions, keys, accounts."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas import Asked, Code, Line, RoleName, Scope


class Login(Asked):
    """Who wants in."""

    login: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=1000)]


class Me(BaseModel):
    """Who asks, and what they may do."""

    actor: str
    role: RoleName
    tenant: str
    tenant_name: str
    can: list[Literal["read", "casework", "manage", "registry", "administer"]]
    expires_at: datetime | None
    now_ms: int


class NewKey(Asked):
    """A key that is wanted."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)]


class Key(BaseModel):
    """A key, without what it is."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_by: str
    created_at: datetime
    revoked_at: datetime | None


class MadeKey(Key):
    """A key as it is shown once."""

    key: str


class NewAccount(Asked):
    """An account that is wanted."""

    login: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,64}$")]
    password: Annotated[str, Field(max_length=1000)]
    role: RoleName
    tenant: Code = ""


class NewPassword(Asked):
    """Another password."""

    password: Annotated[str, Field(max_length=1000)]


class Account(BaseModel):
    """An account."""

    id: UUID
    login: str
    role: RoleName
    tenant: str
    tenant_name: str
    created_at: datetime
    disabled_at: datetime | None
