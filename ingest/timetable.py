"""Timetable: stops, trips and when each is due where, and which vehicle runs which trip on which day.

A *service day* is a Beijing day that a trip belongs to; its clock may pass 24:00. A *call* is one trip at one stop;
a *run* is one trip of one vehicle on one service day.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.moment import BEIJING_MS, DAY_MS, HOUR_MS

CLOCK_MS = 2 * DAY_MS
"""A timetable's clock shows times before this one [ms]."""

AROUND_MS = 2 * HOUR_MS
"""A day's calls are known this much before and after it [ms]."""

KEPT = 8
"""Days whose calls are kept at hand."""

METRES_PER_DEG = 6_371_008.8 * math.pi / 180.0
"""Of latitude, on the sphere of the rulebook."""

UNTIMED = -1
"""A call whose time is not in the timetable."""


def day_of(time_ms: Int64) -> Int64:
    """Number of the Beijing day of each time, (n,); day 0 is 1970-01-01."""
    return (time_ms + BEIJING_MS) // DAY_MS


def start_of(day: int) -> int:
    """When a Beijing day begins [ms of the epoch]."""
    return day * DAY_MS - BEIJING_MS


def code_of(text: str) -> int:
    """Number of an id: 63 bits of a hash, so that it means the same under any registry; never 0."""
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big") >> 1 or 1


class Stop(NamedTuple):
    """A place where vehicles stop: its id, name and place [deg]."""

    id: str
    name: str
    lon: float
    lat: float


class Trip(NamedTuple):
    """A trip of the timetable and the route it belongs to."""

    id: str
    route: str


class Span(NamedTuple):
    """A vehicle runs a trip on service days from ``first`` to before ``last``.

    Those whose weekday is in ``days`` (bit 0 Monday) or that are in ``also``, unless they are in ``without``.
    """

    vehicle: int
    trip: int
    first: int
    last: int
    days: int
    also: frozenset[int]
    without: frozenset[int]

    def on(self, day: int) -> bool:
        """Whether it does so on this service day."""
        chosen = bool(self.days >> weekday(day) & 1) or day in self.also
        return self.first <= day < self.last and chosen and day not in self.without


def weekday(day: int) -> int:
    """0 for Monday to 6 for Sunday."""
    return (day + 3) % 7


@dataclass(frozen=True, slots=True)
class Calls:
    """What is due at the stops, by trip and order, shape (c,).

    Attributes
    ----------
    first : int32, (trips + 1,)
        Where each trip's calls begin.
    stop : int32
        Index into the stops.
    arrives_ms, departs_ms : int64
        On the clock of the service day [ms]; of an untimed one what lies evenly between its neighbours.
    timed : bool
        Whether the timetable has a time for it.
    request : bool
        Served on request only, or not at all.
    """

    first: Int32
    stop: Int32
    arrives_ms: Int64
    departs_ms: Int64
    timed: Bool
    request: Bool


@dataclass(frozen=True, slots=True)
class Due:
    """Calls of vehicles around one Beijing day, by vehicle, then ``departs_ms``, then run; shape (d,).

    Attributes
    ----------
    row : int32
        Row of the vehicle among ``Timetable.vehicles``.
    arrives_ms, departs_ms : int64
        [ms of the epoch].
    call : int32
        Index into `Timetable.calls`.
    trip : int32
    day : int64
        The service day.
    key : int64
        `row` and ``departs_ms`` in one number, in order: see `between`.
    """

    row: Int32
    arrives_ms: Int64
    departs_ms: Int64
    call: Int32
    trip: Int32
    day: Int64
    key: Int64

    def between(self, row: Int32, from_ms: Int64, to_ms: Int64) -> tuple[Int64, Int64]:
        """Calls of these vehicles that depart from a time on, up to another: begin and end of each range, (n,)."""
        begin = np.searchsorted(self.key, _key(row, from_ms), side="left")
        return begin, np.searchsorted(self.key, _key(row, to_ms), side="right")


def _key(row: Int32, time_ms: Int64) -> Int64:
    return (row.astype(np.int64) << 42) + np.clip(time_ms, 0, (1 << 42) - 1)


@dataclass(slots=True)
class Timetable:
    """Stops, trips and calls as columns, and who runs them.

    Attributes
    ----------
    stops : sequence of Stop
    trips : sequence of Trip
    calls : Calls
    spans : sequence of Span
    lon, lat : float64, (stops,)
        [deg].
    east, north : float64, (c,)
        Where the trip goes at each call: from the stop before to the one behind it, planar [m].
    inner : bool, (c,)
        Calls between a trip's first and its last that are not on request.
    stop_codes, trip_codes : int64, (stops,), (trips,)
        `code_of` their ids.
    stop_of, trip_of : mapping
        Code to the stop, code to the trip.
    vehicles : int32, (v,)
        Rows of the registry's vehicles that run any trip, in order.
    """

    stops: Sequence[Stop] = ()
    trips: Sequence[Trip] = ()
    calls: Calls = field(default_factory=lambda: columns([]))
    spans: Sequence[Span] = ()
    lon: Float64 = field(init=False)
    lat: Float64 = field(init=False)
    east: Float64 = field(init=False)
    north: Float64 = field(init=False)
    inner: Bool = field(init=False)
    stop_codes: Int64 = field(init=False)
    trip_codes: Int64 = field(init=False)
    stop_of: Mapping[int, Stop] = field(init=False)
    trip_of: Mapping[int, Trip] = field(init=False)
    vehicles: Int32 = field(init=False)
    _span: NDArray[np.int64] = field(init=False)
    _also: dict[int, list[int]] = field(init=False)
    _without: dict[int, list[int]] = field(init=False)
    _due: dict[int, Due] = field(default_factory=dict)
    _served: dict[int, tuple[Int64, Int64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lon = np.array([stop.lon for stop in self.stops], np.float64)
        self.lat = np.array([stop.lat for stop in self.stops], np.float64)
        stop, first = self.calls.stop, self.calls.first
        before, behind = (np.arange(len(stop)) + step for step in (-1, 1))
        before[first[:-1]] = first[:-1]
        behind[first[1:] - 1] = first[1:] - 1
        lon, lat = self.lon[stop], self.lat[stop]
        self.east = (lon[behind] - lon[before]) * np.cos(np.radians(lat)) * METRES_PER_DEG
        self.north = (lat[behind] - lat[before]) * METRES_PER_DEG
        self.inner = ~self.calls.request
        self.inner[first[:-1]] = False
        self.inner[first[1:] - 1] = False
        self.stop_codes, self.trip_codes = (
            np.array([code_of(one.id) for one in some], np.int64) for some in (self.stops, self.trips)
        )
        self.stop_of = dict(zip(self.stop_codes.tolist(), self.stops, strict=True))
        self.trip_of = dict(zip(self.trip_codes.tolist(), self.trips, strict=True))
        rows = [(span.vehicle, span.trip, span.first, span.last, span.days) for span in self.spans]
        self._span = np.array(rows, np.int64).reshape(-1, 5)
        self.vehicles = np.unique(self._span[:, 0]).astype(np.int32)
        self._also, self._without = _by_day(span.also for span in self.spans), _by_day(s.without for s in self.spans)

    def rows(self, vehicle: Int32) -> Int32:
        """Row among `vehicles` of each vehicle, (n,); -1 for one that runs no trip."""
        if not len(self.vehicles):
            return np.full(len(vehicle), -1, np.int32)
        row = np.minimum(np.searchsorted(self.vehicles, vehicle), len(self.vehicles) - 1)
        return np.where(self.vehicles[row] == vehicle, row, -1).astype(np.int32)

    def runs(self, day: int) -> tuple[Int32, Int32]:
        """Runs of a service day: row among `vehicles` and trip of each, by vehicle, then departure; (r,)."""
        vehicle, trip, first, last, days = self._span.T
        holds = (days >> weekday(day) & 1) == 1
        holds[self._also.get(day, [])] = True
        holds &= (first <= day) & (day < last)
        holds[self._without.get(day, [])] = False
        trip = trip[holds].astype(np.int32)
        row = np.searchsorted(self.vehicles, vehicle[holds]).astype(np.int32)
        order = np.lexsort((trip, self.calls.departs_ms[self.calls.first[trip]], row))
        return row[order], trip[order]

    def served(self, day: int) -> tuple[Int64, Int64]:
        """First departure and last arrival of each vehicle on a service day, (v,) [ms of the epoch].

        Where it has no trip the first lies behind the last.
        """
        if day not in self._served:
            begin = np.full(len(self.vehicles), np.iinfo(np.int64).max // 2)
            end = -begin
            row, trip = self.runs(day)
            calls, start = self.calls, start_of(day)
            np.minimum.at(begin, row, calls.departs_ms[calls.first[trip]] + start)
            np.maximum.at(end, row, calls.arrives_ms[calls.first[trip + 1] - 1] + start)
            _make_room(self._served)
            self._served[day] = begin, end
        return self._served[day]

    def due(self, day: int) -> Due:
        """Calls that depart on a Beijing day, or up to `AROUND_MS` before or after it, of whatever service day."""
        if day not in self._due:
            parts = [self._called(service) for service in range(day - 2, day + 2)]
            row, trip, call, service = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            start = service * DAY_MS - BEIJING_MS
            arrives, departs = self.calls.arrives_ms[call] + start, self.calls.departs_ms[call] + start
            near = (departs >= start_of(day) - AROUND_MS) & (departs <= start_of(day + 1) + AROUND_MS)
            order = np.flatnonzero(near)
            order = order[np.lexsort((call[order], service[order], departs[order], row[order]))]
            _make_room(self._due)
            self._due[day] = Due(
                row[order],
                arrives[order],
                departs[order],
                call[order],
                trip[order],
                service[order],
                _key(row[order], departs[order]),
            )
        return self._due[day]

    def _called(self, service: int) -> tuple[Int32, Int32, Int32, Int64]:
        """All calls of a service day: vehicle's row, trip, call, and the day."""
        row, trip = self.runs(service)
        begin, size = self.calls.first[trip], np.diff(self.calls.first)[trip]
        behind = np.cumsum(size)
        call = np.arange(behind[-1] if len(behind) else 0) + np.repeat(begin - behind + size, size)
        return (
            np.repeat(row, size),
            np.repeat(trip, size),
            call.astype(np.int32),
            np.full(len(call), service, np.int64),
        )


def _by_day(dates: Iterable[frozenset[int]]) -> dict[int, list[int]]:
    """Day to the places of those that hold it."""
    found: dict[int, list[int]] = {}
    for at, days in enumerate(dates):
        for day in days:
            found.setdefault(day, []).append(at)
    return found


def _make_room(kept: dict[int, object] | dict[int, Due] | dict[int, tuple[Int64, Int64]]) -> None:
    """Forget the day that came first, where there are many."""
    if len(kept) >= KEPT:
        del kept[next(iter(kept))]


Call = tuple[int, int, int, bool]
"""Stop, arrival and departure on the clock [ms] (`UNTIMED`), and whether it is served on request only."""


def columns(trips: Sequence[Sequence[Call]]) -> Calls:
    """Calls of trips in their order as columns; each trip has times at its first and last stop."""
    first = np.concatenate([[0], np.cumsum([len(calls) for calls in trips])]).astype(np.int32)
    table = np.array([call for calls in trips for call in calls], np.int64).reshape(-1, 4)
    stop, arrives, departs, request = table.T
    timed = arrives != UNTIMED
    at, known = np.arange(len(table)), np.flatnonzero(timed)
    if len(known) < len(at):
        behind = known[np.searchsorted(known, at)]
        before = known[np.searchsorted(known, at, side="right") - 1]
        width = np.where(timed, 1, behind - before)
        between = departs[before] + (arrives[behind] - departs[before]) * (at - before) // width
        arrives, departs = np.where(timed, arrives, between), np.where(timed, departs, between)
    flags: Int8 = request.astype(np.uint8)
    return Calls(
        first,
        stop.astype(np.int32),
        np.ascontiguousarray(arrives),
        np.ascontiguousarray(departs),
        timed,
        flags.astype(np.bool_),
    )
