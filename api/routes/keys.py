"""Keys of programs, each party's own; accounts of people, the centre's to make."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from api.people import Account, Key, MadeKey, NewAccount, NewKey, NewPassword
from api.permissions import Administrator, Manager
from api.problems import Problem, no_such
from api.schemas import Page
from api.state import Db, Held
from ledger import accounts, keys
from ledger.accounts import AccountError
from ledger.directory import Directory
from ledger.principal import Principal, Role

router = APIRouter(tags=["keys and accounts"])


@router.get("/keys")
def listed(caller: Manager, connection: Db) -> Page[Key]:
    """Keys of the caller's party, revoked ones too."""
    return Page(items=[Key.model_validate(row) for row in keys.listed(connection, caller.principal)])


@router.post("/keys", status_code=201)
def create(wanted: NewKey, caller: Manager, connection: Db) -> MadeKey:
    """Make a key. It is shown this once."""
    principal = caller.principal
    centre = principal.role is Role.CENTRE
    may = (caller.scopes | ({"ingest"} if centre and caller.token else set())) - (set() if centre else {"registry"})
    if lacking := sorted(set(wanted.scopes) - may):
        raise Problem("forbidden", f"不能授予您没有的权限 you cannot give the scope {lacking[0]}: it is not yours")
    try:
        id_, key = keys.create(connection, principal, wanted.name, wanted.scopes, caller.actor, caller.account_id)
    except ValueError as error:
        raise Problem("invalid", str(error)) from error
    row = next(row for row in keys.listed(connection, principal) if row["id"] == id_)
    return MadeKey.model_validate({**row, "key": key})


@router.delete("/keys/{key_id}", status_code=204)
def revoke(key_id: UUID, caller: Manager, connection: Db) -> None:
    """Revoke a key, for good."""
    if not keys.revoke(connection, caller.principal, caller.actor, key_id):
        raise no_such()


@router.get("/accounts")
def people(_: Administrator, connection: Db, held: Held) -> Page[Account]:
    """All accounts."""
    return Page(items=[_account(row, held.live.directory) for row in accounts.listed(connection)])


@router.post("/accounts", status_code=201)
def add(wanted: NewAccount, caller: Administrator, connection: Db, held: Held) -> Account:
    """Make an account."""
    try:
        principal = Principal(Role(wanted.role), wanted.tenant)
    except ValueError as error:
        detail = "县级和企业账号须填写代码，其他账号不填 a county or a company has its code as tenant, others have none"
        raise Problem("invalid", detail, errors=[{"field": "body.tenant", "detail": detail}]) from error
    if not held.live.directory.knows(principal):
        detail = f"登记信息中没有此县市或企业 the registry knows no {wanted.role} {wanted.tenant}"
        raise Problem("invalid", detail, errors=[{"field": "body.tenant", "detail": detail}])
    id_ = accounts.create(connection, wanted.login, wanted.password, principal, caller.actor)
    return _one(connection, id_, held.live.directory)


@router.post("/accounts/{account_id}/disable")
def disable(account_id: UUID, caller: Administrator, connection: Db, held: Held) -> Account:
    """Disable an account and end its sessions. The keys that it made rest until it is enabled."""
    try:
        if not accounts.disable(connection, account_id, caller.actor):
            raise no_such()
    except AccountError as error:
        raise Problem("conflict", str(error)) from error
    return _one(connection, account_id, held.live.directory)


@router.post("/accounts/{account_id}/enable")
def enable(account_id: UUID, caller: Administrator, connection: Db, held: Held) -> Account:
    """Enable an account again, and the keys that it made."""
    if not accounts.enable(connection, account_id, caller.actor):
        raise no_such()
    return _one(connection, account_id, held.live.directory)


@router.put("/accounts/{account_id}/password", status_code=204)
def password(account_id: UUID, wanted: NewPassword, caller: Administrator, connection: Db) -> None:
    """Give an account another password and end its sessions."""
    if not accounts.set_password(connection, account_id, wanted.password, caller.actor):
        raise no_such()


def _one(connection: Db, id_: UUID, directory: Directory) -> Account:
    return next(_account(row, directory) for row in accounts.listed(connection) if row["id"] == id_)


def _account(row: dict[str, Any], directory: Directory) -> Account:
    return Account.model_validate({**row, "tenant_name": directory.tenant_name(row["role"], row["tenant"])})
