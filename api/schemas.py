"""Schemas: what goes in and comes out, as ``docs/api.md`` describes it."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Item = TypeVar("Item")

Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text of one line."""
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text that a database can keep."""


def _plain(day: object) -> object:
    if isinstance(day, str) and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
        raise ValueError("a day is YYYY-MM-DD")
    return day


Day = Annotated[date, BeforeValidator(_plain)]
"""A date without a time."""
Code = Annotated[Line, Field(max_length=100)]
RoleName = Literal["centre", "operator", "county", "company"]
SeverityNumber = Annotated[int, Field(ge=1, le=4)]
Module = Literal["L", "C", "H", "P", "F", "S"]
StateName = Literal[
    "pushed", "acknowledged", "submitted", "returned", "accepted", "closed", "appealed", "false_alarm", "superseded",
    "withdrawn",
]  # fmt: skip
Status = Literal["open", "ended", "withdrawn"]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Scope = Literal["ingest", "read", "casework", "manage", "registry"]
Topic = Literal["violation", "case", "report", "warning"]


class Asked(BaseModel):
    """What comes in: nothing that is not known, so that a misspelt field is no silence."""

    model_config = ConfigDict(extra="forbid")


class Page(BaseModel, Generic[Item]):
    """Some of a list, and where to go on."""

    items: list[Item]
    next: str | None = None


class FieldError(BaseModel):
    """What is wrong with a field."""

    field: str
    detail: str


class LegalMove(BaseModel):
    """A move that the caller may make."""

    move: str
    zh: str
    en: str
    words_required: bool
    to_state: StateName


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] | None = None
    state: StateName | None = None
    number: int | None = None
    legal: list[LegalMove] | None = None


class Names(BaseModel):
    """Chinese and English."""

    zh: str
    en: str


# --- violations and cases --------------------------------------------------------------------------------------------


class Case(BaseModel):
    """Where a case stands."""

    state: StateName
    state_zh: str
    state_en: str
    moves: int
    due_at: datetime | None
    overdue: bool
    opened_at: datetime


class Violation(BaseModel):
    """A violation as it stands."""

    id: UUID
    kind: str
    kind_zh: str
    kind_en: str
    plate: str
    plate_color: int
    vehicle_class: str | None
    module: Module | None
    begins_ms: int
    raised_ms: int
    ends_ms: int
    severity: SeverityNumber
    lead: bool
    status: Status
    company: str
    company_name: str
    county: str
    county_name: str
    place_county: str
    place_county_name: str
    lon: float | None
    lat: float | None
    revision: int
    superseded_by: str | None
    case: Case | None


class Texts(BaseModel):
    """An explanation in one language."""

    measured: str
    limit: str
    since: str
    clause: str
    clears: str
    certainty: str


class Explanation(BaseModel):
    """Why a violation is one."""

    zh: Texts
    en: Texts


class Revision(BaseModel):
    """A violation as a fact left it."""

    model_config = ConfigDict(populate_by_name=True)

    revision: int
    fact: str
    pass_: Annotated[str, Field(alias="pass")]
    reason: str
    begins_ms: int
    raised_ms: int
    ends_ms: int
    severity: SeverityNumber
    lead: bool
    measures: dict[str, Any]
    rule_version: int
    registry_version: int
    recorded_at: datetime


class Attached(BaseModel):
    """A file that hangs on a move, or was just stored."""

    sha256: Sha256
    name: str
    media_type: str
    bytes: int


class Move(BaseModel):
    """A move that was made."""

    number: int
    move: str
    move_zh: str
    move_en: str
    from_state: str
    to_state: StateName
    to_state_zh: str
    to_state_en: str
    actor: str
    role: str
    tenant: str
    tenant_name: str
    words: str
    due_at: datetime | None
    made_at: datetime
    attachments: list[Attached]


class ViolationInFull(Violation):
    """A violation with its explanation and its history."""

    clause: str
    measures: dict[str, Any]
    rule_version: int
    registry_version: int
    explanation: Explanation | None
    revisions: list[Revision]
    moves: list[Move]


class TrackFix(BaseModel):
    """A fix of a track."""

    time_ms: int
    received_ms: int
    lon: float | None
    lat: float | None
    speed_kmh: float | None
    heading_deg: float | None
    limit_kmh: float | None
    verdict: str


class Track(BaseModel):
    """What a vehicle did around a violation."""

    items: list[TrackFix]
    begins_ms: int
    ends_ms: int
    limit_kmh: float | None
    cut: bool


class Attach(Asked):
    """A stored file, to hang on a move."""

    name: Annotated[str, Field(min_length=1, max_length=500)]
    sha256: Sha256


class NewMove(Asked):
    """A move that is wanted."""

    move: Annotated[Line, Field(max_length=40)]
    words: Annotated[Text, Field(max_length=4000)] = ""
    attachments: tuple[Attach, ...] = Field((), max_length=10)
    expected: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None


class Moved(BaseModel):
    """Where a case stands after a move."""

    state: StateName
    state_zh: str
    state_en: str
    number: int
    due_at: datetime | None


class Legal(BaseModel):
    """What the caller may do with a case now."""

    state: StateName
    state_zh: str
    state_en: str
    number: int
    legal: list[LegalMove]


# --- overview --------------------------------------------------------------------------------------------------------


class Tally(BaseModel):
    """Vehicles, violations of today by severity, cases."""

    vehicles: int
    online: int
    severity: dict[Literal["1", "2", "3", "4"], int]
    open: int
    overdue: int


class CountyTally(Tally):
    """Of a county."""

    county: str
    name: str


class ModuleTally(Tally):
    """Of a module."""

    module: Module
    zh: str
    en: str
    counties: list[CountyTally]


class Summary(Tally):
    """What stands, at a glance."""

    day: date
    now_ms: int
    stale: bool
    feed_age_s: float | None
    states: dict[StateName, int]
    modules: list[ModuleTally]


class Outline(BaseModel):
    """A county as a GeoJSON feature."""

    type: Literal["Feature"]
    id: str
    properties: dict[str, str]
    geometry: dict[str, Any]


class Outlines(BaseModel):
    """Counties as GeoJSON."""

    type: Literal["FeatureCollection"]
    features: list[Outline]


class Company(BaseModel):
    """A company."""

    company: str
    name: str
    module: str
    county: str


class KindEntry(BaseModel):
    """An entry of the catalogue."""

    code: str
    zh: str
    en: str
    family: str
    classes: str
    severity: SeverityNumber
    clause: str
    parameters: dict[str, Any]
    version: int
    rule: str


class Catalogue(BaseModel):
    """The catalogue, and the names of what else is coded."""

    items: list[KindEntry]
    severities: dict[str, Names]
    classes: dict[str, Names]
    modules: dict[str, Names]
    states: dict[str, Names]
    moves: dict[str, Names]


class Positions(BaseModel):
    """Where vehicles are: number, plate, class, company, county, lon, lat, km/h, heading, time, open severity."""

    time_ms: int
    stale: bool
    feed_age_s: float | None
    vehicles: list[Annotated[list[int | float | str | None], Field(min_length=11, max_length=11)]]
