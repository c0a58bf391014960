"""Faults: what is wrong with the rows of a registry, every one of them, so that they can be mended at one go."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from ingest.fences import Feature
from ingest.papers import SORTS, Papers, check_paper, overlaps
from ingest.registry import MAPS, NAMES, Source, Vehicles, check_name, holder_of, read_override, read_vehicle
from ingest.table import RegistryError, Row
from ingest.trips import timetable

Item = TypeVar("Item", Row, Feature)

SHOWN = 20
"""Faults that are told; all are counted."""


class Fault(NamedTuple):
    """A row that cannot be taken, and the first thing that is wrong with it.

    Attributes
    ----------
    item : Row, Feature or None
        None for a line that is no row at all.
    """

    item: Row | Feature | None
    error: RegistryError


class FaultsError(RegistryError):
    """Rows of a registry cannot be taken: says how many, and of the first `SHOWN` what is wrong."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super(RegistryError, self).__init__("\n".join(in_words(faults)))
        self.faults = list(faults)
        self.path, self.line = faults[0].error.path, faults[0].error.line


def in_words(faults: Sequence[Fault]) -> list[str]:
    """How many rows cannot be taken, and of the first `SHOWN` what is wrong."""
    lines = [f"{len(faults):,} 行有误 rows cannot be imported:", *(str(fault.error) for fault in faults[:SHOWN])]
    return lines + ([f"… 另有 and {len(faults) - SHOWN:,} more"] if len(faults) > SHOWN else [])


def _each(items: Iterable[Row | Feature], check: Callable[..., object]) -> Iterator[Fault]:
    for item in items:
        try:
            check(item)
        except RegistryError as error:
            yield Fault(item, error)


def find_faults(source: Source) -> list[Fault]:
    """Every row that cannot be taken, as far as the registry alone can tell, by table.

    Of rows of papers that overlap, those that come later in their table are at fault.
    """
    found = [Fault(None, error) for error in source.refused]
    found += _each(source.vehicles, read_vehicle)
    found += _each(source.tables.get("parameters", ()), read_override)
    for name, column in NAMES.items():
        found += _each(source.tables.get(name, ()), partial(check_name, field=column))
    vehicles = Vehicles()
    for name in SORTS:
        found += _papers(source, name, vehicles)
    for name in MAPS:
        reader = Feature.fence if name == "fences" else partial(Feature.way, collection=name)
        found += _each(source.maps.get(name, ()), reader)
    return found + _timetable(without(source, found))


def _papers(source: Source, name: str, vehicles: Vehicles) -> list[Fault]:
    sort, rows, holders, bad = SORTS[name], list[Row](), list[int](), list[Fault]()
    for row in source.tables.get(name, ()):
        try:
            holder = holder_of(sort, row, vehicles)
            check_paper(sort, row)
        except RegistryError as error:
            bad.append(Fault(row, error))
        else:
            rows.append(row)
            holders.append(holder)
    return bad + [Fault(row, error) for row, error in overlaps(sort, rows, holders)]


def _timetable(source: Source) -> list[Fault]:
    """Faults of the timetable of a source that has no others."""
    found: dict[int, Fault] = {}

    def refuse(row: Row, error: RegistryError) -> None:
        found.setdefault(id(row), Fault(row, error))

    vehicles, rows = Vehicles(), source.tables.get("duties", [])
    holders = [holder_of(SORTS["duties"], row, vehicles) for row in rows]
    timetable(source.tables, Papers(SORTS["duties"], rows, holders), vehicles, refuse)
    return list(found.values())


def without(source: Source, faults: Iterable[Fault]) -> Source:
    """A source without the rows that are at fault."""
    bad = {id(fault.item) for fault in faults}
    if not bad:
        return source
    return Source(
        {name: _others(rows, bad) for name, rows in source.tables.items()},
        {name: _others(features, bad) for name, features in source.maps.items()},
    )


def _others(items: list[Item], bad: Collection[int]) -> list[Item]:
    """The same list where none of it is bad."""
    kept = [item for item in items if id(item) not in bad]
    return kept if len(kept) < len(items) else items
