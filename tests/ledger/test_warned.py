"""Warnings: kept once, paged, and measured by what became of them."""

from itertools import count
from typing import Any

import psycopg
import pytest

from detectors.found import Fact
from ingest.registry import Vehicle
from ledger import outbox, warned
from ledger.casebook import Episode
from ledger.database import connect
from ledger.principal import CENTRE
from ledger.shown import Shown
from ledger.violations import apply
from ledger.warned import Asked, Place, Warned
from tests.ledger.made import episode, vehicle, warning

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def keep(connection: psycopg.Connection, *warnings: Warned) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        warned.keep(cursor, warnings)


def find(connection: psycopg.Connection, *episodes: Episode) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        apply(cursor, episodes)


def test_a_warning_is_kept_and_owed_once(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        first = warning(number)
        keep(connection, first)
        keep(connection, first, warning(number, warned_ms=14_000_000, measures={}), warning(number, kind="V06"))
        rows = Shown(connection, CENTRE).warnings(Asked(), 10)
        assert {(row["kind"], row["warned_ms"]) for row in rows} == {("V05", 13_600_000), ("V06", 13_600_000)}
        assert next(row for row in rows if row["kind"] == "V05")["measures"] == first.measures
        with outbox.unrouted(connection, 10) as (_, owed):
            assert [(row["event"], row["kind"], row["plate"], row["violation_id"]) for row in owed] == [
                ("warned", "V05", "测A00001", None),
                ("warned", "V06", "测A00001", None),
            ]
            assert owed[0]["warning_id"] == first.id
            assert owed[0]["id"] == first.event_id
            assert (owed[0]["county"], owed[0]["company"]) == (first.county, first.company)


def test_a_warning_is_for_good(database_url: str) -> None:
    with connect(database_url) as connection:
        keep(connection, warning(vehicle(connection, "测A00001")))
        for change in ("UPDATE warnings SET kind = 'V06'", "DELETE FROM warnings", "TRUNCATE warnings CASCADE"):
            with pytest.raises(psycopg.DatabaseError, match="never changed"):
                connection.execute(change.encode())


def test_pages_join_without_a_seam(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        keep(connection, *(warning(number, begins_ms=at, warned_ms=at // 3, due_ms=at) for at in range(20)))
        shown = Shown(connection, CENTRE)
        whole = shown.warnings(Asked(), 100)
        assert len(whole) == 20
        assert [row["warned_ms"] for row in whole] == sorted((row["warned_ms"] for row in whole), reverse=True)
        found, after = [], None
        for _ in count():
            page = shown.warnings(Asked(), 3, after)
            if not page:
                break
            found += page
            after = Place(page[-1]["warned_ms"], page[-1]["id"])
        assert found == whole


def test_what_is_asked_for(database_url: str) -> None:
    with connect(database_url) as connection:
        one, other = vehicle(connection, "测A00001"), vehicle(connection, "测B00002")
        keep(
            connection,
            warning(one, warned_ms=5_000),
            warning(other, kind="V06", company="乙公司", county="652302", warned_ms=9_000),
        )
        shown = Shown(connection, CENTRE)
        asked: dict[str, list[dict[str, Any]]] = {
            "V05": [{"kinds": ["V05", "V01"]}, {"of_company": "甲公司"}, {"of_county": "652301"}, {"plate": "A0"}],
            "V06": [{"kinds": ["V06"]}, {"of_company": "乙公司"}, {"of_county": "652302"}, {"from_ms": 5_001}],
        }
        asked["V05"].append({"to_ms": 9_000})
        for kind, wanted in asked.items():
            for each in wanted:
                assert [row["kind"] for row in shown.warnings(Asked(**each), 10)] == [kind], each


def test_what_became_of_it(database_url: str) -> None:
    """The violation happened where its episode is the warned one's, or one was raised until it was due, and stands."""
    told = 10 * HOUR_MS
    cases = {
        "none at all": ("averted", []),
        "the warned episode, raised days later": ("happened", [(told - 4 * HOUR_MS, told + 5 * DAY_MS)]),
        "another one within a day": ("happened", [(told + HOUR_MS, told + DAY_MS)]),
        "at the very fix": ("happened", [(told, told)]),
        "another one after a day": ("averted", [(told + HOUR_MS, told + DAY_MS + 1)]),
        "one before it": ("averted", [(told - 9 * HOUR_MS, told - 1)]),
    }
    with connect(database_url) as connection:
        expected: dict[str, str] = {}
        for at, (title, (outcome, spans)) in enumerate(cases.items()):
            name = Vehicle(f"测A{at:05}", 2)
            number = vehicle(connection, *name)
            of: dict[str, Any] = {"name": name, "begins_ms": told - 4 * HOUR_MS}
            keep(connection, warning(number, **of, warned_ms=told, due_ms=told + DAY_MS, measures={"is": title}))
            for begins_ms, raised_ms in spans:
                of = {"name": name, "begins_ms": begins_ms, "raised_ms": raised_ms, "ends_ms": raised_ms}
                find(connection, episode(number, kind="V05", **of))
            of = {"name": name, "begins_ms": told, "raised_ms": told + 1, "ends_ms": told + 1}
            find(connection, episode(number, kind="V01", **of))
            expected[title] = outcome
        shown = Shown(connection, CENTRE)
        became = {row["measures"]["is"]: row["became"] for row in shown.warnings(Asked(), 100)}
        assert {title: "happened" if id_ else "averted" for title, id_ in became.items()} == expected
        counts = {"kind": "V05", "warnings": 6, "happened": 3}
        assert shown.outcomes(Asked(), told + DAY_MS + 1) == [counts | {"averted": 3, "pending": 0}]
        assert shown.outcomes(Asked(), told + DAY_MS) == [counts | {"averted": 0, "pending": 3}]
        connection.execute("UPDATE violations SET status = 'withdrawn'")
        assert shown.outcomes(Asked(), told + DAY_MS + 1) == [counts | {"happened": 0, "averted": 6, "pending": 0}]


def test_a_warning_is_no_violation(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        keep(connection, warning(number))
        find(connection, episode(number, kind="V05", begins_ms=1_000_000, fact=Fact.RAISED))
        shown = Shown(connection, CENTRE)
        assert len(list(shown.violations())) == 1
        assert sum(row["violations"] for row in shown.counts(0, 1 << 40, [])) == 1
