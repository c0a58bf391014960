"""Daily: closes a day at 06:00 of the next, issues it at 08:00, corrects it when it is asked to.

Closing freezes the facts of all parties in one transaction; files are then rendered from what is stored, one report
after the other, and what is rendered is issued. Whoever is killed anywhere is followed by one who goes on there.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import NamedTuple

import msgspec
import psycopg

from detectors.counted import Counted
from dispatch.reports.draw import Drawer, fleet
from dispatch.reports.facts import Facts, beijing_day, changes, frozen, span_ms, thawed
from dispatch.reports.formats import render
from dispatch.reports.number import number
from ingest.moment import BEIJING
from ledger import closing, registries
from ledger.closing import New, Standing

CLOSES, ISSUES = time(6), time(8)
"""When a day is closed and issued: on the next day, Beijing time."""

DAYS_BACK = 3
"""Days before yesterday that are still closed by the clock after an outage."""

SCHEDULE = "schedule"
"""Who closes and issues by the clock, in the audit."""

_UNFINISHED = "首次关账时当日尚未结束，补足全日数据"


class Do(Enum):
    """What a day wants: to be closed, to be closed again because it was not over, to be issued."""

    CLOSE = "close"
    COMPLETE = "complete"
    ISSUE = "issue"


class Step(NamedTuple):
    """Something to do with a day."""

    day: date
    do: Do


class Done(NamedTuple):
    """What has been done with a day: numbers of reports, closed and issued."""

    closed: list[str]
    issued: list[str]


def due(now: datetime, standings: Mapping[date, Standing], since: date) -> list[Step]:
    """What the clock wants done, in order.

    Parameters
    ----------
    now : datetime
        With a zone.
    standings : mapping
        Days that have been closed, and how far each has come.
    since : date
        The first day that anybody was registered on: of earlier ones there is nothing to say.
    """
    today, steps = beijing_day(now), []
    for back in range(DAYS_BACK + 1, 0, -1):
        day = today - timedelta(days=back)
        if day < since or now < _at(day, CLOSES):
            continue
        standing = standings.get(day)
        if standing is None:
            steps.append(Step(day, Do.CLOSE))
        elif not _over(day, standing.closed_at):
            steps.append(Step(day, Do.COMPLETE))
        if now >= _at(day, ISSUES) and not (standing and standing.issued and _over(day, standing.closed_at)):
            steps.append(Step(day, Do.ISSUE))
    return steps


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day + timedelta(days=1), clock, BEIJING)


def _over(day: date, moment: datetime) -> bool:
    return moment.timestamp() * 1000 >= span_ms(day)[1]


def tick(connection: psycopg.Connection, now: datetime) -> list[Done]:
    """Do what is due; nothing if another process is at it. To be called every minute.

    Raises
    ------
    DatabaseError
        Call again later: what has been done stays done.
    """
    if not _due(connection, now):
        return []
    with closing.alone(connection, wait=False) as alone:
        return [_do(connection, step) for step in _due(connection, now)] if alone else []


def _due(connection: psycopg.Connection, now: datetime) -> list[Step]:
    opened = closing.opened_on(connection)
    if opened is None:
        return []
    first = beijing_day(now) - timedelta(days=DAYS_BACK + 1)
    standings = {standing.day: standing for standing in closing.standings(connection, first)}
    return due(now, standings, beijing_day(opened))


def _do(connection: psycopg.Connection, step: Step) -> Done:
    if step.do is Do.ISSUE:
        render_all(connection, step.day)
        return Done([], [named for _, named in closing.issue(connection, step.day, SCHEDULE)])
    closed = close(connection, step.day, SCHEDULE, because=_UNFINISHED if step.do is Do.COMPLETE else "")
    render_all(connection, step.day)
    return Done(closed, [])


def report(
    connection: psycopg.Connection, day: date, actor: str, progress: Callable[[str], None] = lambda _: None
) -> Done:
    """Close a day and issue it at once; one that is closed is issued, and corrected where facts have changed.

    Raises
    ------
    ValueError
        The day has not begun.
    DatabaseError
    """
    with closing.alone(connection, wait=True):
        closed = close(connection, day, actor)
        render_all(connection, day, progress)
        return Done(closed, [named for _, named in closing.issue(connection, day, actor)])


def close(connection: psycopg.Connection, day: date, actor: str, *, because: str = "") -> list[str]:
    """Freeze the facts of a day for all parties; where they are frozen, of those whose facts have changed since.

    To be called by who is `closing.alone`.

    Parameters
    ----------
    because : str
        Why there is a further edition even where nothing has changed.

    Returns
    -------
    list of str
        Numbers of the new editions.

    Raises
    ------
    ValueError
        The day has not begun.
    """
    from_ms, to_ms = span_ms(day)
    newest = {(old.county, old.company): old for old in closing.editions(connection, day)}
    version = thawed(newest["", ""].facts).registry_version if newest else registries.latest(connection)[0]
    registry = registries.load(connection, version)
    registered = fleet(registry, from_ms, to_ms)
    fence_names = {fence.id: fence.name for fence in registry.fences if fence.name}
    county_names, company_names = closing.names(connection, version)
    ended = datetime.fromtimestamp(to_ms / 1000, BEIJING)
    with closing.snapshot(connection) as now:
        if now.timestamp() * 1000 < from_ms:
            raise ValueError(f"{day} has not begun")
        cases_at = closing.first_whole(connection, day, ended) or now
        known = closing.gather(connection, from_ms, to_ms, now, cases_at)
    drawer = Drawer(
        day, known, registered, county_names, company_names, fence_names, Counted(registry), version, now, cases_at
    )
    new = []
    for county, company in sorted({*drawer.parties(), *newest}):
        old = newest.get((county, company))
        edition = old.edition + 1 if old else 1
        named = number(day, county, company, edition)
        facts = drawer.facts(county, company, named, edition, "")
        if old is not None:
            before = thawed(old.facts)
            changed = changes(before, facts)
            if not changed and not because:
                continue
            facts = corrected(facts, filter(None, (because, changed)), before.number)
        new.append(New(named, county, company, edition, facts.reason, frozen(facts)))
    closing.keep(connection, day, now, new, actor)
    return [one.number for one in new]


def corrected(facts: Facts, reasons: Iterable[str], before: str) -> Facts:
    """Facts of a correction: with its reason, and which edition it takes the place of."""
    return msgspec.structs.replace(facts, reason=f"{'；'.join(reasons)}。本报替代{before}。")


def render_all(connection: psycopg.Connection, day: date, progress: Callable[[str], None] = lambda _: None) -> None:
    """Make the files that closed reports of a day lack."""
    while (report := closing.unrendered(connection, day)) is not None:
        progress(report.number)
        closing.keep_files(connection, report.id, render(thawed(report.facts)))
