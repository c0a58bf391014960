"""Deliveries: owed once, claimed by one, noted once, and shown to their owner."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dispatch.router import route
from ledger import deliveries, subscriptions
from ledger.database import connect
from ledger.deliveries import Attempt, Claimed
from ledger.principal import CENTRE, Principal, Role
from tests.dispatch.scene import happen, subscribe
from tests.ledger.made import rows

COUNTY = Principal(Role.COUNTY, "652301")
START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url) as found:
        yield found


def owed(url: str, count: int, *principals: Principal) -> list[uuid.UUID]:
    """Subscriptions, each owed as many deliveries."""
    ids = [subscribe(url, "http://a.example/", principal) for principal in principals]
    happen(url, count)
    with connect(url) as connection:
        route(connection)
    return ids


def claim(connection: psycopg.Connection, most: int = 100, at_once: int = 4, **changes: Any) -> list[Claimed]:
    given: dict[str, Any] = {"share": 1_000, "failing": False, "lease": timedelta(minutes=1)} | changes
    with connection.transaction(), connection.cursor() as cursor:
        return deliveries.claim(cursor, most=most, at_once=at_once, **given)


def settle(connection: psycopg.Connection, *told: Attempt) -> set[uuid.UUID]:
    with connection.transaction(), connection.cursor() as cursor:
        return deliveries.settle(cursor, told)


def attempt(one: Claimed, outcome: str = "sent", state: str = "sent", due_at: datetime | None = None) -> Attempt:
    return Attempt(one, START, 12, outcome, 204, "a\0b", state, due_at)


def test_no_more_at_once_than_its_share(database_url: str, connection: psycopg.Connection) -> None:
    first, second = owed(database_url, 10, CENTRE, COUNTY)
    taken = claim(connection)
    assert [sum(one.subscription_id == id_ for one in taken) for id_ in (first, second)] == [4, 4]
    assert claim(connection) == []
    assert settle(connection, attempt(taken[0])) == {taken[0].id}
    (next_one,) = claim(connection)
    assert next_one.subscription_id == taken[0].subscription_id
    assert len(claim(connection, at_once=100)) == 20 - 9
    assert len({one.id for one in taken}) == 8


def test_most_bounds_all_and_the_oldest_come_first(database_url: str, connection: psycopg.Connection) -> None:
    owed(database_url, 10, CENTRE)
    (oldest,) = rows(database_url, "SELECT max(id::text)::uuid FROM deliveries")
    connection.execute("UPDATE deliveries SET due_at = now() - interval '1 minute' WHERE id = %s", oldest)
    assert [one.id for one in claim(connection, most=1)] == [oldest[0]]
    assert len(claim(connection, most=2)) == 2


def test_a_claim_says_all_that_sending_needs(database_url: str, connection: psycopg.Connection) -> None:
    (id_,) = owed(database_url, 1, COUNTY)
    (one,) = claim(connection)
    assert (one.subscription_id, one.role, one.tenant, one.channel) == (id_, "county", "652301", "webhook")
    assert one.secret.startswith("whsec_")
    assert (one.attempts, one.first_at, one.report_id, one.type) == (0, None, None, "violation.raised")
    settle(connection, attempt(one, "later", "due", datetime.now(UTC)))
    (again,) = claim(connection)
    assert (again.attempts, again.first_at) == (1, START)
    assert (again.id, again.payload) == (one.id, one.payload)


def test_leases_end(database_url: str, connection: psycopg.Connection) -> None:
    owed(database_url, 1, CENTRE)
    (dead,) = claim(connection, lease=timedelta(microseconds=1))
    (taken_over,) = claim(connection)
    assert taken_over.id == dead.id
    assert settle(connection, attempt(dead)) == set()
    assert rows(database_url, "SELECT * FROM delivery_attempts") == []
    assert settle(connection, attempt(taken_over)) == {dead.id}
    assert settle(connection, attempt(taken_over)) == set(), "not noted twice"
    assert rows(database_url, "SELECT attempt, took_ms, detail FROM delivery_attempts") == [(1, 12, "a�b")]


@pytest.mark.parametrize("change", ["disabled_at", "ended_at"])
def test_of_whom_nothing_is_claimed(database_url: str, connection: psycopg.Connection, change: str) -> None:
    owed(database_url, 1, CENTRE)
    connection.execute(f"UPDATE subscriptions SET {change} = now()".encode())
    assert claim(connection) == claim(connection, failing=True) == []


def test_those_that_fail_are_claimed_apart(database_url: str, connection: psycopg.Connection) -> None:
    failing, well = owed(database_url, 5, CENTRE, COUNTY)
    connection.execute("UPDATE subscriptions SET proven = false WHERE id = %s", (failing,))
    assert {one.subscription_id for one in claim(connection)} == {well}
    assert [one.subscription_id for one in claim(connection, failing=True, at_once=1)] == [failing]
    assert claim(connection, failing=True, at_once=1) == []


@pytest.mark.parametrize("failing", [False, True])
def test_no_owner_has_more_than_a_share(database_url: str, connection: psycopg.Connection, failing: bool) -> None:
    owed(database_url, 4, CENTRE, CENTRE, CENTRE, COUNTY)
    connection.execute("UPDATE subscriptions SET proven = %s", (not failing,))
    taken = claim(connection, share=5, failing=failing)
    assert sorted(one.role for one in taken) == ["centre"] * 5 + ["county"] * 4
    assert claim(connection, share=5, failing=failing) == []
    settle(connection, *(attempt(one) for one in taken if one.role == "centre"))
    assert len(claim(connection, share=5, failing=failing)) == 5


def test_what_is_not_due_waits(database_url: str, connection: psycopg.Connection) -> None:
    owed(database_url, 1, CENTRE)
    connection.execute("UPDATE deliveries SET due_at = now() + interval '1 minute'")
    assert claim(connection) == []


def test_many_couriers_never_claim_the_same(database_url: str) -> None:
    owed(database_url, 120, CENTRE, COUNTY)

    def work(_: int) -> list[uuid.UUID]:
        mine: list[uuid.UUID] = []
        with connect(database_url) as connection:
            empty = 0
            while empty < 20:
                taken = claim(connection, most=7)
                flying = rows(
                    database_url,
                    "SELECT max(n) FROM (SELECT count(*) AS n FROM deliveries WHERE claimed_until > now() "
                    "GROUP BY subscription_id) AS counted",
                )[0][0]
                assert (flying or 0) <= 4
                mine += settle(connection, *map(attempt, taken)) if taken else ()
                empty = 0 if taken else empty + 1
        return mine

    with ThreadPoolExecutor(4) as pool:
        done = [id_ for part in pool.map(work, range(4)) for id_ in part]
    assert len(done) == len(set(done)) == 240
    assert rows(database_url, "SELECT count(*), max(attempt) FROM delivery_attempts") == [(240, 1)]


def test_two_claims_at_the_same_instant_never_give_the_same(database_url: str) -> None:
    """One that read before another committed, and takes the subscription's lock after: it must look again."""
    owed(database_url, 200, CENTRE, COUNTY)

    def work(_: int) -> list[uuid.UUID]:
        mine: list[uuid.UUID] = []
        with connect(database_url) as connection:
            empty = 0
            while empty < 20:
                taken = claim(connection, most=1, at_once=1_000)
                mine += [one.id for one in taken]
                empty = 0 if taken else empty + 1
        return mine

    with ThreadPoolExecutor(6) as pool:
        done = [id_ for part in pool.map(work, range(6)) for id_ in part]
    assert len(done) == len(set(done))


def test_its_owner_sees_why_and_nobody_else(database_url: str, connection: psycopg.Connection) -> None:
    (id_,) = owed(database_url, 3, COUNTY)
    first, second, third = claim(connection)
    settle(connection, attempt(first), attempt(second, "refused", "dead"))
    settle(connection, attempt(third, "later", "due", datetime.now(UTC) - timedelta(seconds=1)))
    (again,) = claim(connection)
    settle(connection, attempt(again, "later", "due", datetime.now(UTC)))
    listed = deliveries.listed(connection, COUNTY, id_)
    assert {row["id"]: (row["state"], row["attempts"], row["last_outcome"]) for row in listed} == {
        first.id: ("sent", 1, "sent"), second.id: ("dead", 1, "refused"), third.id: ("due", 2, "later"),
    }  # fmt: skip
    pages, after = [], None
    while page := deliveries.listed(connection, COUNTY, id_, after=after, most=2):
        pages += page
        after = (page[-1]["created_at"], page[-1]["id"])
    assert pages == listed
    assert [row["id"] for row in deliveries.listed(connection, COUNTY, id_, state="dead")] == [second.id]
    shown = deliveries.shown(connection, COUNTY, third.id)
    assert shown is not None
    assert shown["payload"] == third.payload
    assert [(row["attempt"], row["outcome"], row["detail"]) for row in shown["tries"]] == [
        (1, "later", "a�b"), (2, "later", "a�b"),
    ]  # fmt: skip
    for other in (CENTRE, Principal(Role.COUNTY, "652302"), Principal(Role.COMPANY, "652301")):
        assert deliveries.listed(connection, other, id_) == []
        assert deliveries.shown(connection, other, third.id) is None
    (row,) = subscriptions.listed(connection, COUNTY)
    assert (row["due"], row["last_sent_at"] is not None) == (1, True)


def test_counts(database_url: str, connection: psycopg.Connection) -> None:
    assert deliveries.counts(connection) == (0, 0, 0, 0)
    owed(database_url, 2, CENTRE)
    happen(database_url, 3, first=2)
    (one, _) = claim(connection)
    settle(connection, attempt(one, "refused", "dead"))
    connection.execute("UPDATE cases SET due_at = now() - interval '1 hour'")
    assert deliveries.counts(connection) == (3, 1, 1, 2)
