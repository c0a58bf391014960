"""Directory: what stands behind codes: names of companies and counties, outlines, and whose each vehicle is now."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray

from detectors.enrich import Lookup
from ingest.batch import Float64, Int32, Int64
from ingest.fences import Fence
from ingest.registry import NOBODY, Party, Registry, Source, Vehicle
from ledger import registries
from ledger.database import in_words, query
from ledger.principal import Principal, Role

MODULES: Mapping[str, tuple[str, str, str]] = {
    "L": ("客运班线", "Scheduled coaches", "L"),
    "C": ("旅游包车", "Charter coaches", "C"),
    "H": ("危险品货运", "Hazardous goods", "H"),
    "P": ("公共出行", "Public transport", "BT"),
    "F": ("普货重货", "Freight", "F"),
    "S": ("客运场站", "Stations", ""),
}
"""The centre's six modules: names and vehicle classes; stations are a place, not a class."""

MODULE_OF = {letter: module for module, (_, _, letters) in MODULES.items() for letter in letters}
"""Vehicle class to module."""


class Company(NamedTuple):
    """A company as the registry describes it."""

    company: str
    name: str
    module: str
    county: str


@dataclass(frozen=True, slots=True)
class Directory:
    """One version of the registry, to look things up in.

    Attributes
    ----------
    companies : mapping
        By code.
    counties : mapping
        Code to name; those of ``counties.csv``, then those that only have an outline.
    """

    version: int
    companies: Mapping[str, Company]
    counties: Mapping[str, str]
    registry: Registry
    _outlines: list[Fence] = field(init=False)
    _stations: list[Fence] = field(init=False)
    _lookups: list[Lookup] = field(default_factory=list)

    def __post_init__(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        holding = [fence for fence in self.registry.fences if fence.from_ms <= now_ms < fence.to_ms]
        object.__setattr__(self, "_outlines", [fence for fence in holding if fence.kind == "county"])
        object.__setattr__(self, "_stations", [fence for fence in holding if fence.kind == "station"])

    def company_name(self, code: str) -> str:
        """Name of a company; its code where there is none."""
        found = self.companies.get(code)
        return (found and found.name) or code

    def county_name(self, code: str) -> str:
        """Name of a county; its code where there is none."""
        return self.counties.get(code) or code

    def tenant_name(self, role: str, tenant: str) -> str:
        """Name of whoever has a role; empty for the centre."""
        return self.county_name(tenant) if role == Role.COUNTY else self.company_name(tenant)

    def knows(self, principal: Principal) -> bool:
        """Whether there is such a county or company; the centre is always there."""
        match principal.role:
            case Role.COUNTY:
                return principal.tenant in self.counties or any(
                    party.county == principal.tenant for party in self.registry.parties
                )
            case Role.COMPANY:
                return principal.tenant in self.companies
            case _:
                return True

    def parties(self, vehicles: Sequence[Vehicle], at_ms: int) -> Int32:
        """Place in `registry.parties` of each vehicle, (n,), at a time [ms]; the last one is nobody."""
        known = self.registry.vehicles.rows
        rows = np.array([known.get((vehicle.plate, vehicle.color), -1) for vehicle in vehicles], np.int32)
        found = np.full(len(rows), len(self.registry.parties) - 1, np.int32)
        listed = np.flatnonzero(rows >= 0)
        entries = self.registry.entry(rows[listed], np.full(len(listed), at_ms, np.int64))
        found[listed] = self.registry.entries.party[entries]  # entry -1 is nobody's
        return found

    def party(self, plate: str, color: int) -> Party:
        """Whose a vehicle is now."""
        return self.registry.parties[int(self.parties([Vehicle(plate, color)], time.time_ns() // 1_000_000)[0])]

    def outlines(self) -> list[dict[str, Any]]:
        """Counties as GeoJSON features."""
        return [
            {
                "type": "Feature",
                "id": fence.id,
                "properties": {"county": fence.id, "name": self.county_name(fence.id)},
                "geometry": shapely.geometry.mapping(fence.shape),
            }
            for fence in self._outlines
        ]

    def stations(self) -> list[str]:
        """Outer rings of the station areas, as PostgreSQL writes polygons."""
        return [
            "(" + ",".join(f"({x},{y})" for x, y in ring.coords) + ")"
            for fence in self._stations
            for part in getattr(fence.shape, "geoms", [fence.shape])
            for ring in [part.exterior]
        ]

    def at_station(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each point, (n,) [deg], is inside a station area."""
        inside = np.zeros(len(lon), np.bool_)
        for fence in self._stations:
            west, south, east, north = fence.shape.bounds
            near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
            inside[near] |= shapely.intersects_xy(fence.shape, lon[near], lat[near])
        return inside

    def limits(self, vehicle: Vehicle, lon: Float64, lat: Float64, time_ms: Int64) -> Float64:
        """Speed limit for a vehicle at each place and time, (n,): the least of road and zone; NaN unknown [km/h]."""
        n = len(time_ms)
        row = self.registry.vehicles.rows.get((vehicle.plate, vehicle.color), -1)
        if row < 0 or not n:
            return np.full(n, np.nan)
        lookup = self._lookup()
        entry = self.registry.entry(np.full(n, row, np.int32), time_ms)
        place = lon, lat, time_ms, self.registry.entries.kind[entry]
        road, zone = lookup.zones.least("road", *place), lookup.zones.least("speed", *place)
        numbers = lookup.road_limit.columns(entry, time_ms)
        limit = np.where(road.fence >= 0, np.minimum(numbers["cap_kmh"], road.limit_kmh), numbers["default_kmh"])
        return np.where(entry >= 0, np.fmin(limit, zone.limit_kmh), np.nan)

    def _lookup(self) -> Lookup:
        if not self._lookups:
            self._lookups.append(Lookup(self.registry))
        return self._lookups[0]

    def companies_of(self, principal: Principal) -> list[Company]:
        """Companies that a principal has to do with, by code."""
        mine = {party.company for party in self.registry.parties if party.county == principal.tenant}
        return sorted(
            company
            for code, company in self.companies.items()
            if principal.role in (Role.CENTRE, Role.OPERATOR)
            or (principal.role is Role.COMPANY and code == principal.tenant)
            or (principal.role is Role.COUNTY and (code in mine or company.county == principal.tenant))
        )


EMPTY = Directory(0, {}, {}, Source().registry())
"""Nobody is registered."""


def load(connection: psycopg.Connection, version: int) -> Directory:
    """Read one version of the registry.

    Raises
    ------
    RegistryError, DatabaseError
    """
    registry = registries.load(connection, version)
    companies: dict[str, Company] = {}
    counties: dict[str, str] = {}
    with in_words():
        for collection, content in connection.execute(query("inner/directory"), {"version": version}):
            cells = {name: str(value).strip() for name, value in content.items() if value is not None}
            if collection == "companies":
                code = cells.get("company", "")
                companies[code] = Company(
                    code, cells.get("name") or code, cells.get("module", ""), cells.get("county", "")
                )
            else:
                counties[cells.get("county", "")] = cells.get("name", "")
    for fence in registry.fences:
        if fence.kind == "county" and not counties.get(fence.id):
            counties[fence.id] = fence.name
    for party in registry.parties:
        if party != NOBODY and party.company and party.company not in companies:
            companies[party.company] = Company(party.company, party.company, "", party.county)
    return Directory(version, companies, counties, registry)
