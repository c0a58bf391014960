"""Permissions: a permission is a type in a route's signature; this is the one place that decides."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.auth import Caller, Known
from api.problems import Problem
from ledger.principal import Role

ALL = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may use a route.

    Attributes
    ----------
    name : str
        As `Me.can` lists it; empty where it says nothing new.
    roles : frozenset of Role
    scopes : tuple of str
        That a key needs, all of them.
    people : bool
        Whether it is for sessions of people only: no key has it.
    """

    name: str
    roles: frozenset[Role]
    scopes: tuple[str, ...] = ()
    people: bool = False

    def allows(self, caller: Caller) -> bool:
        """Whether somebody has it."""
        return (
            caller.principal.role in self.roles
            and caller.scopes.issuperset(self.scopes)
            and bool(caller.token or not self.people)
        )

    def __call__(self, caller: Known) -> Caller:
        """Give whoever asks to the route.

        Raises
        ------
        Problem
            Unknown, or without this permission.
        """
        if caller.principal.role not in self.roles:
            raise Problem("forbidden", "您的角色无此权限 your role may never do this")
        if self.people and not caller.token:
            raise Problem("forbidden", "密钥不能管理账号，请登录 no key can do this: log in")
        for scope in self.scopes:
            if scope not in caller.scopes:
                raise Problem("forbidden", f"密钥权限不足 the key lacks the scope {scope}")
        return caller


MEMBER = Permission("", ALL)
READER = Permission("read", ALL, ("read",))
CASE_MOVER = Permission("casework", ALL, ("casework",))
MANAGER = Permission("manage", frozenset({Role.CENTRE, Role.COUNTY, Role.COMPANY}), ("manage",))
SUBSCRIBER = Permission("", MANAGER.roles, ("manage", "read"))
REGISTRAR = Permission("registry", frozenset({Role.CENTRE}), ("registry",))
ADMINISTRATOR = Permission("administer", frozenset({Role.CENTRE}), people=True)

PERMISSIONS = (MEMBER, READER, CASE_MOVER, MANAGER, SUBSCRIBER, REGISTRAR, ADMINISTRATOR)

Member = Annotated[Caller, Depends(MEMBER, scope="function")]
"""Whoever is known."""
Reader = Annotated[Caller, Depends(READER, scope="function")]
"""Looks at what is theirs."""
CaseMover = Annotated[Caller, Depends(CASE_MOVER, scope="function")]
"""Moves cases; which moves are theirs is the table's to say (`ledger.moves`)."""
Manager = Annotated[Caller, Depends(MANAGER, scope="function")]
"""Manages keys of their own."""
Subscriber = Annotated[Caller, Depends(SUBSCRIBER, scope="function")]
"""Manages subscriptions of their own: who is told of something could as well read it."""
Registrar = Annotated[Caller, Depends(REGISTRAR, scope="function")]
"""Looks at the registry of all, and changes it."""
Administrator = Annotated[Caller, Depends(ADMINISTRATOR, scope="function")]
"""Manages accounts."""
