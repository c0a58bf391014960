"""Commands of the registry: import, parameter, exemption."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console

from api.settings import ACTOR, DATA, DATABASE, Actor, Data, Database

if TYPE_CHECKING:
    import psycopg

    from ingest.log import Log
    from ledger.imports import Imported

registry = typer.Typer()
parameter = typer.Typer(no_args_is_help=True, help="判定参数。 Parameters of the rules, dated.")
exemption = typer.Typer(no_args_is_help=True, help="豁免。 Where kinds are not applied.")
registry.add_typer(parameter, name="parameter")
registry.add_typer(exemption, name="exemption")
notes = Console(stderr=True, highlight=False)


@registry.command(
    name="import",
    epilog="e.g.  warnloop import registry --by zhang\n\n"
    "e.g.  warnloop import permits.xlsx --add --partial\n\n"
    "e.g.  warnloop import fences.geojson --datum gcj02",
)
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="Folders of CSV and GeoJSON files, or single **.csv**, **.xlsx** (a sheet a table), **.geojson**, "
            "named as in docs/formats.md, in English or Chinese; timetables in GTFS, a **.zip** or a folder.",
        ),
    ],
    only: Annotated[
        str, typer.Option(metavar="TABLES", help="Take only these of what is given: **permits,waybills**.")
    ] = "",
    add: Annotated[bool, typer.Option("--add", help="Add rows to the tables, instead of replacing these.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Leave bad rows out, instead of refusing all.")] = False,
    datum: Annotated[
        str, typer.Option(help="Of all coordinates: **wgs84**, **gcj02** or **bd09**; stored as WGS-84.")
    ] = "wgs84",
    database: Database = DATABASE,
    data: Data = DATA,
    actor: Actor = ACTOR,
) -> None:
    """导入登记信息。 Make what is given part of the newest version of the registry.

    A table that is given takes the place of the one there was, whole; what is not given stays as it is. All of it or
    nothing, unless --partial says otherwise: every bad row is told with file, line, field and what was expected. Older
    versions are kept; each violation says which one it was found under. A version counts from its place in the log on.
    """
    from ingest.faults import in_words
    from ingest.handed import read_files
    from ledger.imports import bring

    with _connected(database, data) as (connection, log):
        given = read_files(paths, only=[name.strip() for name in only.split(",") if name.strip()], datum=datum)
        done = bring(connection, given, actor, add=add, partial=partial)
        _announce(connection, log, done)
        told = ", ".join(f"{name} {count:,}" for name, count in done.rows.items())
        how = "已追加 extended" if add else "已替换 replaced"
        notes.print(f"{how}: {told}；其余不变 all else stays", soft_wrap=True, markup=False)
        if done.faults:
            notes.print(
                "已剔除 left out: " + "\n".join(in_words(done.faults)), style="yellow", soft_wrap=True, markup=False
            )
        if alone := sum(not (row.text("company") and row.text("county")) for row in given.vehicles):
            words = f"{alone:,} vehicles have no company or no county: nobody can answer for what is found of them"
            notes.print(f"{alone:,} 辆车未登记企业或县市，其违规无人可办理 {words}", style="yellow", soft_wrap=True)


@parameter.command(
    name="set", epilog="e.g.  warnloop parameter set V01.margin_kmh 5 --class L --from 2026-12-01 --why '…'"
)
def set_(
    name: Annotated[
        str, typer.Argument(metavar="GROUP.NAME", help="As `warnloop kinds` prints it: **V01.margin_kmh**.")
    ],
    value: Annotated[str, typer.Argument(metavar="VALUE")],
    valid_from: Annotated[str, typer.Option("--from", metavar="TIME", help="Event time from which on it counts.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason; kept with the row.")],
    valid_to: Annotated[str, typer.Option("--to", metavar="TIME", help="Until when; a date: to its end.")] = "",
    classes: Annotated[str, typer.Option("--class", metavar="LETTERS", help="Only for these classes.")] = "",
    county: Annotated[str, typer.Option(help="Only for vehicles of this county.")] = "",
    company: Annotated[str, typer.Option(help="Only for vehicles of this company.")] = "",
    fence: Annotated[str, typer.Option(metavar="ID", help="Only where the kind goes by this fence.")] = "",
    database: Database = DATABASE,
    data: Data = DATA,
    actor: Actor = ACTOR,
) -> None:
    """设定参数。 Change a parameter from an event time on: a new version of the registry.

    Of rows that apply the one for a fence wins, then for a company, a county, a class, then the one that begins later.
    """
    from ledger.imports import set_parameter

    group, _, own = name.partition(".")
    cells = {
        "group": group, "name": own, "value": value, "class": classes, "county": county, "company": company,
        "fence": fence, "valid_from": valid_from, "valid_to": valid_to,
    }  # fmt: skip
    with _connected(database, data) as (connection, log):
        _announce(connection, log, set_parameter(connection, cells, actor, why))


@parameter.command(name="list", epilog="e.g.  warnloop parameter list")
def list_parameters(database: Database = DATABASE, data: Data = DATA) -> None:
    """列出参数。 Print the rows that change parameters, one JSON object a line; defaults: `warnloop kinds`."""
    _list("parameters", database, data)


@exemption.command(name="list", epilog="e.g.  warnloop exemption list")
def list_exemptions(database: Database = DATABASE, data: Data = DATA) -> None:
    """列出豁免。 Print all exemptions, one JSON object a line; `warnloop import exemptions.csv --add` adds to them."""
    _list("exemptions", database, data)


def _list(table: str, database: str, data: Path) -> None:
    from ingest.registry import TABLES
    from ledger.registries import latest, read

    encode = msgspec.json.Encoder().encode
    with _connected(database, data) as (connection, _):
        for row in read(connection, latest(connection)[0]).tables.get(table, ()):
            in_order = {name: row.cells[name] for name in TABLES[table][1] if row.cells.get(name)}
            sys.stdout.buffer.write(encode(in_order) + b"\n")
        sys.stdout.buffer.flush()


@contextmanager
def _connected(database: str, data: Path) -> Iterator[tuple["psycopg.Connection", "Log"]]:
    """Yield a connection to the migrated database, and its log; what cannot be done is told and ends the command."""
    from api.wiring import opened, reached, told
    from ledger.database import connect

    with told(notes), reached(database, data) as url, opened(url) as log, connect(url) as connection:
        yield connection, log


def _announce(connection: "psycopg.Connection", log: "Log", done: "Imported") -> None:
    """Tell the log of a new version, and whoever asked."""
    from ledger.registries import announce

    if announce(connection, log):
        notes.print(
            f"登记信息第 {done.version} 版 registry version {done.version}: "
            f"{done.new} rows began, {done.gone} rows ended"
        )
    else:
        notes.print(f"无变化 nothing has changed: registry version {done.version} stands")
