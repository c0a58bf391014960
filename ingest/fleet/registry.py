"""The registry folder of a fleet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from ingest.fleet.columns import CLASSES
from ingest.fleet.fences import write_fences
from ingest.fleet.labels import plate
from ingest.fleet.places import TOWNS
from ingest.fleet.roster import EXEMPT, PAIR, Roster

_TRADES = {"L": "客运", "C": "旅游客运", "H": "危货运输", "B": "公交", "T": "出租汽车", "F": "货运"}
_MODULES = {
    "L": "客运班线",
    "C": "旅游包车",
    "H": "危险品货运",
    "B": "公共出行",
    "T": "公共出行",
    "F": "普货重货",
}


def write_registry(folder: Path, roster: Roster) -> None:
    """Write vehicles, companies, counties, drivers and fences, row by row.

    Parameters
    ----------
    folder : Path
        Made if need be.
    roster : Roster
        The fleet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    head = "plate,plate_color,class,company,county,sim,drivers,small_hours_exempt,valid_from,valid_to"
    _write(folder / "vehicles.csv", head, _vehicles(roster))
    _write(folder / "companies.csv", "company,name,module,county,valid_from,valid_to", _companies(roster))
    _write(folder / "counties.csv", "county,name", (f"{town.county},{town.name}" for town in TOWNS))
    _write(folder / "drivers.csv", "driver,company,county,valid_from,valid_to", _drivers(roster))
    write_fences(folder / "fences.geojson")


def _write(path: Path, head: str, rows: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(head + "\n")
        left = iter(rows)
        while part := list(islice(left, 10_000)):
            file.write("\n".join(part) + "\n")


def _company(letter: str, town: int, number: int) -> str:
    return f"{TOWNS[town].county}-{letter}{number:03d}"


def _vehicles(roster: Roster) -> Iterator[str]:
    exempt, pair = roster.has(EXEMPT), roster.has(PAIR)
    for v in range(len(roster)):
        letter, town = CLASSES[roster.cls[v]], int(roster.town[v])
        company = _company(letter, town, int(roster.company[v]))
        yield (
            f"{plate(roster, v)},{roster.color[v]},{letter},{company},{TOWNS[town].county},,"
            f"{1 + int(pair[v])},{int(exempt[v])},2024-01-01,"
        )


def _companies(roster: Roster) -> Iterator[str]:
    keys = (roster.cls.astype(np.int64) * 100 + roster.town) * 100_000 + roster.company
    numbers: dict[str, int] = {}
    for key in np.unique(keys):
        letter, town, number = CLASSES[key // 10_000_000], int(key // 100_000 % 100), int(key % 100_000)
        numbers[letter] = numbers.get(letter, 0) + 1
        name = f"示范{_TRADES[letter]}公司{numbers[letter]:02d}"
        county = TOWNS[town].county
        yield f"{_company(letter, town, number)},{name},{_MODULES[letter]},{county},2020-01-01,"


def _drivers(roster: Roster) -> Iterator[str]:
    n = len(roster)
    for number in np.concatenate([np.arange(n), n + np.flatnonzero(roster.has(PAIR))]):
        v = int(number % n)
        town = int(roster.town[v])
        company = _company(CLASSES[roster.cls[v]], town, int(roster.company[v]))
        yield f"D{number + 1:07d},{company},{TOWNS[town].county},2023-01-01,2029-01-01"
