"""Trips: the rows of a timetable's tables, made sense of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from ingest.moment import ALWAYS_FROM_MS, ALWAYS_TO_MS, BEIJING_MS, DAY_MS, from_ms
from ingest.papers import Papers
from ingest.table import RegistryError, Row
from ingest.timetable import CLOCK_MS, UNTIMED, Call, Span, Stop, Timetable, Trip, columns

STOPS = ("stop", "name", "lon", "lat", "request", "datum")
TRIPS = ("trip", "route", "block", "plate", "plate_color", "days", "also", "except", "valid_from", "valid_to")
STOP_TIMES = ("trip", "order", "stop", "arrives", "departs", "request")
"""Columns of ``stops.csv``, ``trips.csv`` and ``stop_times.csv``."""

REQUIRED = {"stops": ("stop", "lon", "lat"), "trips": ("trip",), "stop_times": ("trip", "order", "stop", "arrives")}
"""Columns that must be there."""

_ALL_DAYS = 0b111_1111


class Vehicles(Protocol):
    """Who knows vehicles by plate."""

    def row(self, plate: str, color: int) -> int:
        """Row of a vehicle."""


def clock_ms(text: str) -> int | None:
    """Read a timetable's time, H:MM or H:MM:SS with hours up to 47, as [ms]; None where it is none."""
    parts = text.strip().split(":")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        return None
    hours, minutes, seconds = (*map(int, parts), 0)[:3]
    found = ((hours * 60 + minutes) * 60 + seconds) * 1000
    return found if minutes < 60 and seconds < 60 and found < CLOCK_MS else None


def _clock(row: Row, field: str) -> int:
    text = row.text(field)
    if not text:
        return UNTIMED
    found = clock_ms(text)
    if found is None:
        row.fail(field, "a time like 07:30 or 25:10:00, before 48:00")
    return found


Refuse = Callable[[Row, RegistryError], None]
"""What becomes of a row that is at fault: it is left out, if this returns."""


def _each(rows: Iterable[Row], take: Callable[[Row], None], refuse: Refuse) -> None:
    for row in rows:
        try:
            take(row)
        except RegistryError as error:
            refuse(row, error)


def _stops(rows: Iterable[Row], refuse: Refuse) -> tuple[list[Stop], dict[str, int], list[bool]]:
    stops, known, request = list[Stop](), dict[str, int](), list[bool]()

    def take(row: Row) -> None:
        name, lon, lat = row.text("stop", required=True), row.number("lon"), row.number("lat")
        if name in known:
            row.fail("stop", "each stop once")
        if not -180 <= lon <= 180:
            row.fail("lon", "a longitude from -180 to 180")
        if not -90 <= lat <= 90:
            row.fail("lat", "a latitude from -90 to 90")
        asked = bool(row.whole("request", 0, 0, 1))
        known[name] = len(stops)
        stops.append(Stop(name, row.text("name"), lon, lat))
        request.append(asked)

    _each(rows, take, refuse)
    return stops, known, request


def _calls(
    rows: Iterable[Row], stops: Mapping[str, int], request: Sequence[bool], refuse: Refuse
) -> dict[str, list[Call]]:
    """Calls of each trip, in order."""
    table: dict[str, list[tuple[int, Row, Call]]] = {}

    def take(row: Row) -> None:
        trip, name = row.text("trip", required=True), row.text("stop", required=True)
        row.text("order", required=True)
        order = row.whole("order", 0, 0, 999_999_999)
        if name not in stops:
            row.fail("stop", "a stop of stops.csv")
        arrives, departs = _clock(row, "arrives"), _clock(row, "departs")
        arrives, departs = (departs if arrives == UNTIMED else arrives), (arrives if departs == UNTIMED else departs)
        if departs < arrives:
            row.fail("departs", f"a time not before it arrives ({row.text('arrives')})")
        asked = bool(row.whole("request", 0, 0, 1)) or request[stops[name]]
        table.setdefault(trip, []).append((order, row, (stops[name], arrives, departs, asked)))

    _each(rows, take, refuse)
    ordered = {trip: _in_order(calls, refuse) for trip, calls in table.items()}
    return {trip: calls for trip, calls in ordered.items() if calls}


def _in_order(calls: list[tuple[int, Row, Call]], refuse: Refuse) -> list[Call]:
    """Calls of one trip, two or more, the first and the last of them timed; none, where that is not to be had."""
    calls.sort(key=lambda call: (call[0], call[1].line))
    kept, last = list[tuple[Row, Call]](), list[tuple[int, Row]]()
    left_ms, left = UNTIMED, calls[0][1]
    for order, row, call in calls:
        try:
            if last and order == last[-1][0]:
                row.fail("order", f"each order once in a trip; that of line {last[-1][1].line} is the same")
            if UNTIMED < call[1] < left_ms:
                row.fail("arrives", f"a time not before the trip leaves the stop of line {left.line}")
        except RegistryError as error:
            refuse(row, error)
            continue
        kept.append((row, call))
        last.append((order, row))
        if call[1] != UNTIMED:
            left_ms, left = call[2], row
    for end in (0, -1):
        while kept and kept[end][1][1] == UNTIMED:
            _fail(kept.pop(end)[0], "arrives", "a time: the first and the last stop of a trip need one", refuse)
    if len(kept) > 1:
        return [call for _, call in kept]
    for row, _ in kept:
        _fail(row, "trip", "a trip of two stops or more", refuse)
    return []


def _fail(row: Row, field: str, expected: str, refuse: Refuse) -> None:
    try:
        row.fail(field, expected)
    except RegistryError as error:
        refuse(row, error)


def day_number(text: str) -> int | None:
    """Number of a date like 2026-03-31 or 20260331; None where it is none."""
    begin = from_ms(text)
    return (begin + BEIJING_MS) // DAY_MS if text and begin is not None and len(text) in (8, 10) else None


def _days(row: Row) -> int:
    text = row.text("days")
    if set(text) - set("1234567") and text != "0":
        row.fail("days", "digits of weekdays, 1 Monday to 7 Sunday; 0 for none, nothing for all")
    return sum(1 << int(digit) - 1 for digit in set(text) - {"0"}) if text else _ALL_DAYS


def _dates(row: Row, field: str) -> frozenset[int]:
    days = [day_number(text) for text in row.text(field).split()]
    if None in days:
        row.fail(field, "dates with a blank between")
    return frozenset(day for day in days if day is not None)


def _service_days(begin_ms: int, end_ms: int, departs_ms: int) -> tuple[int, int]:
    """Service days, from one to before another, on which a validity holds when the trip departs.

    A trip that departs after midnight is judged by the last moment of its service day.
    """
    moment = min(departs_ms, DAY_MS - 1)
    return tuple(-((moment - BEIJING_MS - edge) // DAY_MS) for edge in (begin_ms, end_ms))  # type: ignore[return-value]


Duty = tuple[int, int, int, Row]
"""Vehicle, and from when until when it runs a block."""


def _spans(
    rows: Sequence[Row],
    duties: Mapping[str, list[Duty]],
    calls: Mapping[str, list[Call]],
    vehicles: Vehicles,
    refuse: Refuse,
) -> tuple[list[Trip], list[Span]]:
    trips, known, spans = list[Trip](), dict[str, int](), list[tuple[Span, Row]]()

    def take(row: Row) -> None:
        name, route = row.text("trip", required=True), row.text("route")
        if name not in calls:
            row.fail("trip", "a trip of stop_times.csv")
        if name in known and trips[known[name]].route != route:
            row.fail("route", f"one route for all rows of a trip ({trips[known[name]].route})")
        plate, color = row.text("plate"), row.whole("plate_color", 2, 0, 255)
        begin, end = row.validity()
        days, also, without = _days(row), _dates(row, "also"), _dates(row, "except")
        if name not in known:
            known[name] = len(trips)
            trips.append(Trip(name, route))
        runs = [(vehicles.row(plate, color), ALWAYS_FROM_MS, ALWAYS_TO_MS)] if plate else []
        runs += [] if plate else [duty[:3] for duty in duties.get(row.text("block"), [])]
        for vehicle, since, until in runs:
            first, last = _service_days(max(begin, since), min(end, until), calls[name][0][2])
            if first < last:
                spans.append((Span(vehicle, known[name], first, last, days, also, without), row))

    _each(rows, take, refuse)
    _check_alone(spans, refuse)
    return trips, [span for span, _ in spans]


def _check_alone(spans: Iterable[tuple[Span, Row]], refuse: Refuse) -> None:
    """See that no trip is run twice on a day; what is refused is no reason to refuse others."""
    by_trip: dict[int, list[tuple[Span, Row]]] = {}
    for span, row in spans:
        by_trip.setdefault(span.trip, []).append((span, row))
    for same in by_trip.values():
        same.sort(key=lambda span: span[0].first)
        out = set[int]()
        for at, (one, before) in enumerate(same):
            for beside in range(at + 1, len(same)):
                other, row = same[beside]
                if id(before) in out or other.first >= one.last:
                    break
                if id(row) not in out and _meet(one, other):
                    known, late = sorted((before, row), key=lambda row: row.line)
                    out.add(id(late))
                    expected = f"each trip once a day; line {known.line} has it on one of these days too"
                    _fail(late, "trip", expected, refuse)


def _meet(one: Span, other: Span) -> bool:
    first, last = max(one.first, other.first), min(one.last, other.last)
    enough = first + 7 * (len(one.without) + len(other.without) + 1)
    days = chain(range(first, min(last, enough)), one.also, other.also)
    return any(one.on(day) and other.on(day) for day in days)


def _blocks(duties: Papers, refuse: Refuse) -> dict[str, list[Duty]]:
    found: dict[str, list[Duty]] = {}
    spans = zip(duties.holder.tolist(), duties.from_ms.tolist(), duties.to_ms.tolist(), duties.rows, strict=True)
    for duty in spans:
        found.setdefault(duty[-1].text("block"), []).append(duty)
    return {block: _one_by_one(held, refuse) for block, held in found.items()}


def _one_by_one(held: list[Duty], refuse: Refuse) -> list[Duty]:
    kept = list[Duty]()
    for duty in sorted(held, key=lambda duty: duty[1:3]):
        if kept and duty[1] < kept[-1][2]:
            expected = f"a time not before the end of the one in line {kept[-1][3].line}: one block twice"
            _fail(duty[3], "valid_from", expected, refuse)
        else:
            kept.append(duty)
    return kept


def _raise(row: Row, error: RegistryError) -> None:  # noqa: ARG001 - one signature for all that refuse
    raise error


def timetable(
    tables: Mapping[str, Sequence[Row]], duties: Papers, vehicles: Vehicles, refuse: Refuse = _raise
) -> Timetable:
    """Make a timetable of the rows of ``stops``, ``trips`` and ``stop_times``.

    Parameters
    ----------
    tables : mapping
        Name of a table to its rows; absent ones are empty.
    duties : Papers
        Which vehicle runs which block from when until when.
    vehicles : Vehicles
        New rows are made of plates not heard of before.
    refuse : callable
        Is told of each row that is at fault, maybe more than once; if it returns, the row is left out.

    Raises
    ------
    RegistryError
        Unless `refuse` is given: an unknown stop or trip, a time that is reversed or unreadable, an order that stands
        twice, a trip without times at its ends, two vehicles for one trip on one day.
    """
    stops, known, request = _stops(tables.get("stops", ()), refuse)
    calls = _calls(tables.get("stop_times", ()), known, request, refuse)
    trips, spans = _spans(tables.get("trips", ()), _blocks(duties, refuse), calls, vehicles, refuse)
    return Timetable(stops, trips, columns([calls[trip.id] for trip in trips]), spans)
