"""The registry folder of a fleet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import numpy as np

from ingest.fleet.columns import CLASSES
from ingest.fleet.fences import write_fences
from ingest.fleet.labels import plate
from ingest.fleet.papers import Papers, company_code, routes_json
from ingest.fleet.places import TOWNS
from ingest.fleet.roster import EXEMPT, PAIR, Roster
from ingest.fleet.run import Run
from ingest.fleet.service import Service
from ingest.fleet.shifts import SHIFTS

_SEATS = {"L": 45, "C": 45, "H": 3, "B": 60, "T": 5, "F": 3}
_TRADES = {"L": "客运", "C": "旅游客运", "H": "危货运输", "B": "公交", "T": "出租汽车", "F": "货运"}
_MODULES = {
    "L": "客运班线",
    "C": "旅游包车",
    "H": "危险品货运",
    "B": "公共出行",
    "T": "公共出行",
    "F": "普货重货",
}

_RECORDED_S, _EARLY_S = 300, 7080
"""A coach is recorded so long before it leaves a station: as a rule, and just in time [s]."""


def write_registry(folder: Path, run: Run, ahead_days: int = 0) -> None:
    """Write who there is, where what holds, all papers and the timetable, row by row.

    Parameters
    ----------
    folder : Path
        Made if need be.
    run : Run
        The fleet, before it drives.
    ahead_days : int
        Papers are in order so much longer than the run [d].
    """
    folder.mkdir(parents=True, exist_ok=True)
    roster = run.roster
    first = date(1970, 1, 1) + timedelta(days=run.first_day + run.days[0])
    papers = Papers(roster, run.tracks, run.who, first, len(run.days) + ahead_days)
    head = "plate,plate_color,class,company,county,area,sim,drivers,small_hours_exempt,seats,valid_from,valid_to"
    _write(folder / "vehicles.csv", head, _vehicles(run, papers))
    for name, (columns, rows) in papers.tables().items():
        _write(folder / f"{name}.csv", columns, rows)
    _write(folder / "exits.csv", "plate,plate_color,station,valid_from,valid_to", _exits(run, ahead_days))
    service = Service(roster, run.tracks, run.who, run.timed())
    _write(folder / "stops.csv", "stop,name,lon,lat,request", service.stops())
    _write(folder / "trips.csv", "trip,route,plate,plate_color", service.trips())
    _write(folder / "stop_times.csv", "trip,order,stop,arrives,departs", service.stop_times())
    lines = ",\n".join(routes_json())
    text = f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
    (folder / "routes.geojson").write_text(text, encoding="utf-8")
    _write(folder / "companies.csv", "company,name,module,county,valid_from,valid_to", _companies(roster))
    _write(folder / "counties.csv", "county,name", (f"{town.county},{town.name}" for town in TOWNS))
    _write(folder / "drivers.csv", "driver,company,county,valid_from,valid_to", _drivers(roster))
    write_fences(folder / "fences.geojson", run.stands.fences)


def _write(path: Path, head: str, rows: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(head + "\n")
        left = iter(rows)
        while part := list(islice(left, 10_000)):
            file.write("\n".join(part) + "\n")


def _exits(run: Run, ahead_days: int) -> Iterator[str]:
    """Records of leaving a station, minutes before; for days ahead those of the run again and again."""
    roster = run.roster
    wrong = np.asarray([shift.paper for shift in SHIFTS])[roster.shift]
    for vehicle, town, begin in run.departures(range(run.days[0] - 1, run.days[-1] + 1)):
        kept = np.flatnonzero(wrong[vehicle] != "exit")
        before = np.where(wrong[vehicle] == "recorded", _EARLY_S, _RECORDED_S)
        moments = run.zero_ms + (begin - before) * 1000
        for shift in range(0, ahead_days + 1, len(run.days)):
            for v, where, at in zip(vehicle[kept].tolist(), town[kept].tolist(), moments[kept].tolist(), strict=True):
                moment = at + shift * 86_400_000
                yield f"{plate(roster, v)},{roster.color[v]},station-{TOWNS[where].county},{moment},"


def _vehicles(run: Run, papers: Papers) -> Iterator[str]:
    roster = run.roster
    exempt, pair = roster.has(EXEMPT), roster.has(PAIR)
    for v in run.who.tolist():
        letter, town = CLASSES[roster.cls[v]], int(roster.town[v])
        yield (
            f"{plate(roster, v)},{roster.color[v]},{letter},{papers.company(v)},{TOWNS[town].county},{papers.area(v)},,"
            f"{1 + int(pair[v])},{int(exempt[v])},{_SEATS[letter]},2024-01-01,"
        )


def _companies(roster: Roster) -> Iterator[str]:
    keys = (roster.cls.astype(np.int64) * 100 + roster.town) * 100_000 + roster.company
    numbers: dict[str, int] = {}
    for key in np.unique(keys):
        letter, town, number = CLASSES[key // 10_000_000], int(key // 100_000 % 100), int(key % 100_000)
        numbers[letter] = numbers.get(letter, 0) + 1
        name = f"示范{_TRADES[letter]}公司{numbers[letter]:02d}"
        county = TOWNS[town].county
        yield f"{company_code(letter, town, number)},{name},{_MODULES[letter]},{county},2020-01-01,"


def _drivers(roster: Roster) -> Iterator[str]:
    n = len(roster)
    for number in np.concatenate([np.arange(n), n + np.flatnonzero(roster.has(PAIR))]):
        v = int(number % n)
        town = int(roster.town[v])
        company = company_code(CLASSES[roster.cls[v]], town, int(roster.company[v]))
        yield f"D{number + 1:07d},{company},{TOWNS[town].county},2023-01-01,2029-01-01"
