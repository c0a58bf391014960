"""Versions: what the routes of the registry take and give, as ``docs/api.md`` describes it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.schemas import Asked, Code, Line


class Version(BaseModel):
    """A version of the registry."""

    version: int
    imported_at: datetime
    imported_by: str
    announced_at: datetime | None


class RegistryRow(BaseModel):
    """A row of a table, or a feature of a map, as it was handed in."""

    place: int
    content: dict[str, Any]
    valid_from_ms: int
    valid_to_ms: int
    since_version: int


class LeftOut(BaseModel):
    """A row that was left out."""

    file: str
    line: int
    detail: str


class Imported(BaseModel):
    """What became of an import."""

    version: int
    new: int
    gone: int
    rows: dict[str, int]
    left_out: int
    faults: list[LeftOut]


class NewParameter(Asked):
    """A parameter that is to be another from an event time on."""

    parameter: Annotated[Line, Field(pattern=r"^[^.]+\.[^.]+$", max_length=100)]
    value: Annotated[float, Field(ge=0, lt=1e15, allow_inf_nan=False)]
    valid_from: Annotated[Line, Field(min_length=1, max_length=40)]
    valid_to: Annotated[Line, Field(max_length=40)] = ""
    classes: Annotated[Line, Field(max_length=6)] = ""
    county: Code = ""
    company: Code = ""
    fence: Code = ""
    why: Annotated[Line, Field(min_length=1, max_length=1000)]


class Changed(BaseModel):
    """The newest version of the registry, and the rows that it began and ended."""

    version: int
    new: int
    gone: int


class Rows(BaseModel):
    """Rows of a table of the newest version."""

    version: int
    items: list[dict[str, str]]
