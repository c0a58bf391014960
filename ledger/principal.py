"""Principal: on whose behalf something is shown. Whoever reads a tenant's data says so with one of these."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is. The centre and its operators see all, a county its companies, a company itself."""

    CENTRE = "centre"
    OPERATOR = "operator"
    COUNTY = "county"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may see a part of the ledger.

    Attributes
    ----------
    tenant : str
        The county or the company; empty for the centre and its operators.

    Raises
    ------
    ValueError
        A tenant is missing, or named where there is none; or a role is a mere text: it would be bound to nothing.
    """

    role: Role
    tenant: str = ""

    def __post_init__(self) -> None:
        given: tuple[object, object] = self.role, self.tenant
        if not isinstance(given[0], Role) or not isinstance(given[1], str):
            raise ValueError(f"a principal is a Role and a text, not {self.role!r} and {self.tenant!r}")
        if (self.role in (Role.CENTRE, Role.OPERATOR)) != (not self.tenant) or self.tenant != self.tenant.strip():
            raise ValueError(f"a principal of role {self.role} cannot have the tenant {self.tenant!r}")

    @property
    def scope(self) -> dict[str, str | None]:
        """Parameters of every query under ``queries/shown``; None sees all."""
        return {
            "county": self.tenant if self.role is Role.COUNTY else None,
            "company": self.tenant if self.role is Role.COMPANY else None,
        }


CENTRE = Principal(Role.CENTRE)
