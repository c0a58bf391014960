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
        As `Me.can` lists it; empty for whoever is known.
    roles : frozenset of Role
    scope : str
        That a key needs; empty for any.
    """

    name: str
    roles: frozenset[Role]
    scope: str

    def allows(self, caller: Caller) -> bool:
        """Whether somebody has it."""
        return caller.principal.role in self.roles and (not self.scope or self.scope in caller.scopes)

    def __call__(self, caller: Known) -> Caller:
        """Give whoever asks to the route.

        Raises
        ------
        Problem
            Unknown, or without this permission.
        """
        if caller.principal.role not in self.roles:
            raise Problem("forbidden", "您的角色无此权限 your role may never do this")
        if self.scope and self.scope not in caller.scopes:
            raise Problem("forbidden", f"密钥权限不足 the key lacks the scope {self.scope}")
        return caller


MEMBER = Permission("", ALL, "")
READER = Permission("read", ALL, "read")
CASE_MOVER = Permission("casework", ALL, "casework")
MANAGER = Permission("manage", frozenset({Role.CENTRE, Role.COUNTY, Role.COMPANY}), "manage")
ADMINISTRATOR = Permission("administer", frozenset({Role.CENTRE}), "manage")

PERMISSIONS = (MEMBER, READER, CASE_MOVER, MANAGER, ADMINISTRATOR)

Member = Annotated[Caller, Depends(MEMBER, scope="function")]
"""Whoever is known."""
Reader = Annotated[Caller, Depends(READER, scope="function")]
"""Looks at what is theirs."""
CaseMover = Annotated[Caller, Depends(CASE_MOVER, scope="function")]
"""Moves cases; which moves are theirs is the table's to say (`ledger.moves`)."""
Manager = Annotated[Caller, Depends(MANAGER, scope="function")]
"""Manages subscriptions and keys of their own."""
Administrator = Annotated[Caller, Depends(ADMINISTRATOR, scope="function")]
"""Manages accounts."""
