"""Timetable: stops, trips, stop times and duties (formats.md §2), row by row."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, inf, pi, radians
from pathlib import Path

from . import values
from .metric import DAY, EARTH_M, ZONE

METRES = EARTH_M * pi / 180
"""M, "a degree"."""

Holder = tuple[str, int]


@dataclass(slots=True)
class Stop:
    """One row of `stops.csv`."""

    id: str
    name: str
    lon: float
    lat: float
    request: bool

    def plane(self, lon: float, lat: float) -> tuple[float, float]:
        """ "east = (lon - lon_stop) * cos(lat_stop) * M and north = (lat - lat_stop) * M"."""
        return (lon - self.lon) * cos(radians(self.lat)) * METRES, (lat - self.lat) * METRES


@dataclass(slots=True)
class Call:
    """One row of `stop_times.csv`, on the clock of the service day; `place` is its place in the trip."""

    stop: Stop
    arrives: int | None
    departs: int | None
    request: bool
    timed: bool = True
    place: int = 0
    last: bool = False
    east: float = 0.0
    north: float = 0.0


@dataclass(slots=True)
class Run:
    """One row of `trips.csv`: on which days, and from when until when."""

    plate: Holder | None
    block: str
    days: str
    also: frozenset[int]
    without: frozenset[int]
    begin: float
    end: float

    def on(self, day: int, departs: int) -> bool:
        """Whether it is to be run on this service day, a Beijing day's 00:00."""
        chosen = not self.days or str(((day + ZONE) // DAY + 3) % 7 + 1) in self.days or day in self.also
        return chosen and day not in self.without and self.begin <= moment_of(day, departs) < self.end


@dataclass(slots=True)
class Trip:
    """All rows of one trip; `order` is where the first of them stands."""

    id: str
    route: str
    order: int
    calls: list[Call]
    runs: list[Run] = field(default_factory=list)


@dataclass(slots=True)
class Due:
    """A call of a vehicle on a service day, in ms of the epoch."""

    trip: Trip
    call: Call
    day: int
    arrives: int
    departs: int

    @property
    def tie(self) -> tuple[int, int, int, int]:
        """ "Departs first, then the earlier service day, then the earlier call in the timetable's order of trips"."""
        return self.departs, self.day, self.trip.order, self.call.place


def moment_of(day: int, departs: int) -> int:
    """When a trip departs; "after midnight [it] is judged by the last moment of its service day"."""
    return day + min(departs, DAY - 1)


class Timetable:
    """Trips in their order, and who runs them when."""

    def __init__(self, trips: list[Trip] | None = None, duties: list[tuple[Holder, str, float, float]] | None = None):
        self.trips, self.duties = trips or [], duties or []
        self.known: dict[tuple[Holder, int], list[Trip]] = {}
        self.calls: dict[tuple[Holder, int], list[Due]] = {}

    @classmethod
    def read(cls, folder: Path) -> "Timetable":
        """ "What is not there is empty"."""
        stops = {row["stop"]: stop_of(row) for row in rows_of(folder / "stops.csv")}
        calls: dict[str, list[tuple[int, Call]]] = {}
        for row in rows_of(folder / "stop_times.csv"):
            calls.setdefault(row["trip"], []).append((int(row["order"]), call_of(row, stops[row["stop"]])))
        trips: dict[str, Trip] = {}
        for row in rows_of(folder / "trips.csv"):
            name = row["trip"]
            if name not in trips:
                told = [call for _, call in sorted(calls[name], key=lambda one: one[0])]
                trips[name] = Trip(name, row.get("route", ""), len(trips), finished(told))
            trips[name].runs.append(run_of(row))
        duties = [
            (holder_of(row), row["block"], *values.validity(row.get("valid_from", ""), row.get("valid_to", "")))
            for row in rows_of(folder / "duties.csv")
        ]
        return cls(list(trips.values()), duties)

    def runs(self, holder: Holder, day: int) -> list[Trip]:
        """The trips of a vehicle on a service day, in the timetable's order."""
        key = holder, day
        if key not in self.known:
            self.known[key] = [trip for trip in self.trips if any(self.serves(holder, trip, day))]
        return self.known[key]

    def holders(self) -> set[Holder]:
        """All vehicles that run any trip on any day."""
        return {who for who, *_ in self.duties} | {run.plate for trip in self.trips for run in trip.runs if run.plate}

    def serves(self, holder: Holder, trip: Trip, day: int) -> Iterator[bool]:
        """Whether each row of the trip is this vehicle's on this day."""
        departs = trip.calls[0].departs or 0
        for run in trip.runs:
            if not run.on(day, departs):
                continue
            yield run.plate == holder or (
                run.plate is None
                and any(
                    who == holder and block == run.block and begin <= moment_of(day, departs) < end
                    for who, block, begin, end in self.duties
                )
            )

    def served(self, holder: Holder, day: int) -> tuple[float, float]:
        """ "The earliest departure from a first stop and the latest arrival at a last stop of its trips"."""
        begin, end = inf, -inf
        for due in self.of_day(holder, day):
            begin = min(begin, due.departs) if due.call.place == 0 else begin
            end = max(end, due.arrives) if due.call.last else end
        return begin, end

    def of_day(self, holder: Holder, day: int) -> list[Due]:
        """All calls of a vehicle on a service day."""
        key = holder, day
        if key not in self.calls:
            self.calls[key] = [
                Due(trip, call, day, day + (call.arrives or 0), day + (call.departs or 0))
                for trip in self.runs(holder, day)
                for call in trip.calls
            ]
        return self.calls[key]

    def due(self, holder: Holder, begin: float, end: float) -> list[Due]:
        """Calls of a vehicle, of any service day, that depart in [begin, end]."""
        if not self.trips:
            return []
        first = (int(begin) + ZONE) // DAY * DAY - ZONE
        found: list[Due] = []
        for day in range(first - 2 * DAY, int(end) + DAY, DAY):
            found += [due for due in self.of_day(holder, day) if begin <= due.departs <= end]
        return found


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table, stripped; none where there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{name: (text or "").strip() for name, text in row.items()} for row in csv.DictReader(file)]


def holder_of(row: dict[str, str]) -> Holder:
    """ "`plate_color` defaults to 2 everywhere"."""
    color = values.whole(row.get("plate_color", ""), 255)
    return row["plate"], 2 if color is None else color


def stop_of(row: dict[str, str]) -> Stop:
    """ "`request` 1: halted at on request only"."""
    return Stop(
        row["stop"], row.get("name") or row["stop"], float(row["lon"]), float(row["lat"]), row.get("request") == "1"
    )


def call_of(row: dict[str, str], stop: Stop) -> Call:
    """Where one of the two times is empty it is the other; where both are, the call has none."""
    arrives, departs = clock(row.get("arrives", "")), clock(row.get("departs", ""))
    arrives, departs = departs if arrives is None else arrives, arrives if departs is None else departs
    return Call(stop, arrives, departs, stop.request or row.get("request") == "1")


def clock(text: str) -> int | None:
    """ "clocks may pass 24:00"."""
    if not text:
        return None
    hours, minutes, seconds = (*map(int, text.split(":")), 0)[:3]
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def finished(calls: list[Call]) -> list[Call]:
    """Calls in order, with places, directions, and times for those that have none."""
    for place, call in enumerate(calls):
        call.place, call.last, call.timed = place, place == len(calls) - 1, call.departs is not None
        before, behind = calls[max(0, place - 1)].stop, calls[min(len(calls) - 1, place + 1)].stop
        east, north = call.stop.plane(behind.lon, behind.lat)
        west, south = call.stop.plane(before.lon, before.lat)
        call.east, call.north = east - west, north - south
    for call in calls:
        if call.timed:
            continue
        before_ = max(other.place for other in calls[: call.place] if other.timed)
        behind_ = min(other.place for other in calls[call.place :] if other.timed)
        since, until = calls[before_].departs or 0, calls[behind_].arrives or 0
        call.departs = since + (until - since) * (call.place - before_) // (behind_ - before_)
        call.arrives = call.departs
    return calls


def run_of(row: dict[str, str]) -> Run:
    """Who, and on which days."""
    begin, end = values.validity(row.get("valid_from", ""), row.get("valid_to", ""))
    also, without = (
        frozenset(int(values.validity(date, "")[0]) for date in row.get(name, "").split())
        for name in ("also", "except")
    )
    plate = holder_of(row) if row.get("plate") else None
    return Run(plate, row.get("block", ""), row.get("days", ""), also, without, begin, end)
