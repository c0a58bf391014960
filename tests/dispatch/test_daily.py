"""The day is closed, issued and corrected: by the clock, by hand, by several at once, after kills."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.daily import DAYS_BACK, Do, Done, Step, due, report, tick
from dispatch.reports.facts import Facts, span_ms, thawed
from dispatch.router import route
from ingest.moment import BEIJING
from ledger import closing
from ledger.closing import Standing
from ledger.database import DatabaseError, connect
from ledger.principal import Role
from ledger.reports import FORMATS
from tests.dispatch.days import DAY, FROM_MS, PARTIES, TO_MS, Days

LONG_AGO = date(2026, 1, 1)
D = date(2026, 11, 27)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url) as opened:
        yield opened


def clock(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=BEIJING)


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the day after D, by another clock of the world."""
    return clock(D + timedelta(days=1), hour, minute).astimezone(UTC)


def closed(day: date, *, issued: bool, hour: int = 30) -> Standing:
    """A day closed so many hours after it began."""
    return Standing(day, clock(day, 0) + timedelta(hours=hour), issued)


def only(now: datetime, *standings: Standing) -> list[Step]:
    """What is due, where everybody was registered first on D."""
    return due(now, {standing.day: standing for standing in standings}, D)


# --- the clock -----------------------------------------------------------------------------------------------------


def test_a_day_is_closed_at_six_and_issued_at_eight() -> None:
    assert only(at(5, 59)) == []
    assert only(at(6)) == [Step(D, Do.CLOSE)]
    assert only(at(6), closed(D, issued=False)) == []
    assert only(at(7, 59), closed(D, issued=False)) == []
    assert only(at(8), closed(D, issued=False)) == [Step(D, Do.ISSUE)]
    assert only(at(8), closed(D, issued=True)) == []
    assert only(at(8)) == [Step(D, Do.CLOSE), Step(D, Do.ISSUE)]


def test_a_day_closed_before_its_end_is_completed() -> None:
    early = closed(D, issued=True, hour=15)
    assert only(at(5), early) == []
    assert only(at(6), early) == [Step(D, Do.COMPLETE)]
    assert only(at(8), early) == [Step(D, Do.COMPLETE), Step(D, Do.ISSUE)]
    assert only(at(8), closed(D, issued=True, hour=24)) == []


def test_an_outage_is_caught_up_with() -> None:
    late = clock(D + timedelta(days=30), 9)
    days = [D + timedelta(days=30 - back) for back in range(DAYS_BACK + 1, 0, -1)]
    assert due(late, {}, LONG_AGO) == [Step(day, do) for day in days for do in (Do.CLOSE, Do.ISSUE)]
    assert len(days) == 4
    assert due(late, {}, days[2]) == [Step(day, do) for day in days[2:] for do in (Do.CLOSE, Do.ISSUE)]


@settings(max_examples=60)
@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=60))
def test_whenever_it_wakes_every_day_is_closed_and_issued_once_and_in_time(sleeps: list[int]) -> None:
    """Sleeps [min] of less than the days that are caught up with: no day is left out, none is done twice or early."""
    now, standings, done = clock(D, 0), dict[date, Standing](), list[Step]()
    for minutes in sleeps:
        now += timedelta(minutes=minutes)
        for step in due(now, standings, D):
            assert now >= clock(step.day + timedelta(days=1), 6 if step.do is Do.CLOSE else 8)
            assert step.do is not Do.COMPLETE
            issued = step.do is Do.ISSUE
            standings[step.day] = Standing(step.day, standings[step.day].closed_at if issued else now, issued)
            done.append(step)
        assert due(now, standings, D) == []
        over = [D + timedelta(days=n) for n in range((now - clock(D, 6)).days)] if now > clock(D, 6) else []
        assert [step.day for step in done if step.do is Do.CLOSE] == over
    assert len(done) == len(set(done))


# --- the ledger ----------------------------------------------------------------------------------------------------


def facts_of(connection: psycopg.Connection, county: str = "652301", company: str = "") -> Facts:
    (found,) = [
        thawed(one.facts) for one in closing.editions(connection, DAY) if (one.county, one.company) == (county, company)
    ]
    return found


def counts(connection: psycopg.Connection) -> tuple[int, ...]:
    """How many reports, files, reports issued, events of the outbox, rows of the audit."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM reports), (SELECT count(*) FROM report_files), "
        "(SELECT count(issued_at) FROM reports), "
        "(SELECT count(DISTINCT report_id) FROM outbox WHERE event = 'issued'), "
        "(SELECT count(*) FROM audit WHERE action LIKE 'report.%')"
    ).fetchone()
    assert row is not None
    return row


COMPLETE = (len(PARTIES), len(FORMATS) * len(PARTIES), len(PARTIES), len(PARTIES), 2 * len(PARTIES))


def since_the_day(days: Days, folder: Path) -> None:
    """Somebody was registered on the day already."""
    days.register(folder / "registry")
    days.connection.execute("UPDATE registry_versions SET imported_at = to_timestamp(%s / 1000.0)", (FROM_MS,))


def test_by_the_clock(connection: psycopg.Connection, tmp_path: Path) -> None:
    days, after = Days(connection), DAY + timedelta(days=1)
    assert tick(connection, clock(after, 9)) == [], "nobody was ever registered"
    since_the_day(days, tmp_path)
    days.violation(0)
    assert tick(connection, clock(after, 5, 59)) == []
    (done,) = tick(connection, clock(after, 6))
    assert (len(done.closed), done.issued) == (len(PARTIES), [])
    assert counts(connection)[:4] == (len(PARTIES), len(FORMATS) * len(PARTIES), 0, 0), "rendered, not issued"
    assert tick(connection, clock(after, 7, 59)) == []
    (done,) = tick(connection, clock(after, 8))
    assert (done.closed, len(done.issued)) == ([], len(PARTIES))
    assert counts(connection) == COMPLETE
    for _ in range(2):
        assert tick(connection, clock(after, 9)) == []
    assert counts(connection) == COMPLETE


def test_several_at_once_close_and_issue_once(
    connection: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    since_the_day(Days(connection), tmp_path)
    found: list[Done] = []

    def work() -> None:
        with connect(database_url) as own:
            found.extend(tick(own, clock(DAY + timedelta(days=1), 9)))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(done.closed) for done in found) == sum(len(done.issued) for done in found) == len(PARTIES)
    assert counts(connection) == COMPLETE


KILLED = """
import os, sys
from datetime import date
from dispatch.daily import report
from ledger import closing
from ledger.database import connect
url, day, step = sys.argv[1:]
seen = 0
def at(number):
    global seen
    seen += 1
    if step == f"render {seen}":
        os.kill(os.getpid(), 9)
for name in ("keep", "issue"):
    def wrapped(*args, name=name, call=getattr(closing, name)):
        if step == f"before {name}":
            os.kill(os.getpid(), 9)
        done = call(*args)
        if step == f"after {name}":
            os.kill(os.getpid(), 9)
        return done
    setattr(closing, name, wrapped)
with connect(url) as connection:
    report(connection, date.fromisoformat(day), "test", at)
"""


@pytest.mark.parametrize(
    ("step", "left"),
    [
        ("before keep", (0, 0, 0, 0, 0)),
        ("after keep", (8, 0, 0, 0, 8)),
        ("render 1", (8, 0, 0, 0, 8)),
        ("render 5", (8, 16, 0, 0, 8)),
        ("before issue", (8, 32, 0, 0, 8)),
        ("after issue", (8, 32, 8, 8, 16)),
    ],
)
def test_killed_anywhere_the_next_one_goes_on_there(
    connection: psycopg.Connection, database_url: str, tmp_path: Path, step: str, left: tuple[int, ...]
) -> None:
    days = Days(connection)
    days.register(tmp_path / "registry")
    days.violation(0)
    told = [sys.executable, "-c", KILLED, database_url, DAY.isoformat(), step]
    ended = subprocess.run(told, check=False, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])})
    assert ended.returncode == -signal.SIGKILL
    assert counts(connection) == left
    report(connection, DAY, "test")
    assert counts(connection) == COMPLETE
    assert connection.execute("SELECT max(edition) FROM reports").fetchone() == (1,)


def test_a_report_is_immutable(connection: psycopg.Connection, tmp_path: Path) -> None:
    Days(connection).register(tmp_path / "registry")
    report(connection, DAY, "test")
    for change in (
        "UPDATE reports SET facts = '{}'",
        "UPDATE reports SET issued_at = now()",
        "UPDATE reports SET number = 'x' || number",
        "DELETE FROM reports",
        "UPDATE report_files SET content = ''",
        "DELETE FROM report_files",
        "TRUNCATE report_files",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(change.encode())
    assert counts(connection) == COMPLETE


# --- corrections ---------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_corrected(connection: psycopg.Connection, tmp_path: Path) -> None:
    days = Days(connection)
    days.register(tmp_path / "registry")
    id_ = days.violation(0)
    days.fixes("测A00001", 20)
    report(connection, DAY, "test")
    before = counts(connection)
    assert report(connection, DAY, "test") == Done([], [])
    # casework goes on, another day has a violation, a new registry is imported: the day stays what it was
    move(connection, id_, 2, "acknowledged", datetime.now(UTC))
    days.violation(0, "V03", 86_400 + 60)
    connection.execute("INSERT INTO registry_versions (version, imported_by) VALUES (2, 'test')")
    connection.execute("UPDATE registry_rows SET until_version = 2")
    assert report(connection, DAY, "test") == Done([], [])
    assert counts(connection) == before


def test_a_change_makes_a_numbered_correction(connection: psycopg.Connection, tmp_path: Path) -> None:
    days = Days(connection)
    days.register(tmp_path / "registry")
    first, second = days.violation(0), days.violation(3)
    days.fixes("测A00001", 20)
    report(connection, DAY, "test")
    original = facts_of(connection)

    days.violation(0, "V05", 40_000)
    days.withdraw(first)
    days.fixes("测A00001", 5, second=9_000)
    done = report(connection, DAY, "test")
    mark = f"〔{DAY.year}〕{DAY:%m%d}号（更正1）"
    assert sorted(done.closed) == sorted(done.issued)
    assert set(done.closed) == {
        f"昌运监日报{mark}", f"昌运监日报（652301）{mark}", f"昌运监企日报（652301-L001）{mark}",
    }  # fmt: skip
    corrected = facts_of(connection)
    assert corrected.reason == f"新增违规1起、撤销违规1起、定位记录由20条变为25条。本报替代{original.number}。"
    assert corrected.edition == 2
    assert [row.kind for row in corrected.violations] == ["V05"]
    assert [row.id for row in corrected.withdrawn] == [str(first)]

    connection.execute("UPDATE violations SET severity = 3 WHERE id = %s", (second,))
    done = report(connection, DAY, "test")
    assert f"昌运监日报（652302）{mark}" in done.issued
    assert f"昌运监日报〔{DAY.year}〕{DAY:%m%d}号（更正2）" in done.issued
    assert facts_of(connection, "").reason == f"变更违规1起。本报替代昌运监日报{mark}。"
    assert facts_of(connection).edition == 2, "nothing has changed there"
    # the first editions stand as they were
    rows = connection.execute("SELECT number, reason FROM reports WHERE edition = 1").fetchall()
    assert len(rows) == len(PARTIES)
    assert {reason for _, reason in rows} == {""}


def test_who_appears_late_gets_a_first_report(connection: psycopg.Connection, tmp_path: Path) -> None:
    days = Days(connection)
    days.register(tmp_path / "registry")
    report(connection, DAY, "test")
    days.violation(0, company="652303-L009", county="652303")
    done = report(connection, DAY, "test")
    assert {number for number in done.issued if "652303" in number} == {
        f"昌运监日报（652303）〔{DAY.year}〕{DAY:%m%d}号", f"昌运监企日报（652303-L009）〔{DAY.year}〕{DAY:%m%d}号",
    }  # fmt: skip
    assert facts_of(connection, "652303", "652303-L009").party.company_name == "652303-L009", "of no name: its code"


def test_a_day_that_is_not_over_is_closed_as_it_stands_and_completed(
    connection: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    today = datetime.now(UTC).astimezone(BEIJING).date()
    days = Days(connection)
    since_the_day(days, tmp_path)
    report(connection, today, "test")
    (standing,) = closing.standings(connection, today)
    assert standing.issued
    assert due(clock(today + timedelta(days=1), 6), {today: standing}, today) == [Step(today, Do.COMPLETE)]
    with pytest.raises(ValueError, match="has not begun"):
        report(connection, today + timedelta(days=1), "test")
    with connect(database_url) as other:  # the lock is free again
        assert report(other, today, "test") == Done([], [])


# --- cases as of the closing ---------------------------------------------------------------------------------------


def move(connection: psycopg.Connection, id_: Any, number: int, state: str, made_at: datetime, **due_at: Any) -> None:
    connection.execute(
        "INSERT INTO case_moves (violation_id, number, move, from_state, to_state, actor, role, tenant, due_at, "
        "made_at) VALUES (%s, %s, 'test', '', %s, 'test', '', '', %s, %s)",
        (id_, number, state, due_at.get("due_at"), made_at),
    )


def test_cases_are_shown_as_they_stood(connection: psycopg.Connection, tmp_path: Path) -> None:
    days = Days(connection)
    days.register(tmp_path / "registry")
    now = datetime.now(UTC)
    ids = [days.violation(0, "V01", second) for second in (1_000, 2_000, 3_000, 4_000)]
    move(connection, ids[0], 2, "acknowledged", now, due_at=now - timedelta(seconds=1))
    move(connection, ids[1], 2, "closed", now, due_at=now - timedelta(hours=1))
    move(connection, ids[2], 2, "acknowledged", now + timedelta(hours=1), due_at=now)  # after the closing
    report(connection, DAY, "test")
    rows = {row.id: (row.state, row.overdue) for row in facts_of(connection).violations}
    assert [rows[str(id_)] for id_ in ids] == [
        ("acknowledged", True), ("closed", False), ("pushed", False), ("pushed", False),
    ]  # fmt: skip
    # a correction shows what stood then; a case opened since, as it was opened
    move(connection, ids[3], 2, "submitted", datetime.now(UTC))
    late = days.violation(0, "V05", 5_000)
    move(connection, late, 2, "submitted", datetime.now(UTC))
    report(connection, DAY, "test")
    again = {row.id: (row.state, row.overdue) for row in facts_of(connection).violations}
    assert again == rows | {str(late): ("pushed", False)}


# --- whose day a fix is --------------------------------------------------------------------------------------------


def test_a_fix_belongs_to_its_day(connection: psycopg.Connection, tmp_path: Path) -> None:
    days = Days(connection)
    days.register(tmp_path / "registry")
    unknown, noon = -(2**63), FROM_MS + 43_200_000
    for time_ms, received_ms, own in (
        (FROM_MS, FROM_MS + 900, True),
        (FROM_MS - 1, FROM_MS + 900, False),
        (TO_MS - 1, TO_MS + 900, True),
        (TO_MS, TO_MS + 900, False),
        (noon, TO_MS + 40_000_000, True),  # late by a day
        (noon - 86_400_000, noon, False),  # of the day before
        (unknown, noon, True),  # no usable time: the day of its receipt
        (unknown, TO_MS, False),
        (noon + 61_000 + 86_400_000, noon, True),  # a clock that runs ahead is no clock
        (TO_MS + 10_000, TO_MS - 10_000, False),  # a little ahead is believed
        (946_684_800_000, noon, True),  # the year 2000
    ):
        connection.execute("TRUNCATE fixes")
        days.fixes("测A00001", 1, time_ms=[time_ms], received_ms=[received_ms])
        known = closing.gather(connection, *span_ms(DAY), datetime.now(UTC), datetime.now(UTC))
        assert bool(known.counts) == own, (time_ms - FROM_MS, received_ms - FROM_MS)


def test_a_database_in_trouble_is_said_in_words(connection: psycopg.Connection, tmp_path: Path) -> None:
    Days(connection).register(tmp_path / "registry")
    connection.execute("DROP TABLE quarantine")
    with pytest.raises(DatabaseError, match="quarantine"):
        report(connection, DAY, "test")
    assert counts(connection)[0] == 0
    assert connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


# --- how it reaches those concerned ---------------------------------------------------------------------------------


def test_each_party_is_owed_its_own_report_and_each_correction(connection: psycopg.Connection, tmp_path: Path) -> None:
    days = Days(connection)
    days.register(tmp_path / "registry")
    both, first = ("", "（更正1）"), ("",)
    owners = {
        Role.CENTRE: ("", "昌运监日报〔", both),
        Role.COUNTY: ("652301", "昌运监日报（652301）〔", both),
        Role.COMPANY: ("652302-F001", "昌运监企日报（652302-F001）〔", first),
    }
    for role, (tenant, _, _) in owners.items():
        connection.execute(
            "INSERT INTO subscriptions (role, tenant, name, channel, target, topics, created_by) "
            "VALUES (%s, %s, 'x', 'folder', 'x', '{report}', 'test')",
            (role, tenant),
        )
    report(connection, DAY, "test")
    while route(connection):
        pass
    days.violation(0)
    report(connection, DAY, "test")
    while route(connection):
        pass
    rows = connection.execute(
        "SELECT s.role, d.payload::jsonb -> 'data' ->> 'number', d.payload::jsonb ->> 'type', "
        "d.payload::jsonb -> 'data' -> 'sha256' ->> 'pdf' FROM deliveries AS d "
        "JOIN subscriptions AS s ON s.id = d.subscription_id WHERE d.type = 'report.issued' ORDER BY 2"
    ).fetchall()
    for role, (_, begin, marks) in owners.items():
        own = [number for owner, number, _, _ in rows if owner == role]
        assert own == [f"{begin}{DAY.year}〕{DAY:%m%d}号{mark}" for mark in marks]
    kept = connection.execute("SELECT encode(sha256, 'hex') FROM report_files WHERE format = 'pdf'").fetchall()
    assert {(pdf,) for *_, pdf in rows} <= set(kept)
