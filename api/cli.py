"""The command line: warnloop."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

app = typer.Typer(
    name="warnloop",
    help="车辆动态监控告警闭环：定位数据进，违规事件出，可解释、可复算。\n\n"
    "The warning loop, closed: GPS feeds of vehicles in, exact and explainable violations out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
notes = Console(stderr=True, highlight=False)


@app.callback()
def root() -> None:
    """Hold the commands together."""


@contextmanager
def _opened(positions: str) -> Iterator[tuple[BufferedReader, int | None]]:
    """Open a file, or standard input for ``-``; also its size, where it has one [B]."""
    if positions == "-":
        with open(0, "rb", closefd=False) as file:
            yield file, None
        return
    path = Path(positions)
    try:
        file = path.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"cannot read {positions}: {error.strerror}", param_hint="POSITIONS") from error
    with file:
        yield file, path.stat().st_size


@contextmanager
def _written(out: Path | None) -> Iterator[BinaryIO]:
    """Open what episodes are written to; a file takes its name only when it is complete."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = out.with_name(out.name + ".part")
    try:
        file = part.open("wb")
    except OSError as error:
        raise typer.BadParameter(f"cannot write {out}: {error.strerror}", param_hint="--out") from error
    try:
        with file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _bar(source: BufferedReader, size: int | None) -> Iterator[Callable[[int], None]]:
    """Progress on a terminal, by bytes read; nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
        task = progress.add_task("回放 replay", total=size)

        def tell(fixes: int) -> None:
            progress.update(task, description=f"回放 replay {fixes:,} fixes")
            if size is not None:
                progress.update(task, completed=source.tell())

        yield tell


@app.command()
def replay(
    positions: Annotated[
        str, typer.Argument(metavar="POSITIONS", help="NDJSON or CSV, also gzipped; [bold]-[/] reads standard input.")
    ],
    registry: Annotated[
        Path,
        typer.Option(help="Folder with [bold]vehicles.csv[/], and fences.geojson, parameters.csv where there are any."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="File for the episodes (NDJSON); standard output if left out.")
    ] = None,
    profile: Annotated[
        str, typer.Option(help="How the feed names its fields: a shipped profile (see below) or a TOML file.")
    ] = "warnloop",
) -> None:
    """回放定位文件，输出违规事件。 Judge a file of positions: positions in, violations out, no database.

    Episodes are NDJSON, sorted by plate, kind and begin. What was read and refused, and why, is told
    on standard error. The same input gives the same bytes.

    Shipped profiles: warnloop (our own), traccar, emqx808, tipdm.

    Examples
    --------
      warnloop fleet --vehicles 200 --hours 24 --seed 1 --out demo

      warnloop replay demo/positions.ndjson --registry demo/registry --out episodes.ndjson

      zcat feed.ndjson.gz | warnloop replay - --registry registry | head
    """
    from api.replay import replay as run
    from api.summary import tell
    from ingest.profile import ProfileError, read_profile
    from ingest.registry import read_registry
    from ingest.table import RegistryError

    try:
        chosen, known = read_profile(profile), read_registry(registry)
    except ProfileError as error:
        raise typer.BadParameter(str(error), param_hint="--profile") from error
    except RegistryError as error:
        raise typer.BadParameter(str(error), param_hint="--registry") from error
    encode = msgspec.json.Encoder().encode
    with _opened(positions) as (source, size), _written(out) as target:
        with _bar(source, size) as progress:
            episodes, summary = run(source, positions, known, profile=chosen, progress=progress)
        found = []
        for episode in episodes:
            target.write(encode(episode) + b"\n")
            found.append(episode)
    tell(notes, summary, found)


def main() -> None:
    """Run the command line."""
    app()
