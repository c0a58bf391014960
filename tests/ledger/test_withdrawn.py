"""Withdrawn violations: each once, with its reason; never reopened, whatever the stream brings."""

from dataclasses import replace
from typing import Any

import psycopg

from detectors.found import Fact
from ledger.casebook import Episode, Withdrawal, violation_id
from ledger.database import connect
from ledger.violations import apply, withdraw
from tests.ledger.made import episode, vehicle


def take(connection: psycopg.Connection, *episodes: Episode) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        apply(cursor, episodes)


def facts(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT begins_ms, revision, fact, reason, registry_version FROM violation_revisions ORDER BY 1, 2"
    ).fetchall()


def do_withdraw(connection: psycopg.Connection, *asked: Withdrawal) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        return len(withdraw(cursor, asked).revisions)


def test_withdrawn_once_and_not_reopened(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        first = episode(number, begins_ms=1_000, raised_ms=2_000, ends_ms=3_000)
        take(connection, first)
        asked = Withdrawal(violation_id(first.name, "V01", 1_000), "补录", 7)
        assert do_withdraw(connection, asked) == 1
        assert do_withdraw(connection, asked) == 0
        take(connection, replace(first, fact=Fact.STANDS, ends_ms=2_500), replace(first, fact=Fact.ENDED))
        expected = [(1_000, 1, "raised", "", 1), (1_000, 2, "withdrawn", "补录", 7)]
        assert facts(connection) == expected
        rows = connection.execute("SELECT status, ends_ms, registry_version, revision FROM violations").fetchall()
        assert rows == [("withdrawn", 3_000, 1, 2)]
        events = connection.execute("SELECT event FROM outbox ORDER BY number").fetchall()
        assert events == [("raised",), ("withdrawn",)]


def test_an_episode_that_goes_on_is_another_violation_from_there_on(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        first = episode(number, begins_ms=1_000, raised_ms=2_000, ends_ms=3_000)
        take(connection, first)
        old = violation_id(first.name, "V01", 1_000)
        do_withdraw(connection, Withdrawal(old, "补录", 7))
        later = replace(first, fact=Fact.STANDS, ends_ms=9_000, registry_version=7)
        take(connection, later)
        take(connection, replace(later, ends_ms=11_000, severity=3, fact=Fact.RISEN, measures={"peak_kmh": 130.0}))
        take(connection, replace(later, ends_ms=12_000, severity=3, fact=Fact.ENDED))
        rows = connection.execute(
            "SELECT id, status, begins_ms, raised_ms, ends_ms, severity, registry_version FROM violations ORDER BY 3"
        ).fetchall()
        assert rows[0] == (old, "withdrawn", 1_000, 2_000, 3_000, 2, 1)
        assert rows[1][1:] == ("ended", 3_000, 3_000, 12_000, 3, 7)
        founded = connection.execute(
            "SELECT ends_ms, severity, measures FROM violation_revisions WHERE violation_id = %s AND revision = 1",
            (rows[1][0],),
        ).fetchone()
        assert founded == (3_000, 2, first.measures), "as the withdrawn one was left, whichever row is the first"
        new = [(3_000, number, fact, "", 7) for number, fact in enumerate(("raised", "risen", "ended"), 1)]
        assert facts(connection)[2:] == new
        held = connection.execute("SELECT begins_ms, violation_id FROM violation_episodes").fetchall()
        assert held == [(1_000, rows[1][0])]
        assert do_withdraw(connection, Withdrawal(rows[1][0], "补录", 8)) == 1
        take(connection, replace(later, ends_ms=12_000, severity=3, fact=Fact.STANDS))
        take(connection, replace(later, ends_ms=20_000, severity=3, fact=Fact.ENDED))
        spans = connection.execute("SELECT status, begins_ms, ends_ms FROM violations ORDER BY begins_ms").fetchall()
        assert spans == [("withdrawn", 1_000, 3_000), ("withdrawn", 3_000, 12_000), ("ended", 12_000, 20_000)]


def test_a_new_episode_joins_none_that_was_withdrawn(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        first = episode(number, begins_ms=1_000, raised_ms=2_000, ends_ms=3_000, fact=Fact.ENDED)
        take(connection, first)
        do_withdraw(connection, Withdrawal(violation_id(first.name, "V01", 1_000), "补录", 7))
        take(connection, episode(number, begins_ms=4_000, raised_ms=5_000, ends_ms=5_000))
        rows = connection.execute("SELECT status, begins_ms FROM violations ORDER BY begins_ms").fetchall()
        assert rows == [("withdrawn", 1_000), ("open", 4_000)]
