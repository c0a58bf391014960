"""Registry: who is who, and where what holds; read from a folder, looked up as columns."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Bool, Int8, Int32, Int64
from ingest.fences import Feature, Fence, read_features
from ingest.papers import SORTS, STAFF, VEHICLE, Papers, Sort, check_paper, overlaps
from ingest.table import RegistryError, Row, listed, read_table
from ingest.timetable import Timetable
from ingest.trips import REQUIRED, STOP_TIMES, STOPS, TRIPS, timetable

CLASSES = "LCHBTF"
"""Vehicle classes: scheduled coach, charter coach, hazardous goods, bus, taxi, freight."""

NO_CLASS = len(CLASSES)
"""Class of a fix at whose time its vehicle is not registered."""


class Vehicle(NamedTuple):
    """Identity of a vehicle: plate and JT/T 415 plate colour."""

    plate: str
    color: int


class Party(NamedTuple):
    """What parameters may differ by: class letter, county and company of a registry row."""

    kind: str
    county: str
    company: str


NOBODY = Party("", "", "")
"""Party of a fix at whose time its vehicle is not registered."""


def driver_code(text: str) -> int:
    """Number of a driver: 63 bits of a hash of the text, so that it means the same after a restart.

    Empty text, no driver, is 0.
    """
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big") >> 1 or 1


class Vehicles:
    """Rows of vehicles: registered ones first, others as they are heard of."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], int] = {}
        self.names: list[Vehicle] = []

    def __len__(self) -> int:
        return len(self.names)

    def row(self, plate: str, color: int) -> int:
        """Row of a vehicle; a new one for a vehicle not heard of before."""
        key = (plate, color)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = len(self.names)
            self.names.append(Vehicle(plate, color))
        return row


@dataclass(frozen=True, slots=True)
class Entries:
    """Dated registry rows as columns, shape (entries + 1,), by vehicle, then ``valid_from``.

    The last row is nobody's: it stands for a fix at whose time no row holds, index -1. Of the `areas`, the counties
    that a vehicle is licensed for, the first is empty: nothing is known.
    """

    vehicle: Int32
    from_ms: Int64
    to_ms: Int64
    kind: Int8
    drivers: Int32
    small_hours_exempt: Bool
    seats: Int32
    party: Int32
    area: Int32
    areas: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Override:
    """A row of ``parameters.csv``: a dated value for those it selects (empty = all).

    A row with a fence is for fixes at which the rule goes by that fence.
    """

    group: str
    name: str
    value: float
    classes: str
    county: str
    company: str
    fence: str
    from_ms: int
    to_ms: int
    row: Row

    def selects(self, party: Party) -> bool:
        """Whether the row applies to vehicles of this party."""
        return (
            (not self.classes or (party.kind != "" and party.kind in self.classes))
            and self.county in ("", party.county)
            and self.company in ("", party.company)
        )

    @property
    def weight(self) -> tuple[bool, bool, bool, bool, int, int]:
        """Order of precedence among rows that apply: the greatest wins."""
        return (
            bool(self.fence), bool(self.company), bool(self.county), bool(self.classes), self.from_ms, self.row.line,
        )  # fmt: skip


@dataclass(slots=True)
class Registry:
    """Vehicles with their dated rows, fences and dated parameters.

    Attributes
    ----------
    papers : mapping
        Name of a table (`papers.SORTS`) to its rows; all of them are there, empty or not.
    roads, routes : list of Fence
        Lines: roads with their limits, routes that vehicles are assigned to.
    timetable : Timetable
        Stops, trips, and which vehicle runs which trip when.
    """

    entries: Entries
    parties: list[Party]
    vehicles: Vehicles
    fences: list[Fence] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    papers: Mapping[str, Papers] = field(default_factory=dict)
    roads: list[Fence] = field(default_factory=list)
    routes: list[Fence] = field(default_factory=list)
    timetable: Timetable = field(default_factory=Timetable)
    first: Int32 = field(init=False)
    depth: int = field(init=False)

    def __post_init__(self) -> None:
        rows = np.bincount(self.entries.vehicle[:-1], minlength=len(self.vehicles))
        self.first = np.concatenate([[0], np.cumsum(rows)]).astype(np.int32)
        self.depth = int(rows.max(initial=0))

    def entry(self, vehicle: Int32, time_ms: Int64) -> Int32:
        """Registry row that holds for each vehicle at each time, (n,); -1 where none does."""
        last = len(self.first) - 1
        begin = self.first.take(np.minimum(vehicle, last))
        end = self.first.take(np.minimum(vehicle + 1, last))
        found = np.full(len(vehicle), -1, np.int32)
        for step in range(self.depth):
            at = np.where(begin + step < end, begin + step, -1)
            holds = (self.entries.from_ms.take(at) <= time_ms) & (time_ms < self.entries.to_ms.take(at))
            np.copyto(found, at, where=holds, casting="same_kind")
        return found


class _VehicleRow(NamedTuple):
    """A row of ``vehicles.csv``, read."""

    vehicle: Vehicle
    from_ms: int
    to_ms: int
    kind: int
    drivers: int
    exempt: int
    seats: int
    party: Party
    area: frozenset[str]


def read_vehicle(row: Row) -> _VehicleRow:
    """Make sense of a row of ``vehicles.csv``."""
    kind = row.text("class")
    if len(kind) != 1 or kind not in CLASSES:
        row.fail("class", f"one of the letters {' '.join(CLASSES)}")
    vehicle = Vehicle(row.text("plate", required=True), row.whole("plate_color", 2, 0, 255))
    party = Party(kind, row.text("county"), row.text("company"))
    begin, end = row.validity()
    drivers, exempt = row.whole("drivers", 1, 1, 99), row.whole("small_hours_exempt", 0, 0, 1)
    area, seats = listed(row.text("area")), row.whole("seats", 0, 0, 999)
    return _VehicleRow(vehicle, begin, end, CLASSES.index(kind), drivers, exempt, seats, party, area)


def _vehicle_rows(source: Iterable[Row]) -> tuple[Entries, list[Party], Vehicles]:
    vehicles, parties = Vehicles(), dict[Party, int]()
    areas: dict[frozenset[str], int] = {frozenset(): 0}
    rows: list[tuple[int, ...]] = []
    for read in map(read_vehicle, source):
        party = parties.setdefault(read.party, len(parties))
        rows.append((vehicles.row(*read.vehicle), *read[1:7], party, areas.setdefault(read.area, len(areas))))
    rows.sort(key=lambda cells: cells[:2])
    rows.append((-1, 0, 0, NO_CLASS, 0, 0, 0, len(parties), 0))
    table: NDArray[np.int64] = np.array(rows, np.int64)
    entries = Entries(
        table[:, 0].astype(np.int32),
        table[:, 1].copy(),
        table[:, 2].copy(),
        table[:, 3].astype(np.uint8),
        table[:, 4].astype(np.int32),
        table[:, 5].astype(np.bool_),
        table[:, 6].astype(np.int32),
        table[:, 7].astype(np.int32),
        table[:, 8].astype(np.int32),
        tuple(areas),
    )
    return entries, [*parties, NOBODY], vehicles


_PARAMETERS = ("group", "name", "value", "class", "county", "company", "fence", "valid_from", "valid_to", "by", "why")


def read_override(row: Row) -> Override:
    """Make sense of a row of ``parameters.csv``; whether its group knows such a parameter is not asked."""
    classes = row.text("class")
    if set(classes) - set(CLASSES):
        row.fail("class", f"letters of {CLASSES}, or nothing for all")
    begin, end = row.validity()
    group, name, value = (
        row.text("group", required=True),
        row.text("name", required=True),
        row.number("value"),
    )
    return Override(
        group, name, value, classes, row.text("county"), row.text("company"), row.text("fence"), begin, end, row
    )


def check_name(row: Row, field: str) -> None:
    """See that a row of companies or counties names one; they give names to codes, nothing else hangs on them."""
    row.text(field, required=True)
    row.validity()


def holder_of(sort: Sort, row: Row, vehicles: Vehicles) -> int:
    """Whose a paper is: row of the vehicle, code of the staff, or -1 for nobody."""
    if sort.holder == VEHICLE:
        return vehicles.row(row.text("plate", required=True), row.whole("plate_color", 2, 0, 255))
    return driver_code(row.text("staff", required=True)) if sort.holder == STAFF else -1


def _papers(source: "Source", vehicles: Vehicles) -> dict[str, Papers]:
    found = {}
    for name, sort in SORTS.items():
        rows = source.tables.get(name, [])
        holder = [holder_of(sort, row, vehicles) for row in rows]
        for row in rows:
            check_paper(sort, row)
        for _, error in overlaps(sort, rows, holder):
            raise error
        found[name] = Papers(sort, rows, holder)
    return found


TABLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "vehicles": (("plate", "class"), ()),
    "parameters": (("group", "name", "value"), _PARAMETERS),
    "companies": (("company",), ()),
    "counties": (("county",), ()),
    **{name: ((), sort.known) for name, sort in SORTS.items()},
    "stops": (REQUIRED["stops"], STOPS),
    "trips": (REQUIRED["trips"], TRIPS),
    "stop_times": (REQUIRED["stop_times"], STOP_TIMES),
}
"""CSV files of a registry by name: columns that must be there, and all that may be (empty: any)."""

NAMES = {"companies": "company", "counties": "county"}
"""Tables that give names, and the column whose codes they name."""

MAPS = ("fences", "roads", "routes")
"""GeoJSON files of a registry: areas, lines with limits, lines that vehicles are assigned to."""


@dataclass(frozen=True, slots=True)
class Source:
    """A registry as it was written down: rows of its tables, features of its maps.

    Attributes
    ----------
    tables : dict
        Name in `TABLES` to the rows of that CSV file; absent ones are empty.
    maps : dict
        Name in `MAPS` to the features of that GeoJSON file.
    refused : list of RegistryError
        What is wrong with lines that are no row and features that are none.
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    maps: dict[str, list[Feature]] = field(default_factory=dict)
    refused: list[RegistryError] = field(default_factory=list)

    def take_table(self, name: str, path: Path) -> None:
        """Take the rows of a CSV file."""
        self.tables[name] = list(read_table(path, *TABLES[name], self.refused))

    def take_map(self, name: str, path: Path) -> None:
        """Take the features of a GeoJSON file."""
        self.maps[name] = read_features(path, self.refused)

    @property
    def vehicles(self) -> list[Row]:
        """Rows of ``vehicles.csv``."""
        return self.tables.get("vehicles", [])

    def registry(self) -> Registry:
        """Make sense of the rows.

        Raises
        ------
        RegistryError
            What cannot be read, with file, line, field and what was expected.

        Source: rulebook §8; ``docs/formats.md`` §2.
        """
        for error in self.refused:
            raise error
        for name, column in NAMES.items():
            for row in self.tables.get(name, []):
                check_name(row, column)
        entries, parties, vehicles = _vehicle_rows(self.vehicles)
        fences = [feature.fence() for feature in self.maps.get("fences", [])]
        roads, routes = ([feature.way(name) for feature in self.maps.get(name, [])] for name in ("roads", "routes"))
        overrides = list(map(read_override, self.tables.get("parameters", [])))
        papers = _papers(self, vehicles)
        service = timetable(self.tables, papers["duties"], vehicles)
        return Registry(entries, parties, vehicles, fences, overrides, papers, roads, routes, service)


def read_source(folder: Path) -> Source:
    """Read a registry folder: ``vehicles.csv``, and what else of ``docs/formats.md`` §2 there is.

    Raises
    ------
    RegistryError
        A file that cannot be read, or whose columns are not those of ``docs/formats.md`` §2.
    """
    source = Source()
    for name in TABLES:
        path = folder / f"{name}.csv"
        if name == "vehicles" or os.path.lexists(path):
            source.take_table(name, path)
    for name in MAPS:
        path = folder / f"{name}.geojson"
        if os.path.lexists(path):
            source.take_map(name, path)
    return source


def read_registry(folder: Path) -> Registry:
    """Read a registry folder and make sense of it.

    Raises
    ------
    RegistryError
        What cannot be read, with file, line, field and what was expected.
    """
    return read_source(folder).registry()
