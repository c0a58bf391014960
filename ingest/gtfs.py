"""GTFS: a timetable of public transport as others write it, turned into stops, trips, stop times and routes.

What GTFS does not say is which vehicle runs a trip: trips keep their block (one without has its own id for a block),
and table ``duties`` says who runs a block from when until when. Times are Beijing's, whatever the agency says.
"""

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from ingest.fences import Feature
from ingest.registry import Source
from ingest.table import MOST_BYTES, MOST_ROWS, RegistryError, Row
from ingest.trips import day_number

NEEDED: Mapping[str, tuple[str, ...]] = {
    "stops": ("stop_id", "stop_lat", "stop_lon"),
    "routes": ("route_id",),
    "trips": ("route_id", "service_id", "trip_id"),
    "stop_times": ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"),
}
"""Files that must be there, and their columns that must."""

OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "calendar": (
        "service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "start_date",
        "end_date",
    ),
    "calendar_dates": ("service_id", "date", "exception_type"),
    "shapes": ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"),
    "frequencies": ("trip_id",),
}  # fmt: skip
"""Files that may be."""

_WEEK = OPTIONAL["calendar"][1:8]


def is_gtfs(path: Path) -> bool:
    """Whether a path is a zip file, or a folder with a GTFS timetable."""
    return path.suffix.lower() == ".zip" or (path / "stop_times.txt").is_file()


def read_gtfs(path: Path) -> Source:
    """Read a feed, a zip file or a folder, as the tables ``stops``, ``trips``, ``stop_times`` and the map ``routes``.

    A stop that may be passed without halting (``pickup_type`` and ``drop_off_type`` both other than 0) is one on
    request. Stations, entrances and the like (``location_type``) are no stops.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Source
        Lines that are no row are in its ``refused``.

    Raises
    ------
    RegistryError
        What cannot be read, with file, line and field; trips by frequency, which have no times.
    """
    refused: list[RegistryError] = []
    with _opened(path) as files:

        def rows(name: str) -> Iterator[Row]:
            columns = NEEDED.get(name) or OPTIONAL[name]
            if name in files:
                return _rows(path / f"{name}.txt", files[name], columns, refused)
            if name in NEEDED:
                raise RegistryError(path, 0, f"{name}.txt", "a file of this name", ", ".join(sorted(files)))
            return iter(())

        for row in rows("frequencies"):
            row.fail("trip_id", "trips with times of their own: trips by frequency cannot be judged")
        stops = list(_stops(rows("stops")))
        services = _services(rows("calendar"), rows("calendar_dates"))
        routes = {row.text("route_id", required=True): row for row in rows("routes")}
        trips = list(rows("trips"))
        shapes = _shapes(rows("shapes"))
        features = list(_routes(routes, trips, shapes))
        tables = {
            "stops": stops,
            "trips": [trip for row in trips for trip in _trips(row, routes, services)],
            "stop_times": list(_stop_times(rows("stop_times"))),
        }
    return Source(tables, {"routes": features} if features else {}, refused)


# --- files -----------------------------------------------------------------------------------------------------------

Open = Callable[[], IO[bytes]]


@contextmanager
def _opened(path: Path) -> Iterator[dict[str, Open]]:
    """Files of a feed by their names without ``.txt``; of a zip file those at its top, or in its one folder."""
    names = {f"{name}.txt": name for name in (*NEEDED, *OPTIONAL)}
    if path.is_dir():
        here = {name: path / file for file, name in names.items() if (path / file).is_file()}
        for name, file in here.items():
            _check_size(path / f"{name}.txt", file.stat().st_size)
        yield {name: lambda file=file: file.open("rb") for name, file in here.items()}  # type: ignore[misc]
        return
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except (OSError, zipfile.BadZipFile) as error:
            raise RegistryError(path, 0, "file", "a readable zip file", str(error)) from error
        found: dict[str, Open] = {}
        for member in archive.infolist():
            last = member.filename.rpartition("/")[2]
            if last not in names:
                continue
            name = names[last]
            if name in found:
                raise RegistryError(path, 0, f"{name}.txt", "one file of this name", member.filename)
            _check_size(path / f"{name}.txt", member.file_size)
            found[name] = lambda member=member: archive.open(member)  # type: ignore[misc]
        yield found


def _check_size(path: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise RegistryError(path, 0, "file", f"at most {MOST_BYTES:,} bytes", f"{size:,}")


def _rows(path: Path, opened: Open, required: tuple[str, ...], refused: list[RegistryError]) -> Iterator[Row]:
    """Rows of one file; lines of another length than the header's are put into `refused`."""
    try:
        with opened() as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
            reader = csv.reader(text)
            header = [cell.strip() for cell in next(reader, [])]
            for name in required:
                if header.count(name) != 1:
                    raise RegistryError(path, 1, name, "a column of this name, once", ",".join(header))
            for count, cells in enumerate((cells for cells in reader if cells), 1):
                if count > MOST_ROWS:
                    raise RegistryError(path, reader.line_num, "file", f"at most {MOST_ROWS:,} rows", "more")
                if len(cells) == len(header):
                    yield Row(path, reader.line_num, dict(zip(header, cells, strict=True)))
                else:
                    expected = f"{len(header)} fields as in the header"
                    refused.append(RegistryError(path, reader.line_num, header[0], expected, ",".join(cells)))
    except UnicodeDecodeError as error:
        raise RegistryError(path, 0, "text", "UTF-8", error.reason) from error
    except (OSError, csv.Error, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise RegistryError(path, 0, "file", "a readable CSV file", str(error)) from error


# --- what they say ---------------------------------------------------------------------------------------------------


def _made(row: Row, **cells: str) -> Row:
    """A row of a table of ours, in the place of one of theirs."""
    return Row(row.path, row.line, {name: text for name, text in cells.items() if text})


def _stops(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        if row.text("location_type") in ("", "0"):
            lon, lat = row.text("stop_lon", required=True), row.text("stop_lat", required=True)
            yield _made(row, stop=row.text("stop_id", required=True), name=row.text("stop_name"), lon=lon, lat=lat)


def _stop_times(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        passed_by = all(row.text(name) not in ("", "0") for name in ("pickup_type", "drop_off_type"))
        yield _made(
            row,
            trip=row.text("trip_id", required=True),
            order=row.text("stop_sequence", required=True),
            stop=row.text("stop_id", required=True),
            arrives=row.text("arrival_time"),
            departs=row.text("departure_time"),
            request="1" if passed_by else "",
        )


Service = dict[str, str]
"""Columns ``days``, ``also``, ``except``, ``valid_from``, ``valid_to`` of the trips of a service."""


def _services(calendar: Iterable[Row], dates: Iterable[Row]) -> dict[str, list[Service]]:
    """Each service's week, with the dates added to it and taken from it, and the dates added outside its validity."""
    weeks: dict[str, Service] = {}
    for row in calendar:
        name = row.text("service_id", required=True)
        if name in weeks:
            row.fail("service_id", "each service once")
        days = "".join(str(at) for at, weekday in enumerate(_WEEK, 1) if row.whole(weekday, 0, 0, 1))
        begin, end = _date(row, "start_date"), _date(row, "end_date")
        weeks[name] = {"days": days or "0", "valid_from": begin, "valid_to": end}
    extra: dict[str, dict[int, list[str]]] = {}
    for row in dates:
        name = row.text("service_id", required=True)
        row.text("exception_type", required=True)
        extra.setdefault(name, {1: [], 2: []})[row.whole("exception_type", 1, 1, 2)].append(_date(row, "date"))
    found = {}
    for name in {**weeks, **extra}:
        week, added = weeks.get(name), sorted(extra.get(name, {}).get(1, []))
        inside = [date for date in added if week and week["valid_from"] <= date <= week["valid_to"]]
        outside = [date for date in added if date not in inside]
        removed = sorted(extra.get(name, {}).get(2, []))
        found[name] = [{**week, "also": " ".join(inside), "except": " ".join(removed)}] if week else []
        found[name] += [{"days": "0", "also": " ".join(outside)}] if outside else []
    return found


def _date(row: Row, field: str) -> str:
    text = row.text(field, required=True)
    if len(text) != 8 or day_number(text) is None:
        row.fail(field, "a date like 20260331")
    return text


def _trips(row: Row, routes: Mapping[str, Row], services: Mapping[str, Sequence[Service]]) -> Iterator[Row]:
    trip, route, service = (row.text(name, required=True) for name in ("trip_id", "route_id", "service_id"))
    if route not in routes:
        row.fail("route_id", "a route of routes.txt")
    if service not in services:
        row.fail("service_id", "a service of calendar.txt or calendar_dates.txt")
    for days in services[service]:
        yield _made(row, trip=trip, route=route, block=row.text("block_id") or trip, **days)


def _shapes(rows: Iterable[Row]) -> dict[str, list[tuple[int, float, float]]]:
    found: dict[str, list[tuple[int, float, float]]] = {}
    for row in rows:
        row.text("shape_pt_sequence", required=True)
        at = row.whole("shape_pt_sequence", 0, 0, 999_999_999)
        place = row.number("shape_pt_lon"), row.number("shape_pt_lat")
        found.setdefault(row.text("shape_id", required=True), []).append((at, *place))
    return found


def _routes(
    routes: Mapping[str, Row], trips: Iterable[Row], shapes: Mapping[str, list[tuple[int, float, float]]]
) -> Iterator[Feature]:
    """Routes of which the feed has shapes, each with all shapes of its trips."""
    used: dict[str, dict[str, None]] = {}
    for row in trips:
        if len(shapes.get(row.text("shape_id"), ())) > 1:
            used.setdefault(row.text("route_id"), {})[row.text("shape_id")] = None
    for route, row in routes.items():
        lines = [[[lon, lat] for _, lon, lat in sorted(shapes[shape])] for shape in used.get(route, ())]
        if lines:
            name = " ".join(filter(None, (row.text("route_short_name"), row.text("route_long_name"))))
            feature = {
                "type": "Feature",
                "properties": {"id": route, "name": name or route},
                "geometry": {"type": "MultiLineString", "coordinates": lines},
            }
            yield Feature(row.path, row.line, json.dumps(feature, ensure_ascii=False).encode())
