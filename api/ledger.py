"""Commands that need a database: migrate, feed, detect, violations."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.console import Console

from api.settings import DATA, DATABASE, Data, Database

commands = typer.Typer()
notes = Console(stderr=True, highlight=False)


@commands.command(epilog="e.g.  warnloop migrate --database postgresql://warnloop@db/warnloop")
def migrate(
    database: Database = DATABASE,
    data: Data = DATA,
    partitions: Annotated[
        int, typer.Option(min=1, max=1024, help="Partitions of a new embedded log; fixed for its life.")
    ] = 8,
) -> None:
    """迁移数据库。 Bring the database to this version of the program.

    Needed once for a new database and after an upgrade of the program; run twice, it does nothing. It only goes
    forward: a database of a newer program is refused.
    """
    from api.wiring import reached, told
    from ledger.migrate import migrate as run
    from ledger.tablelog import TableLog

    with told(notes), reached(database, data) as url:
        applied = run(url, progress=lambda version: notes.print(f"迁移 applied {version}"))
        TableLog.create(url, partitions)
        notes.print(f"数据库已就绪 the database is up to date: {len(applied)} steps applied")


@commands.command(epilog="e.g.  warnloop feed demo/positions.ndjson")
def feed(
    positions: Annotated[
        str, typer.Argument(metavar="POSITIONS", help="NDJSON or CSV, also gzipped; **-** reads standard input.")
    ],
    database: Database = DATABASE,
    data: Data = DATA,
    profile: Annotated[str, typer.Option(help="How the feed names its fields: a shipped profile.")] = "warnloop",
) -> None:
    """把定位文件送入日志。 Put a file of positions into the log.

    When it ends, the log has all of it durably; `warnloop detect` takes it from there. Lines go as they stand; what is
    no fix ends up in quarantine. While the log is full or out of reach it waits. What is fed a second time is known
    by the gate as duplicate or late (but see docs/operating.md for vehicles that were away for more than an hour).
    """
    from api.feed import Feeder
    from api.files import bar, opened_file
    from api.summary import refused
    from api.wiring import opened, reached, told
    from ingest.profile import ProfileError, read_profile, shipped

    try:
        chosen = read_profile(profile)
    except ProfileError as error:
        raise typer.BadParameter(str(error), param_hint="--profile") from error
    if profile not in ("warnloop", *shipped()):
        raise typer.BadParameter(f"a shipped profile is needed: {', '.join(shipped())}", param_hint="--profile")
    with told(notes), opened_file(positions) as (source, size), reached(database, data) as url, opened(url) as log:
        with bar(notes, "送入 feed", source, size) as progress:
            fed = Feeder(log, chosen).feed(source, positions, progress)
        notes.print(f"已送入 fed {fed.lines:,} lines in {fed.frames:,} frames")
        for line in refused(fed.rejects):
            notes.print(f"  {line}", soft_wrap=True, markup=False)


@commands.command(epilog="e.g.  warnloop detect --metrics-port 9464")
def detect(
    database: Database = DATABASE,
    data: Data = DATA,
    drain: Annotated[bool, typer.Option("--drain", help="End when the log has been read to its end.")] = False,
    metrics_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Serve Prometheus metrics on this port of 127.0.0.1; 0: do not.")
    ] = 0,
    checkpoint_s: Annotated[float, typer.Option(min=0.1, help="How often each partition's state is kept [s].")] = 60.0,
    tick_s: Annotated[
        float, typer.Option(min=0.0, help="How often time is noted in the log, for silence; 0 for old recordings [s].")
    ] = 60.0,
    patience_s: Annotated[
        float, typer.Option(min=0.0, help="How long an absent database is waited for before giving up [s].")
    ] = 600.0,
) -> None:
    """识别违规。 Read the log, find violations, write the ledger.

    Every frame has its effect exactly once, however often this is killed or restarted. Start it several times and they
    share the log's partitions. The first Ctrl-C ends it in order, a second one at once.
    """
    from api.detect import detect as run
    from api.detect import log_to
    from api.wiring import opened, reached, told
    from api.worker import Settings
    from ingest.profile import read_profile, shipped

    log_to(notes)
    profiles = {name: read_profile(name) for name in shipped()}
    with told(notes), reached(database, data) as url, opened(url, patience_s) as log:
        settings = Settings(
            url,
            checkpoint_s=checkpoint_s,
            tick_s=0.0 if drain else tick_s,
            patience_s=patience_s,
            profiles=profiles,
            drain=drain,
        )
        run(log, settings, metrics_port, notes)


@commands.command(epilog="e.g.  warnloop violations --company 天山客运 | head")
def violations(
    database: Database = DATABASE,
    data: Data = DATA,
    county: Annotated[str, typer.Option(help="As this county sees it.")] = "",
    company: Annotated[str, typer.Option(help="As this company sees it.")] = "",
) -> None:
    """列出违规。 Print the violations of the ledger, one JSON object a line.

    Sorted by plate, kind and begin, like the episodes of `warnloop replay`.
    """
    with _shown(database, data, county, company) as shown:
        _print(shown.violations())


@commands.command(epilog="e.g.  warnloop violation 0b0c1f8e-6a55-5d1e-8a53-3d7c7e7f0a11")
def violation(
    number: Annotated[UUID, typer.Argument(metavar="ID", help="As `warnloop violations` prints it.")],
    database: Database = DATABASE,
    data: Data = DATA,
    county: Annotated[str, typer.Option(help="As this county sees it.")] = "",
    company: Annotated[str, typer.Option(help="As this company sees it.")] = "",
    track: Annotated[bool, typer.Option("--track", help="The fixes that show it, instead of its revisions.")] = False,
) -> None:
    """一件违规的经过。 Print the revisions of one violation, or its track."""
    with _shown(database, data, county, company) as shown:
        found = _print(shown.track(number) if track else shown.revisions(number))
    if not found:
        raise typer.BadParameter("there is no such violation, or it is not yours to see", param_hint="ID")


@contextmanager
def _shown(database: str, data: Path, county: str, company: str) -> Iterator[Any]:
    from api.wiring import opened, reached, told
    from ledger.database import connect
    from ledger.principal import CENTRE, Principal, Role
    from ledger.shown import Shown

    if county and company:
        raise typer.BadParameter("a county or a company, not both", param_hint="--county")
    principal = CENTRE
    if county or company:
        principal = Principal(Role.COUNTY if county else Role.COMPANY, county or company)
    with told(notes), reached(database, data) as url, opened(url), connect(url) as connection:
        yield Shown(connection, principal)


def _print(rows: Iterator[dict[str, Any]]) -> int:
    """Write rows to standard output; returns how many there were."""
    encode = msgspec.json.Encoder().encode
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - counted
        sys.stdout.buffer.write(encode(row) + b"\n")
    sys.stdout.buffer.flush()
    return count
