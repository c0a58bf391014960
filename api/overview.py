"""Overview: vehicles, violations of the day and cases, counted by module and county."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from api.live import Live
from ingest.moment import BEIJING
from ledger import casework
from ledger.directory import MODULE_OF, MODULES
from ledger.principal import Principal, Role
from ledger.shown import Shown

DAY_MS = 86_400_000


@dataclass(slots=True)
class Tallies:
    """What is counted, of one module or county or of all."""

    vehicles: int = 0
    online: int = 0
    severity: Counter[int] = field(default_factory=Counter)
    open: int = 0
    overdue: int = 0

    def told(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "vehicles": self.vehicles,
            "online": self.online,
            "severity": {str(one): self.severity[one] for one in (1, 2, 3, 4)},
            "open": self.open,
            "overdue": self.overdue,
        }


class Board:
    """Counts of everything, of each module, and of each county in each module."""

    def __init__(self) -> None:
        self.all = Tallies()
        self._cells: dict[tuple[str, str], Tallies] = {}

    def cells(self, module: str | None, county: str, *, parked: bool = False) -> Iterator[Tallies]:
        """Where something of a module and a county counts."""
        for one in (module, "S" if parked else None):
            if one is not None:
                yield self._cells.setdefault((one, ""), Tallies())
                if county:
                    yield self._cells.setdefault((one, county), Tallies())

    def cell(self, module: str, county: str = "") -> Tallies:
        """Counts of a module, or of a county in it."""
        return self._cells.get((module, county)) or Tallies()


def summary(connection: psycopg.Connection, principal: Principal, live: Live) -> dict[str, Any]:
    """What stands, as the API tells it."""
    now_ms = time.time_ns() // 1_000_000
    today = datetime.fromtimestamp(now_ms / 1000, BEIJING)
    midnight_ms = int(today.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    directory, shown, classes = live.directory, Shown(connection, principal), live.classes()
    stations, board = directory.stations(), Board()
    _count_vehicles(board, live.standing(principal))
    for row in shown.counts(midnight_ms, midnight_ms + DAY_MS, stations):
        module, county, severity = MODULE_OF.get(classes.get(row["vehicle_id"], "")), row["of_county"], row["severity"]
        board.all.severity[severity] += row["violations"]
        for cell in board.cells(module, county):
            cell.severity[severity] += row["violations"]
        for cell in board.cells(None, county, parked=True):
            cell.severity[severity] += row["at_station"]
    for row in shown.cases(stations):
        module, county = MODULE_OF.get(classes.get(row["vehicle_id"], "")), row["of_county"]
        for cell in (board.all, *board.cells(module, county)):
            cell.open += row["cases"]
            cell.overdue += row["overdue"]
        for cell in board.cells(None, county, parked=True):
            cell.open += row["at_station"]
            cell.overdue += row["overdue_at_station"]
    counties = [principal.tenant] if principal.role is Role.COUNTY else list(directory.counties)
    age_s = live.age_s
    return {
        "day": today.date(),
        "now_ms": now_ms,
        "stale": live.is_stale(age_s),
        "feed_age_s": age_s,
        **board.all.told(),
        "states": {str(state): count.cases for state, count in casework.counts(connection, principal).items()},
        "modules": [_module(board, module, counties, directory.county_name) for module in MODULES],
    }


def _count_vehicles(board: Board, standing: Iterable[tuple[str, str, bool, bool]]) -> None:
    for letter, county, is_online, is_parked in standing:
        board.all.vehicles += 1
        board.all.online += is_online
        for cell in board.cells(MODULE_OF.get(letter), county):
            cell.vehicles += 1
            cell.online += is_online
        if is_parked:
            for cell in board.cells(None, county, parked=True):
                cell.vehicles += 1
                cell.online += is_online


def _module(board: Board, module: str, counties: Iterable[str], name: Any) -> dict[str, Any]:
    zh, en, _ = MODULES[module]
    return {
        "module": module,
        "zh": zh,
        "en": en,
        **board.cell(module).told(),
        "counties": [
            {"county": county, "name": name(county), **board.cell(module, county).told()} for county in counties
        ],
    }
