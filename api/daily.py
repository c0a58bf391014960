"""Daily reports: the command that closes and issues a day at once, and the job that does it by the clock."""

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from api.settings import ACTOR, DATA, DATABASE, Actor, Data, Database

daily = typer.Typer()
notes = Console(stderr=True, highlight=False)
_log = logging.getLogger("warnloop.daily")

EVERY_S = 60.0
"""How often the clock is looked at [s]."""

MOST_NAMED = 12
"""Numbers of reports that are printed."""


@daily.command(epilog="e.g.  warnloop report --day 2026-11-27 --out reports")
def report(
    day: Annotated[
        str,
        typer.Option(metavar="YYYY-MM-DD", help="Beijing day; left out: yesterday. Today's is closed as it stands."),
    ] = "",
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write all files of the day here as well.")] = None,
    database: Database = DATABASE,
    data: Data = DATA,
    actor: Actor = ACTOR,
) -> None:
    """生成并签发日报。 Close a day and issue its reports at once: of the prefecture, of each county and company.

    Run again, it makes a numbered correction of each report whose facts have changed since, and else says that nothing
    has. `warnloop dispatch` does the same by the clock: closed at 06:00, issued at 08:00 of the next day.
    """
    from api.wiring import opened, reached, told
    from dispatch.daily import report as run
    from dispatch.reports.facts import beijing_day, day_before
    from ledger.database import connect

    chosen = _day(day) if day else day_before(beijing_day(datetime.now(UTC)))
    with told(notes), reached(database, data) as url, opened(url), connect(url) as connection:
        with notes.status("") as status:
            try:
                done = run(connection, chosen, actor, lambda number: status.update(f"编制 {number}"))
            except ValueError as error:
                raise typer.BadParameter(str(error), param_hint="--day") from error
        corrections = sum("更正" in number for number in done.closed)
        for number in done.issued[:MOST_NAMED]:
            notes.print(f"  {number}", soft_wrap=True, markup=False)
        if len(done.issued) > MOST_NAMED:
            notes.print(f"  … {len(done.issued) - MOST_NAMED:,} more")
        if done.issued:
            notes.print(f"已签发 issued {len(done.issued):,} reports of {chosen}, {corrections:,} of them corrections")
        else:
            notes.print(f"无变化 nothing has changed: the reports of {chosen} stand")
        if out is not None:
            _write(connection, chosen, out)


@daily.command(epilog="e.g.  warnloop close --day 2026-11-27")
def close(
    day: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="Beijing day that is over; left out: all of the last week.")
    ] = "",
    database: Database = DATABASE,
    data: Data = DATA,
) -> None:
    """日结复核。 Judge a day once more by the fixes that came late or were back-filled.

    Violations that do not hold are withdrawn with the reason, others revised, new ones raised; those concerned are
    told. Only vehicles of which something came late are judged again; what was closed by the same fixes stays as it is.
    `warnloop dispatch` does the same by the clock, every half hour.
    """
    from api.close import Closer, due
    from api.wiring import opened, reached, told
    from dispatch.reports.facts import beijing_day, day_before
    from ledger.database import connect, in_words

    now = datetime.now(UTC)
    if day and _day(day) > day_before(beijing_day(now)):
        raise typer.BadParameter(f"{day} is not over yet", param_hint="--day")
    with told(notes), reached(database, data) as url, opened(url), connect(url) as connection, in_words():
        days = [_day(day)] if day else due(connection, now)
        closer = Closer(connection)
        for one in days:
            with notes.status(f"复核 closing {one}"):
                done = closer.close(one)
            notes.print(f"已复核 closed {one}: {done.revisions:,} revisions, {done.withdrawn:,} withdrawn")
        if not days:
            notes.print("无迟到数据 nothing came late")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"expected a day such as 2026-11-27, found {text!r}", param_hint="--day") from None


def _write(connection: psycopg.Connection, day: date, out: Path) -> None:
    """Write the files of a day's issued reports."""
    from ledger.closing import issued_files

    count = 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        for count, file in enumerate(issued_files(connection, day), 1):  # noqa: B007 - counted
            name = "".join("_" if letter in '/\\:*?"<>|' or ord(letter) < 32 else letter for letter in file.number)
            (out / f"{name}.{file.format}").write_bytes(file.content)
    except OSError as error:
        raise typer.BadParameter(f"cannot write {error.filename}: {error.strerror}", param_hint="--out") from error
    notes.print(f"已写出 wrote {count:,} files to {out}", soft_wrap=True, markup=False)


def job(connection: psycopg.Connection) -> None:
    """Close and issue what the clock says.

    Raises
    ------
    DatabaseError
    """
    from dispatch.daily import tick

    for done in tick(connection, datetime.now(UTC)):
        _log.info("daily reports: %d closed, %d issued", len(done.closed), len(done.issued))
