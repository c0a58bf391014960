"""The command line: warnloop.

Commands import what they need when they run, so that ``--help`` need not wait for the compiler.
"""

import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from api.accounts import account
from api.database import database
from api.files import bar, opened_file, written
from api.ledger import commands
from api.loop import loop
from api.registry import registry as registry_commands
from api.service import service
from api.settings import SettingsError, take_file

app = typer.Typer(
    name="warnloop",
    help="车辆动态监控告警闭环：定位数据进，违规事件出，可解释、可复算。\n\n"
    "The warning loop, closed: GPS feeds of vehicles in, exact and explainable violations out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
notes = Console(stderr=True, highlight=False)
"""Standard error: progress and summaries, so that standard output holds nothing but results."""


@app.callback()
def root() -> None:
    """Hold the commands together."""


@app.command(
    epilog="e.g.  warnloop replay demo/positions.ndjson --registry demo/registry --out episodes.ndjson\n\n"
    "e.g.  zcat feed.ndjson.gz | warnloop replay - --registry registry | head"
)
def replay(
    positions: Annotated[
        str, typer.Argument(metavar="POSITIONS", help="NDJSON or CSV, also gzipped; **-** reads standard input.")
    ],
    registry: Annotated[
        Path,
        typer.Option(help="Folder with **vehicles.csv**, and fences.geojson, parameters.csv where there are any."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="File for the episodes (NDJSON); standard output if left out.")
    ] = None,
    profile: Annotated[
        str, typer.Option(help="How the feed names its fields: a shipped profile (see below) or a TOML file.")
    ] = "warnloop",
    closed: Annotated[
        bool,
        typer.Option(
            "--closed",
            help="As days are closed: late and back-filled fixes (up to 7 days) count, in order of time. Holds all in "
            "memory, some 150 MB a million fixes.",
        ),
    ] = False,
) -> None:
    """回放定位文件。 Judge a file of positions: violations out, no database.

    Episodes are NDJSON, sorted by plate, kind and begin; the same input gives the same bytes. What was read and
    refused, and why, is told on standard error. Profiles that are shipped: warnloop (our own), traccar, emqx808, tipdm.
    """
    from api.replay import replay as run
    from api.summary import tell
    from detectors.engine import Engine
    from ingest.profile import ProfileError, read_profile
    from ingest.registry import read_registry
    from ingest.table import RegistryError

    try:
        chosen, engine = read_profile(profile), Engine(read_registry(registry), daily=True)
    except ProfileError as error:
        raise typer.BadParameter(str(error), param_hint="--profile") from error
    except RegistryError as error:
        raise typer.BadParameter(str(error), param_hint="--registry") from error
    encode = msgspec.json.Encoder().encode
    with opened_file(positions) as (source, size), written(out, source) as target:
        with bar(notes, "回放 replay", source, size) as progress:
            episodes, summary = run(source, positions, engine, profile=chosen, closed=closed, progress=progress)
        found = []
        for episode in episodes:
            target.write(encode(episode) + b"\n")
            found.append(episode)
    tell(notes, summary, found)


@app.command(
    epilog="e.g.  warnloop fleet --vehicles 200 --hours 24 --seed 1 --out demo\n\n"
    "e.g.  warnloop fleet --score --vehicles 10000 --hours 24\n\n"
    "e.g.  warnloop fleet --score --out demo"
)
def fleet(
    vehicles: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many vehicles.")] = 200,
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 366, help="How long they are watched [h].")] = 24.0,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to, made if need be; with **--score** one that was written.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds make equal files, byte for byte.")] = 1,
    start: Annotated[str, typer.Option(help="When it begins, Beijing time.")] = "2026-03-02T00:00:00",
    compress: Annotated[bool, typer.Option("--gzip", help="Write positions.ndjson.gz.")] = False,
    score: Annotated[
        bool,
        typer.Option("--score", help="Judge a fleet, print planted, found and extra per kind; exit 1 unless all is."),
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="With **--score**: list what was missed and what is extra.")
    ] = False,
) -> None:
    """生成模拟车队。 Make a synthetic fleet with planted violations.

    Coaches, buses, taxis and trucks on the roads of Changji. Writes positions.ndjson, registry/, labels.ndjson (who,
    what, begin and end of every planted violation) and near.ndjson (what comes close and is lawful).
    """
    from ingest.fleet import generate
    from ingest.moment import parse_ms

    start_ms = parse_ms(start)
    if start_ms is None:
        raise typer.BadParameter(f"expected a time such as 2026-03-02T00:00:00, found {start!r}", param_hint="--start")
    if score:
        from api.score import run_score

        made_of = {"vehicles": vehicles, "hours": hours, "seed": seed, "start_ms": start_ms}
        raise typer.Exit(0 if run_score(notes, out, made_of, show) else 1)
    if out is None:
        raise typer.BadParameter("a folder to write to, unless --score is given", param_hint="--out")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
        task = progress.add_task("生成 fleet", total=1.0)
        try:
            made = generate(
                out,
                vehicles=vehicles,
                hours=hours,
                seed=seed,
                start_ms=start_ms,
                compress=compress,
                progress=lambda share: progress.update(task, completed=share),
            )
        except OSError as error:
            raise typer.BadParameter(f"cannot write {error.filename}: {error.strerror}", param_hint="--out") from error
    planted = "  ".join(f"{code} × {count:,}" for code, count in made.kinds.items())
    notes.print(
        f"车辆 vehicles {made.vehicles:,} · 定位 fixes {made.fixes:,} · {made.positions}\n"
        f"已埋违规 planted {made.labels:,}: {planted or '-'}\n"
        f"接近而合法 near misses {made.near:,}",
        soft_wrap=True,
    )


@app.command(epilog="e.g.  warnloop kinds V05")
def kinds(
    code: Annotated[str | None, typer.Argument(help="One kind in full, such as V01; all in short if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object a line.")] = False,
    page: Annotated[bool, typer.Option("--page", help="All of it as one page of Markdown, rules in full.")] = False,
) -> None:
    """列出违规目录。 Print the catalogue of violations.

    Code, names, classes, severity, clause and parameters of every kind, in Chinese and English.
    """
    from api.kinds import as_page, as_record, as_text, in_full
    from detectors.catalogue import CATALOGUE

    if code is not None and code.upper() not in CATALOGUE:
        raise typer.BadParameter(f"no kind {code!r}: there are {', '.join(CATALOGUE)}", param_hint="CODE")
    chosen = list(CATALOGUE.values()) if code is None else [CATALOGUE[code.upper()]]
    if as_json:
        for kind in chosen:
            typer.echo(msgspec.json.encode(as_record(kind)))
        return
    if page:
        typer.echo(as_page(chosen), nl=False)
        return
    typer.echo("\n\n".join(as_text(kind) if code is None else in_full(kind) for kind in chosen))


app.add_typer(commands)
app.add_typer(registry_commands)
app.add_typer(service)
app.add_typer(loop)
app.add_typer(account)
app.add_typer(database)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Chinese is no reason to fail
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what is half written goes
    try:
        take_file(app)
        app()
    except SettingsError as error:
        notes.print(str(error), style="red", soft_wrap=True, markup=False)
        sys.exit(2)
    except OSError as error:
        notes.print(f"{error.filename or 'input or output'}: {error.strerror}", style="red", soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
