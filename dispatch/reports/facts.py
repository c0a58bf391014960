"""Facts: all that a daily report says, as one value. It is frozen when the day is closed; formats know nothing else."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from ingest.gate import Verdict
from ingest.moment import BEIJING, DAY_MS

UNOPENED = "unopened"
"""State of a violation that is to have a case and has none yet."""


class Party(msgspec.Struct, frozen=True):
    """Whose report it is: codes and names; all empty for the prefecture."""

    county: str = ""
    county_name: str = ""
    company: str = ""
    company_name: str = ""


class Row(msgspec.Struct, frozen=True):
    """A violation of the day as it stood when the day was closed.

    Attributes
    ----------
    vehicle_class : str
        Letter; empty for a vehicle that was not registered that day.
    state : str
        Of its case; empty where there is to be none, `UNOPENED` where nobody has been told of it yet.
    told : str
        What was measured, in the words of its kind.
    superseded_by : str
        The graver kind that takes its place; then it is listed and not counted.
    """

    id: str
    kind: str
    plate: str
    plate_color: int
    vehicle_class: str
    company: str
    county: str
    place_county: str
    begins_ms: int
    raised_ms: int
    ends_ms: int
    severity: int
    lead: bool
    open: bool
    measures: dict[str, Any]
    told: str
    superseded_by: str
    state: str
    overdue: bool

    @property
    def counted(self) -> bool:
        """Whether it is in the totals: neither a lead nor superseded."""
        return not self.lead and not self.superseded_by


class Withdrawn(msgspec.Struct, frozen=True):
    """A violation that was withdrawn that day, or raised that day and withdrawn later."""

    id: str
    kind: str
    plate: str
    plate_color: int
    company: str
    county: str
    begins_ms: int
    withdrawn_ms: int
    reason: str


class Fixes(msgspec.Struct, frozen=True):
    """Position records of the day.

    Attributes
    ----------
    rejected : dict
        Reason (name of the `Verdict`) to count.
    backfilled : int
        With the mark of records that were stored and sent later.
    after : int
        Received after the day was over.
    """

    received: int = 0
    accepted: int = 0
    rejected: dict[str, int] = {}
    backfilled: int = 0
    after: int = 0


class Member(msgspec.Struct, frozen=True):
    """A line of a table of parts: of counties, companies or modules."""

    code: str
    name: str
    registered: int
    online: int
    by_severity: tuple[int, int, int, int]
    leads: int
    unfinished: int
    overdue: int

    @property
    def violations(self) -> int:
        """Those counted."""
        return sum(self.by_severity)


class KindTotal(msgspec.Struct, frozen=True):
    """Violations of a kind, by severity from 1 to 4; leads and superseded ones apart."""

    code: str
    name: str
    by_severity: tuple[int, int, int, int]
    leads: int
    superseded: int

    @property
    def violations(self) -> int:
        """Those counted."""
        return sum(self.by_severity)


class Totals(msgspec.Struct, frozen=True):
    """The numbers at the head of a report.

    Attributes
    ----------
    states : dict
        State of the case to how many of the counted violations are in it; empty text for none.
    unregistered : int
        Vehicles heard of that nobody has registered; the prefecture's report only.
    """

    registered: int
    online: int
    violations: int
    by_severity: tuple[int, int, int, int]
    leads: int
    superseded: int
    states: dict[str, int]
    unfinished: int
    overdue: int
    withdrawn: int
    unregistered: int


class Facts(msgspec.Struct, frozen=True):
    """A report. ``closed_ms``: what came later is not in it; ``cases_ms``: cases are shown as they stood then."""

    number: str
    day: date
    edition: int
    reason: str
    issuer: str
    area: str
    party: Party
    closed_ms: int
    cases_ms: int
    registry_version: int
    totals: Totals
    kinds: list[KindTotal]
    modules: list[Member]
    members: list[Member]
    fixes: Fixes
    quarantined: dict[str, int]
    violations: list[Row]
    withdrawn: list[Withdrawn]
    kind_names: dict[str, str]
    county_names: dict[str, str]
    company_names: dict[str, str]

    @property
    def whole(self) -> bool:
        """Whether the day was over when it was closed."""
        return self.closed_ms >= span_ms(self.day)[1]


_ENCODER, _DECODER = msgspec.json.Encoder(order="deterministic"), msgspec.json.Decoder(Facts)


def frozen(facts: Facts) -> bytes:
    """Facts as the JSON text that is stored."""
    return _ENCODER.encode(facts)


def thawed(stored: bytes) -> Facts:
    """Facts from their JSON text."""
    return _DECODER.decode(stored)


def span_ms(day: date) -> tuple[int, int]:
    """Begin and end of a Beijing day [ms]."""
    begin = int(datetime(day.year, day.month, day.day, tzinfo=BEIJING).timestamp()) * 1000
    return begin, begin + DAY_MS


def beijing_day(moment: datetime) -> date:
    """Beijing day of a moment."""
    return moment.astimezone(BEIJING).date()


def day_before(day: date) -> date:
    """The day before another."""
    return day - timedelta(days=1)


def changes(old: Facts, new: Facts) -> str:
    """What has changed between two editions, in words; empty if nothing has.

    That a case has moved on since is no change: a report shows cases as they stood when the day was closed. Nor is it
    one that a kind says the same in other words.
    """
    before = {row.id: msgspec.structs.replace(row, told="", state="", overdue=False) for row in old.violations}
    after = {row.id: msgspec.structs.replace(row, told="", state="", overdue=False) for row in new.violations}
    counted = (
        ("新增违规", len(after.keys() - before.keys())),
        ("撤销违规", len(before.keys() - after.keys())),
        ("变更违规", sum(before[key] != after[key] for key in before.keys() & after.keys())),
    )
    said = [f"{word}{count}起" for word, count in counted if count]
    if new.fixes.received != old.fixes.received:
        said.append(f"定位记录由{old.fixes.received:,}条变为{new.fixes.received:,}条")
    elif new.fixes != old.fixes:
        said.append("定位记录采信情况有变")
    if new.totals.online != old.totals.online:
        said.append(f"上线车辆由{old.totals.online:,}辆变为{new.totals.online:,}辆")
    if new.quarantined != old.quarantined:
        said.append(f"无法识别记录由{sum(old.quarantined.values()):,}条变为{sum(new.quarantined.values()):,}条")
    if not said and new.withdrawn != old.withdrawn:
        said.append("撤销记录有变")
    return "、".join(said)


REASONS = {verdict.value: verdict.name.lower() for verdict in Verdict if verdict is not Verdict.ACCEPTED}
"""Verdict of the gate to the reason of rejection in `Fixes.rejected`."""
