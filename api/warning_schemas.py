"""Schemas of warnings before a violation, as ``docs/api.md`` describes them."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from api.schemas import Names


class Prewarning(BaseModel):
    """A warning before a violation; `became` is the violation where it happened nonetheless."""

    id: UUID
    kind: str
    kind_zh: str
    kind_en: str
    plate: str
    plate_color: int
    begins_ms: int
    warned_ms: int
    due_ms: int
    company: str
    company_name: str
    county: str
    county_name: str
    place_county: str
    place_county_name: str
    lon: float | None
    lat: float | None
    words: Names
    measures: dict[str, Any]
    rule_version: int
    registry_version: int
    became: UUID | None


class Outcome(BaseModel):
    """What became of the warnings of a kind; `averted_ratio` is of those that are decided, null where none is."""

    kind: str
    kind_zh: str
    kind_en: str
    warnings: int
    happened: int
    averted: int
    pending: int
    averted_ratio: float | None
