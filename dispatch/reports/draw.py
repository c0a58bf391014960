"""Draw up: from what the ledger knows of a day to the facts of each party's report."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from detectors.catalogue import CATALOGUE
from detectors.counted import Counted
from detectors.explain import explain
from dispatch.reports.facts import (
    REASONS,
    UNOPENED,
    Facts,
    Fixes,
    KindTotal,
    Member,
    Party,
    Row,
    Totals,
    Withdrawn,
)
from ingest.gate import Verdict
from ingest.registry import CLASSES, Registry
from ledger.closing import Count, Day
from ledger.deadlines import LEAST_SEVERITY
from ledger.moves import FINAL

AREA = "昌吉州"
ISSUER = "昌吉州交通运输运行监测中心"
MODULES = {
    "L": "客运班线",
    "C": "旅游包车",
    "H": "危险品货运",
    "B": "公共出行",
    "T": "公共出行",
    "F": "普货重货",
    "S": "客运场站",
    "": "未登记车辆",
}
"""Letter of a vehicle's class to the module of the operations centre that watches it."""

_ORDER = tuple(dict.fromkeys(MODULES.values()))


@dataclass(frozen=True, slots=True)
class Registered:
    """A vehicle of a day's registry."""

    vehicle_class: str
    county: str
    company: str


@dataclass(slots=True)
class Share:
    """What a party, or a part of one, has of a day."""

    registered: int = 0
    online: int = 0
    rows: list[Row] = field(default_factory=list)

    def member(self, code: str, name: str) -> Member:
        """The share as a line of a table."""
        counted = [row for row in self.rows if row.counted]
        return Member(
            code=code,
            name=name,
            registered=self.registered,
            online=self.online,
            by_severity=_by_severity(counted),
            leads=_leads(self.rows),
            unfinished=sum(_unfinished(row) for row in counted),
            overdue=sum(row.overdue for row in counted),
        )


def fleet(registry: Registry, from_ms: int, to_ms: int) -> dict[tuple[str, int], Registered]:
    """Vehicles registered within a day, by plate and colour; of several rows the one that holds last counts."""
    entries = registry.entries
    holds = np.flatnonzero((entries.from_ms[:-1] < to_ms) & (entries.to_ms[:-1] > from_ms))
    last = dict(zip(entries.vehicle[holds].tolist(), holds.tolist(), strict=True))
    names, parties = registry.vehicles.names, registry.parties
    found = {}
    for vehicle, at in last.items():
        party = parties[entries.party[at]]
        found[names[vehicle].plate, names[vehicle].color] = Registered(
            CLASSES[entries.kind[at]], party.county, party.company
        )
    return found


@dataclass(slots=True)
class Drawer:
    """Draws up the reports of one day.

    Attributes
    ----------
    registered : dict
        As `fleet` gives them.
    county_names, company_names, fence_names : mapping
        Code to name.
    counted : Counted
        Parameters of the day's registry.
    closed_at, cases_at : datetime
        See `Facts`.
    """

    day: date
    known: Day
    registered: Mapping[tuple[str, int], Registered]
    county_names: Mapping[str, str]
    company_names: Mapping[str, str]
    fence_names: Mapping[str, str]
    counted: Counted
    registry_version: int
    closed_at: datetime
    cases_at: datetime
    _rows: dict[tuple[str, str], list[Row]] = field(init=False)
    _vehicles: dict[tuple[str, str], list[tuple[str, int]]] = field(init=False)
    _counts: dict[tuple[str, str], list[Count]] = field(init=False)
    _withdrawn: dict[tuple[str, str], list[Withdrawn]] = field(init=False)
    _online: set[tuple[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        self._rows, self._vehicles = defaultdict(list), defaultdict(list)
        self._counts, self._withdrawn = defaultdict(list), defaultdict(list)
        for violation in self.known.violations:
            vehicle = self.registered.get((violation["plate"], violation["plate_color"]))
            row = _row(violation, vehicle.vehicle_class if vehicle else "", self.fence_names, self.counted)
            _share(self._rows, row.county, row.company, row)
        for told in self.known.withdrawn:
            _share(self._withdrawn, told["county"], told["company"], _withdrawn(told))
        for name, vehicle in self.registered.items():
            _share(self._vehicles, vehicle.county, vehicle.company, name)
        for count in self.known.counts:
            vehicle = self.registered.get((count.plate, count.plate_color))
            _share(self._counts, vehicle.county if vehicle else "", vehicle.company if vehicle else "", count)
        self._online = {(count.plate, count.plate_color) for count in self.known.counts}

    def parties(self) -> list[tuple[str, str]]:
        """County and company of everybody who gets a report; the prefecture first."""
        return sorted({("", ""), *self._rows, *self._vehicles, *self._withdrawn})

    def facts(self, county: str, company: str, number: str, edition: int, reason: str) -> Facts:
        """Facts of one party's report."""
        key = county, company
        rows, vehicles = self._rows.get(key, []), self._vehicles.get(key, [])
        withdrawn, names = self._withdrawn.get(key, []), Party(county, "", company, "")
        if county:
            names = Party(county, self.county_names.get(county, county), company, "")
        if company:
            names = Party(county, names.county_name, company, self.company_names.get(company, company))
        prefecture = key == ("", "")
        told: list[Row | Withdrawn] = [*rows, *withdrawn]
        used = {row.kind for row in told} | {row.superseded_by for row in rows if row.superseded_by}
        counties = {row.county for row in told} | {row.place_county for row in rows} | {county}
        return Facts(
            number=number,
            day=self.day,
            edition=edition,
            reason=reason,
            issuer=ISSUER,
            area=AREA,
            party=names,
            closed_ms=_ms(self.closed_at),
            cases_ms=_ms(self.cases_at),
            registry_version=self.registry_version,
            totals=self._totals(rows, vehicles, withdrawn, prefecture=prefecture),
            kinds=list(_kinds(rows)),
            modules=self._modules(rows, vehicles),
            members=[] if company else self._members(rows, vehicles, by_county=prefecture),
            fixes=_fixes(self._counts.get(key, [])),
            quarantined=dict(self.known.quarantined) if prefecture else {},
            violations=rows,
            withdrawn=withdrawn,
            kind_names={code: CATALOGUE[code].zh if code in CATALOGUE else code for code in sorted(used)},
            county_names=_named(counties, self.county_names),
            company_names=_named({row.company for row in told}, self.company_names),
        )

    def _totals(
        self, rows: list[Row], vehicles: list[tuple[str, int]], withdrawn: list[Withdrawn], *, prefecture: bool
    ) -> Totals:
        counted = [row for row in rows if row.counted]
        return Totals(
            registered=len(vehicles),
            online=sum(name in self._online for name in vehicles),
            violations=len(counted),
            by_severity=_by_severity(counted),
            leads=_leads(rows),
            superseded=sum(bool(row.superseded_by) for row in rows),
            states=dict(sorted(Counter(row.state for row in counted).items())),
            unfinished=sum(_unfinished(row) for row in counted),
            overdue=sum(row.overdue for row in counted),
            withdrawn=len(withdrawn),
            unregistered=len(self._online - self.registered.keys()) if prefecture else 0,
        )

    def _modules(self, rows: Iterable[Row], vehicles: Iterable[tuple[str, int]]) -> list[Member]:
        shares: dict[str, Share] = defaultdict(Share)
        for name in vehicles:
            self._add(shares[MODULES[self.registered[name].vehicle_class]], name)
        for row in rows:
            shares[MODULES[row.vehicle_class]].rows.append(row)
        return [shares[name].member("", name) for name in _ORDER if name in shares]

    def _members(self, rows: Iterable[Row], vehicles: Iterable[tuple[str, int]], *, by_county: bool) -> list[Member]:
        shares: dict[str, Share] = defaultdict(Share)
        for name in vehicles:
            vehicle = self.registered[name]
            self._add(shares[vehicle.county if by_county else vehicle.company], name)
        for row in rows:
            shares[row.county if by_county else row.company].rows.append(row)
        names = self.county_names if by_county else self.company_names
        return [shares[code].member(code, names.get(code, code)) for code in sorted(shares)]

    def _add(self, share: Share, name: tuple[str, int]) -> None:
        share.registered += 1
        share.online += name in self._online


def _share(shares: dict[tuple[str, str], list[Any]], county: str, company: str, one: Any) -> None:
    """Give something to everybody whose it is: the prefecture, its county, its company there."""
    for key in {("", ""), (county, ""), (county, company)}:
        shares[key].append(one)


def _row(told: Mapping[str, Any], vehicle_class: str, fence_names: Mapping[str, str], counted: Counted) -> Row:
    owed = told["severity"] >= LEAST_SEVERITY and not told["superseded_by"]
    return Row(
        id=str(told["id"]),
        kind=told["kind"],
        plate=told["plate"],
        plate_color=told["plate_color"],
        vehicle_class=vehicle_class,
        company=told["company"],
        county=told["county"],
        place_county=told["place_county"],
        begins_ms=told["begins_ms"],
        raised_ms=told["raised_ms"],
        ends_ms=told["ends_ms"],
        severity=told["severity"],
        lead=told["lead"],
        open=told["status"] == "open",
        measures=told["measures"],
        told=_told(told, fence_names, counted),
        superseded_by=told["superseded_by"] or "",
        state=told["state"] or (UNOPENED if owed else ""),
        overdue=bool(told["overdue"]) and told["state"] not in FINAL,
    )


def _told(told: Mapping[str, Any], fence_names: Mapping[str, str], counted: Counted) -> str:
    """What was measured, in the words of the kind, and on which road or in which area."""
    fence = fence_names.get(str(told["measures"].get("fence", "")), "")
    if told["kind"] not in CATALOGUE:
        return fence
    kind = CATALOGUE[told["kind"]]
    parameters = counted.of(
        kind, told["plate"], told["plate_color"], told["begins_ms"], told["measures"].get("fence", "")
    )
    said = explain(kind, {**told, "fence_name": fence, "parameters": parameters}).zh.measured.removesuffix("。")
    return f"{said}（{fence}）" if fence and fence not in said else said


def _withdrawn(told: Mapping[str, Any]) -> Withdrawn:
    return Withdrawn(
        id=str(told["id"]),
        kind=told["kind"],
        plate=told["plate"],
        plate_color=told["plate_color"],
        company=told["company"],
        county=told["county"],
        begins_ms=told["begins_ms"],
        withdrawn_ms=_ms(told["recorded_at"]),
        reason=told["reason"],
    )


def _kinds(rows: Sequence[Row]) -> Iterable[KindTotal]:
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    for code, own in sorted(by_kind.items()):
        name = CATALOGUE[code].zh if code in CATALOGUE else code
        superseded = sum(bool(row.superseded_by) for row in own)
        yield KindTotal(code, name, _by_severity(row for row in own if row.counted), _leads(own), superseded)


def _by_severity(rows: Iterable[Row]) -> tuple[int, int, int, int]:
    counted = Counter(row.severity for row in rows)
    return counted[1], counted[2], counted[3], counted[4]


def _leads(rows: Iterable[Row]) -> int:
    """Leads; a superseded one is counted as superseded."""
    return sum(row.lead and not row.superseded_by for row in rows)


def _unfinished(row: Row) -> bool:
    return bool(row.state) and row.state not in FINAL


def _fixes(counts: Iterable[Count]) -> Fixes:
    by_verdict: Counter[int] = Counter()
    backfilled = after = 0
    for count in counts:
        by_verdict[count.verdict] += count.fixes
        backfilled += count.backfilled
        after += count.after
    rejected = {reason: by_verdict[verdict] for verdict, reason in REASONS.items()}
    return Fixes(by_verdict.total(), by_verdict[Verdict.ACCEPTED], rejected, backfilled, after)


def _named(codes: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    return {code: names.get(code, code) for code in sorted(set(codes) - {""})}


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
