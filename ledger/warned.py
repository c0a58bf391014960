"""Warned: warnings before a violation; kept once, told, and measured by what became of them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from ingest.registry import Vehicle
from ledger.database import query

_NAMESPACE = uuid.UUID("1d1c2f0e-5b0e-5a57-8c3f-3f5f0a1d7c42")


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning, as a fact ``WARNED`` found it.

    Attributes
    ----------
    begins_ms : int
        Of the episode that it may become, or of the warning itself [ms].
    warned_ms : int
        Of the fix at which it could be seen coming [ms].
    due_ms : int
        A violation raised until then is what was warned of [ms].
    measures : dict
        What its kind prints of it, and the parameters that its words name.
    """

    vehicle_id: int
    name: Vehicle
    kind: str
    begins_ms: int
    warned_ms: int
    due_ms: int
    lon: float
    lat: float
    company: str
    county: str
    place_county: str
    measures: dict[str, object]
    rule_version: int
    registry_version: int

    @property
    def id(self) -> UUID:
        """Permanent: the same whenever the warning is worked out again."""
        return uuid.uuid5(_NAMESPACE, f"{self.kind} {self.name.plate} {self.name.color} {self.begins_ms}")

    @property
    def event_id(self) -> UUID:
        """Of what is owed to those concerned."""
        return uuid.uuid5(self.id, "warned")


class Place(NamedTuple):
    """Where a page of warnings ends, so that the next one can begin there."""

    warned_ms: int
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which warnings are wanted; None is any.

    Attributes
    ----------
    of_county, of_company : str or None
        County and company of the vehicle when it was warned.
    from_ms, to_ms : int or None
        Bounds of ``warned_ms``, the second one exclusive [ms].
    """

    ids: Sequence[UUID] | None = None
    of_county: str | None = None
    of_company: str | None = None
    kinds: Sequence[str] | None = None
    plate: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the queries of warnings."""
        return {name: getattr(self, name) for name in self.__slots__}


def keep(cursor: psycopg.Cursor[Any], warnings: Sequence[Warned]) -> None:
    """Keep warnings and owe them, in the cursor's transaction; one that is kept already stays as it is."""
    cursor.executemany(
        query("inner/warnings_keep"),
        [
            {name: getattr(one, name) for name in Warned.__slots__}
            | {"id": one.id, "event_id": one.event_id, "measures": Jsonb(one.measures)}
            for one in warnings
        ],
    )
