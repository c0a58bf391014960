"""Handed in: files of a registry, of whatever form, as one source.

A folder of CSV and GeoJSON files; single ones; workbooks, a sheet a table; timetables in GTFS. Names may be Chinese.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest import headings
from ingest.datum import DATUMS, to_wgs84
from ingest.fences import Feature
from ingest.gtfs import is_gtfs, read_gtfs
from ingest.registry import MAPS, TABLES, Source
from ingest.table import RegistryError, Row, read_rows
from ingest.workbook import read_workbook

DATUM = "datum"
"""Column, and property, that says from what a place was converted."""


def read_files(paths: Sequence[Path], *, only: Collection[str] = (), datum: str = "wgs84") -> Source:
    """Read files of a registry; the tables and maps of the source are those that were given.

    Parameters
    ----------
    only : collection of str, optional
        Tables and maps to be taken; others are passed over. All, if empty.
    datum : str
        Of all coordinates, one of `datum.DATUMS`; they become WGS-84, and each row keeps what it was.

    Raises
    ------
    RegistryError
        A file that cannot be read or is of no known form or name, or a table that is given twice.
    """
    for name in only:
        if name not in (*TABLES, *MAPS):
            raise RegistryError(Path(name), 0, "only", f"tables of {', '.join((*TABLES, *MAPS))}", name)
    source = Source()
    for path in paths:
        one = _read(path, only)
        for name in (*one.tables, *one.maps):
            if name in source.tables or name in source.maps:
                raise RegistryError(path, 0, "file", f"{name} once", "another file with it")
        source.tables.update(one.tables)
        source.maps.update(one.maps)
        source.refused.extend(one.refused)
    if not source.tables and not source.maps:
        raise RegistryError(paths[0], 0, "file", f"something of {', '.join((*TABLES, *MAPS))}", "nothing")
    if datum != "wgs84":
        _convert(source, datum)
    return source


def _read(path: Path, only: Collection[str]) -> Source:
    if not path.exists():
        raise RegistryError(path, 0, "file", "a file or a folder", "No such file or folder")
    if is_gtfs(path):
        return _chosen(read_gtfs(path), only)
    if path.is_dir():
        return _read_folder(path, only)
    name, ending = headings.table(path.stem), path.suffix.lower()
    if ending == ".csv":
        return _named(path, name, TABLES, only, Source.take_table)
    if ending in (".geojson", ".json"):
        return _named(path, name, MAPS, only, Source.take_map)
    if ending == ".xlsx":
        return _read_workbook(path, only)
    raise RegistryError(path, 0, "file", "a folder, or a file .csv, .xlsx, .geojson, .zip", ending)


def _chosen(source: Source, only: Collection[str]) -> Source:
    """Those of its tables and maps that are wanted."""
    for collections in (source.tables, source.maps) if only else ():
        for name in [name for name in collections if name not in only]:
            del collections[name]
    return source


def _named(
    path: Path, name: str, known: Collection[str], only: Collection[str], take: Callable[[Source, str, Path], None]
) -> Source:
    """What a file holds whose name says what it is."""
    if name not in known:
        raise RegistryError(path, 0, "file", f"the name of one of {', '.join(known)}", path.stem)
    source = Source()
    if not only or name in only:
        take(source, name, path)
    return source


def _read_folder(path: Path, only: Collection[str]) -> Source:
    """All that has a name that is known; what else is in a folder is none of ours."""
    source = Source()
    for file in sorted(path.iterdir()):
        name = headings.table(file.stem)
        known, take = {".csv": (TABLES, Source.take_table), ".geojson": (MAPS, Source.take_map)}.get(
            file.suffix, ((), None)
        )  # fmt: skip
        if name in known and take is not None and (not only or name in only):
            if name in source.tables or name in source.maps:
                raise RegistryError(file, 0, "file", f"{name} once", "another file with it")
            take(source, name, file)
    return source


def _read_workbook(path: Path, only: Collection[str]) -> Source:
    source = Source()
    for title, lines in read_workbook(path, source.refused):
        name = headings.table(title)
        if only and name not in only:
            continue
        sheet = path / title
        first = next(lines, None)
        if first is None:
            continue
        if name not in TABLES:
            raise RegistryError(sheet, 0, "sheet", f"the name of one of {', '.join(TABLES)}", title)
        if name in source.tables:
            raise RegistryError(sheet, 0, "sheet", f"{name} once", "another sheet of it")
        required, known = TABLES[name]
        source.tables[name] = list(read_rows(sheet, _after(first, lines), required, known, source.refused))
    return source


def _after(first: tuple[int, list[str]], others: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from others


# --- coordinates -----------------------------------------------------------------------------------------------------


def _convert(source: Source, datum: str) -> None:
    """Turn all places of a source into WGS-84, and let each row say what they were."""
    if datum not in DATUMS:
        raise RegistryError(Path(datum), 0, DATUM, f"one of {', '.join(DATUMS)}", datum)
    for name, rows in source.tables.items():
        if "lon" in TABLES[name][1]:
            source.tables[name] = list(_each(source, rows, lambda row: _row(row, datum)))
    for name, features in source.maps.items():
        source.maps[name] = list(_each(source, features, lambda feature: _feature(feature, datum)))


def _each(source: Source, items: Sequence[Any], convert: Callable[[Any], Any]) -> Iterator[Any]:
    for item in items:
        try:
            yield convert(item)
        except RegistryError as error:
            source.refused.append(error)


def _row(row: Row, datum: str) -> Row:
    if row.text(DATUM):
        row.fail(DATUM, "nothing: a row that names a datum has been converted already")
    lon, lat = to_wgs84(np.array([row.number("lon")]), np.array([row.number("lat")]), datum)
    return Row(row.path, row.line, row.cells | {"lon": repr(float(lon[0])), "lat": repr(float(lat[0])), DATUM: datum})


def _feature(feature: Feature, datum: str) -> Feature:
    if feature.text(DATUM):
        feature.fail(DATUM, "nothing: a feature that names a datum has been converted already", feature.text(DATUM))
    whole = json.loads(feature.raw)
    geometry = whole.get("geometry")
    if isinstance(geometry, dict) and "coordinates" in geometry:
        geometry["coordinates"] = _places(geometry["coordinates"], datum)
    properties = whole.get("properties")
    whole["properties"] = {**(properties if isinstance(properties, Mapping) else {}), DATUM: datum}
    return Feature(feature.path, feature.line, json.dumps(whole, ensure_ascii=False).encode(errors="surrogatepass"))


def _places(found: Any, datum: str) -> Any:
    """Positions however deep they lie; what is no position stays, and is refused when a shape is made of it."""
    if not isinstance(found, list) or not found:
        return found
    if all(_is_position(one) for one in found):
        given = np.array([one[:2] for one in found], np.float64)
        lon, lat = to_wgs84(given[:, 0], given[:, 1], datum)
        return [[x, y, *one[2:]] for x, y, one in zip(lon.tolist(), lat.tolist(), found, strict=True)]
    return [_places(one, datum) for one in found]


def _is_position(one: Any) -> bool:
    return (
        isinstance(one, list)
        and len(one) >= 2
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in one[:2])
    )
