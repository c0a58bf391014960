"""Registry: dated vehicles, with the fences and parameters of the same folder (formats.md §2)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from . import values
from .exemptions import Exemption, read_exemptions
from .fences import Fence, Fences, read_fences
from .papers import Papers
from .parameters import Owner, Parameters, Set, Setting, read_parameters
from .road_lines import Road, read_roads
from .routes import Route, read_routes
from .timetable import Timetable

NOBODY = Owner()


@dataclass(slots=True)
class Row:
    """One dated row of `vehicles.csv`."""

    plate: str
    letter: str
    plate_color: int = 2
    company: str = ""
    county: str = ""
    drivers: int = 1
    small_hours_exempt: bool = False
    valid_from: float = -inf
    valid_to: float = inf
    area: str = ""
    owner: Owner = field(init=False)

    def __post_init__(self) -> None:
        if len(self.letter) != 1 or self.letter not in "LCHBTF":
            raise ValueError(f"vehicle {self.plate!r} has class {self.letter!r}")
        self.owner = Owner(self.letter, self.county, self.company)


class Registry:
    """What is known of vehicles and places, at the time of each fix."""

    def __init__(
        self,
        rows: list[Row],
        fences: list[Fence] | None = None,
        settings: list[Setting] | None = None,
        papers: Papers | None = None,
        timetable: Timetable | None = None,
        routes: list[Route] | None = None,
        exemptions: list[Exemption] | None = None,
        roads: list[Road] | None = None,
    ) -> None:
        self.rows: dict[tuple[str, int], list[Row]] = {}
        for row in rows:
            self.rows.setdefault((row.plate, row.plate_color), []).append(row)
        self.fences = Fences(fences or [])
        self.parameters = Parameters(settings or [])
        self.papers = papers or Papers()
        self.timetable = timetable or Timetable()
        self.routes = routes or []
        self.exemptions = exemptions or []
        self.roads = roads or []

    @classmethod
    def read(cls, folder: Path) -> "Registry":
        """ "Only `vehicles.csv` is required"."""
        fences, parameters = folder / "fences.geojson", folder / "parameters.csv"
        return cls(
            read_vehicles(folder / "vehicles.csv"),
            read_fences(fences) if fences.exists() else None,
            read_parameters(parameters) if parameters.exists() else None,
            Papers.read(folder),
            Timetable.read(folder),
            read_routes(folder),
            read_exemptions(folder),
            read_roads(folder),
        )

    def row(self, plate: str, plate_color: int, t: int) -> Row | None:
        """ "the one with the latest `valid_from` counts; of equal ones the later in the file"."""
        best: Row | None = None
        for row in self.rows.get((plate, plate_color), ()):
            if row.valid_from <= t < row.valid_to and (best is None or row.valid_from >= best.valid_from):
                best = row
        return best

    def set(self, group: str, row: Row | None, t: int, fence: str = "") -> Set:
        """The parameter set of a group for a fix at t of a vehicle with this row, where the kind goes by a fence."""
        return self.parameters.at(group, NOBODY if row is None else row.owner, t, fence)

    def exempt(self, kind: str, row: Row, t: int, lon: float, lat: float) -> bool:
        """ "A vehicle that is its `plate`, or whose registry row has its `class`, `county` and `company`"."""
        return any(
            one.kind in (kind, "*")
            and one.valid_from <= t < one.valid_to
            and (not one.plate or (one.plate, one.plate_color) == (row.plate, row.plate_color))
            and (not one.letters or row.letter in one.letters)
            and (not one.county or one.county == row.county)
            and (not one.company or one.company == row.company)
            and (not one.fence or any(f.id == one.fence and f.around(t, lon, lat) for f in self.fences.fences))
            for one in self.exemptions
        )

    def applies(self, kind: str, classes: str, row: Row | None, t: int, lon: float, lat: float) -> bool:
        """Whether a kind applies: "as one of a vehicle of another class" where it is exempt."""
        return row is not None and row.letter in classes and not self.exempt(kind, row, t, lon, lat)

    def road(self, row: Row, t: int, lon: float, lat: float, line: Road | None = None) -> tuple[float, bool]:
        """ "min(class cap, least `limit_kmh`); else the class default ("unmatched")"; a line "only where no fence"."""
        least = self.fences.least_limit("road", row.letter, t, lon, lat)
        if least is None and line is not None:
            least = line.limit_kmh
        limits = self.set("road_limit", row, t)
        if least is None:
            return limits["default_kmh"], False
        return min(limits["cap_kmh"], least), True


def read_vehicles(path: Path) -> list[Row]:
    """`vehicles.csv`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row_of(row) for row in csv.DictReader(file)]


def row_of(row: Mapping[str, str | None]) -> Row:
    """ "`plate_color` 2, `drivers` 1, `small_hours_exempt` 0, text empty"."""

    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    def whole(name: str, default: int) -> int:
        if not cell(name):
            return default
        value = values.whole(cell(name), 2**31)
        if value is None:
            raise ValueError(f"vehicle {cell('plate')!r}: {name} is {cell(name)!r}")
        return value

    begin, end = values.validity(cell("valid_from"), cell("valid_to"))
    return Row(
        plate=cell("plate"),
        letter=cell("class"),
        plate_color=whole("plate_color", 2),
        company=cell("company"),
        county=cell("county"),
        drivers=whole("drivers", 1),
        small_hours_exempt=values.flag(cell("small_hours_exempt")),
        valid_from=begin,
        valid_to=end,
        area=cell("area"),
    )
