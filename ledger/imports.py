"""Imports: what is handed in becomes a version of the registry, all of it or all but the bad rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from detectors.fitness import check_together, find_unfit
from ingest.faults import Fault, FaultsError, find_faults, without
from ingest.registry import TABLES, Source
from ingest.table import RegistryError, Row, read_header
from ledger import registries


@dataclass(slots=True)
class Imported:
    """What became of an import.

    Attributes
    ----------
    version : int
        The newest, which stands as it was where nothing has changed.
    gone, new : int
        Rows that ended and rows that began with it.
    rows : dict
        Table or map to its rows in this version, of those that were given.
    faults : list of Fault
        Rows that were left out.
    """

    version: int = 0
    gone: int = 0
    new: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def bring(
    connection: psycopg.Connection,
    given: Source,
    actor: str,
    *,
    add: bool = False,
    partial: bool = False,
    action: str = "registry.import",
    detail: Mapping[str, Any] | None = None,
) -> Imported:
    """Let what was handed in take the place of those tables and maps of the newest version; others stay as they are.

    Parameters
    ----------
    add : bool
        Rows are added to those that there are instead.
    partial : bool
        Rows that are at fault are left out; otherwise one is enough for nothing to be stored.
    action, detail : str, mapping
        Go into the audit.

    Raises
    ------
    RegistryError
        Rows are at fault (`FaultsError`, which names every one), or they make no sense together.
    DatabaseError
    """
    done = Imported()
    names = sorted((*given.tables, *given.maps))
    told: dict[str, Any] = {"tables": names, **(detail or {})}

    def edit(newest: Source) -> Source:
        merged = _merged(newest, given, add=add)
        faults = find_faults(merged)
        sound = without(merged, faults)
        faults = sorted(faults + find_unfit(sound), key=lambda fault: (str(fault.error.path), fault.error.line))
        kept = without(merged, faults)
        done.rows = {name: len(kept.tables.get(name) or kept.maps.get(name) or ()) for name in names}
        if faults:
            old = {id(item) for rows in newest.tables.values() for item in rows}
            old |= {id(item) for features in newest.maps.values() for item in features}
            if not partial or any(id(fault.item) in old for fault in faults) or not any(done.rows.values()):
                raise FaultsError(faults)
            told["left_out"] = len(faults)
        done.faults = faults
        check_together(kept)
        return kept

    done.version, done.gone, done.new = registries.change(connection, actor, edit, action, told)
    return done


def _merged(newest: Source, given: Source, *, add: bool) -> Source:
    """The newest version with what was given in the place of its own, or behind it; and with what is no row."""
    tables, maps = dict(newest.tables), dict(newest.maps)
    for name, rows in given.tables.items():
        tables[name] = [*tables.get(name, ()), *rows] if add else rows
    for name, features in given.maps.items():
        maps[name] = [*maps.get(name, ()), *features] if add else features
    return Source(tables, maps, given.refused)


def set_parameter(connection: psycopg.Connection, cells: Mapping[str, str], actor: str, why: str) -> Imported:
    """Add a row of ``parameters.csv``, with who and why.

    Parameters
    ----------
    cells : mapping
        Columns to texts; `by` and `why` are set.

    Raises
    ------
    RegistryError
        Names the field.
    DatabaseError
    """
    path = Path("parameter")
    filled = {name: text for name, text in cells.items() if text} | {"by": actor, "why": why.strip()}
    read_header(path, list(filled), *TABLES["parameters"])
    if not filled["why"]:
        raise RegistryError(path, 0, "why", "the reason, in words", why)
    given = Source({"parameters": [Row(path, 0, filled)]})
    return bring(connection, given, actor, add=True, action="parameter.set", detail=filled)
