"""Couriers at work on a real database with real receivers: who gets what, and who waits for nobody."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from ledger import subscriptions
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role
from tests.dispatch.made import raw, receiver, status, until
from tests.dispatch.scene import change, deliveries, dispatching, happen, settings, subscribe, waiting
from tests.ledger.made import rows


def attempts(url: str) -> list[tuple[Any, ...]]:
    return rows(url, "SELECT attempt, outcome, status, detail FROM delivery_attempts ORDER BY delivery_id, attempt")


def test_an_event_reaches_its_receiver_at_once(database_url: str) -> None:
    with receiver() as here, dispatching(settings(database_url)):
        subscribe(database_url, here.url)
        happen(database_url)
        until(lambda: here.got, 5)
        until(lambda: not waiting(database_url))
    assert len(here.got) == 1
    assert [state for state, _ in deliveries(database_url).values()] == ["sent"]
    assert attempts(database_url) == [(1, "sent", 204, "")]
    (row,) = rows(database_url, "SELECT claimed_until, settled_at IS NOT NULL, id::text FROM deliveries")
    assert row == (None, True, here.got[0].headers["webhook-id"])


def test_a_failure_is_tried_again_with_the_same_id_and_bytes(database_url: str) -> None:
    left = [2]

    def twice_not(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        status(204 if left[0] < 0 else 500, b"" if left[0] < 0 else b"no")(handler)

    with receiver(twice_not) as here, dispatching(settings(database_url)):
        subscription = subscribe(database_url, here.url)
        happen(database_url)
        for count in (1, 2, 3):
            until(lambda count=count: len(attempts(database_url)) == count)  # type: ignore[misc]
            change(database_url, "UPDATE deliveries SET due_at = now() WHERE state = 'due'")
        until(lambda: not waiting(database_url))
    assert [row[:3] for row in attempts(database_url)] == [(1, "later", 500), (2, "later", 500), (3, "sent", 204)]
    assert len({(got.headers["webhook-id"], got.body) for got in here.got}) == 1
    (row,) = rows(database_url, "SELECT failing_since, disabled_at FROM subscriptions WHERE id = %s", subscription)
    assert row == (None, None), "it was reached in the end"


def test_a_later_attempt_waits_for_its_time(database_url: str) -> None:
    with receiver(status(503, Retry_After="3600")) as here, dispatching(settings(database_url)):
        subscribe(database_url, here.url)
        happen(database_url)
        until(lambda: attempts(database_url))
        (row,) = rows(database_url, "SELECT state, due_at - now(), claimed_until FROM deliveries")
    assert row[0] == "due"
    assert timedelta(minutes=59) < row[1] < timedelta(minutes=61)
    assert row[2] is None
    assert len(here.got) == 1


def test_gone_disables_and_what_is_owed_waits(database_url: str) -> None:
    with receiver(status(410)) as here, dispatching(settings(database_url)):
        subscription = subscribe(database_url, here.url)
        happen(database_url)
        until(lambda: not waiting(database_url))
    (row,) = rows(database_url, "SELECT disabled_at IS NOT NULL, disabled_reason FROM subscriptions")
    assert row == (True, subscriptions.GONE)
    assert [state for state, _ in deliveries(database_url).values()] == ["dead"]
    told = rows(database_url, "SELECT actor, action, subject FROM audit WHERE action = 'subscription.disable'")
    assert told == [("dispatch", "subscription.disable", str(subscription))]


def test_long_failure_disables_and_enabling_lets_it_flow(database_url: str) -> None:
    working = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        status(204 if working.is_set() else 500)(handler)

    chosen = settings(database_url, patience=timedelta(days=5))
    with receiver(answer) as here, dispatching(chosen):
        subscription = subscribe(database_url, here.url)
        happen(database_url)
        until(lambda: len(attempts(database_url)) == 1)
        change(database_url, "UPDATE subscriptions SET failing_since = now() - interval '4 days 23 hours'")
        change(database_url, "UPDATE deliveries SET due_at = now()")
        until(lambda: len(attempts(database_url)) == 2)
        assert rows(database_url, "SELECT disabled_at FROM subscriptions") == [(None,)]
        change(database_url, "UPDATE subscriptions SET failing_since = now() - interval '5 days 1 minute'")
        change(database_url, "UPDATE deliveries SET due_at = now()")
        until(lambda: len(attempts(database_url)) == 3)
        (row,) = rows(database_url, "SELECT disabled_at IS NOT NULL, disabled_reason FROM subscriptions")
        assert row == (True, subscriptions.FAILED)
        working.set()
        change(database_url, "UPDATE deliveries SET due_at = now()")
        happen(database_url, first=5)  # nothing new for who is disabled
        until(lambda: waiting(database_url) == 1)
        time.sleep(0.3)  # several turns of the courier
        assert [state for state, _ in deliveries(database_url).values()] == ["due"]
        assert len(here.got) == 3
        with connect(database_url) as connection:
            assert subscriptions.enable(connection, CENTRE, "test", subscription)
        until(lambda: not waiting(database_url))
    assert len(here.got) == 4
    assert [state for state, _ in deliveries(database_url).values()] == ["sent"]


def test_after_72_hours_it_is_dead(database_url: str) -> None:
    with receiver(status(500)) as here, dispatching(settings(database_url)):
        subscribe(database_url, here.url)
        happen(database_url)
        until(lambda: len(attempts(database_url)) == 1)
        change(database_url, "ALTER TABLE delivery_attempts DISABLE TRIGGER append_only")
        for age, state in (("71 hours 59 minutes", "due"), ("72 hours", "dead")):
            change(database_url, f"UPDATE delivery_attempts SET began_at = now() - interval '{age}' WHERE attempt = 1")
            count = len(attempts(database_url)) + 1
            change(database_url, "UPDATE deliveries SET due_at = now()")
            until(lambda count=count: len(attempts(database_url)) == count)  # type: ignore[misc]
            assert rows(database_url, "SELECT state FROM deliveries") == [(state,)]


@pytest.fixture
def hung() -> Iterator[tuple[str, list[int]]]:
    """URL of a receiver that takes connections and never answers, and how many it holds, how many at most."""
    held, lock = [0, 0], threading.Lock()

    def talk(peer: Any) -> None:
        with lock:
            held[0] += 1
            held[1] = max(held)
        while peer.recv(65_536):
            pass
        with lock:
            held[0] -= 1

    with raw(talk) as url:
        yield url, held


def test_a_slow_receiver_delays_nobody_and_is_not_flooded(database_url: str, hung: tuple[str, list[int]]) -> None:
    url, held = hung
    for _ in range(3):
        subscribe(database_url, url)
    happen(database_url, 40)
    with receiver() as here, dispatching(settings(database_url, total_s=8.0)) as part:
        until(lambda: held[1] >= 3 * 4, 10)
        subscribe(database_url, here.url)
        began = time.monotonic()
        happen(database_url, 20, first=100)
        until(lambda: len(here.got) == 20, 10)
        took = time.monotonic() - began
        assert held[1] == 3 * 4, "four at once each, however much waits"
        change(database_url, "UPDATE subscriptions SET disabled_at = now() WHERE target = %s", url)
        part.stop.set()
    assert took < 5.0


@pytest.mark.parametrize("proven", [True, False])
def test_one_owner_with_many_that_hang_delays_nobody(
    database_url: str, hung: tuple[str, list[int]], proven: bool
) -> None:
    url, held = hung
    owner = Principal(Role.COUNTY, "652301")
    for _ in range(subscriptions.MOST):
        subscribe(database_url, url, owner, proven=proven)
    happen(database_url, 10)
    with receiver() as here, dispatching(settings(database_url, total_s=8.0)) as part:
        until(lambda: held[1] >= 16, 10)
        subscribe(database_url, here.url, proven=False)
        began = time.monotonic()
        happen(database_url, 20, first=100)
        until(lambda: len(here.got) == 20, 10)
        took = time.monotonic() - began
        assert held[1] == 16, "a quarter of the threads"
        change(database_url, "UPDATE subscriptions SET disabled_at = now() WHERE target = %s", url)
        part.stop.set()
    assert took < 5.0
    assert rows(database_url, "SELECT proven FROM subscriptions WHERE target = %s", here.url) == [(True,)]


def test_who_fails_is_served_apart_one_at_a_time(database_url: str, hung: tuple[str, list[int]]) -> None:
    subscribe(database_url, hung[0], proven=False)
    happen(database_url, 9)
    with dispatching(settings(database_url, total_s=0.6)):
        until(lambda: len(attempts(database_url)) >= 3, 10)
    both = """
        SELECT count(*) FROM (
            SELECT began_at + (took_ms - 1) * interval '1 ms' AS ended, lead(began_at) OVER (ORDER BY began_at) AS began
            FROM delivery_attempts
        ) AS attempt WHERE began < ended"""
    assert rows(database_url, both) == [(0,)]


def test_ended_in_order_what_is_in_hands_is_settled(database_url: str) -> None:
    begun, go = threading.Event(), threading.Event()

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        begun.set()
        go.wait(10)
        status(204)(handler)

    with receiver(slowly) as here:
        subscribe(database_url, here.url)
        happen(database_url)
        with dispatching(settings(database_url, total_s=10.0)) as part:
            assert begun.wait(10)
            part.stop.set()
            go.set()
    assert [state for state, _ in deliveries(database_url).values()] == ["sent"]
    assert part.metrics.words() == "推送 deliveries attempted 1: sent 1"


def test_two_dispatchers_side_by_side_send_each_once(database_url: str) -> None:
    with receiver() as here, receiver() as there:
        for one in (here, there):
            subscribe(database_url, one.url)
        with dispatching(settings(database_url)) as first, dispatching(settings(database_url)) as second:
            for at in range(5):
                happen(database_url, 20, first=20 * at)
            until(lambda: not waiting(database_url), 30)
    for one in (here, there):
        ids = [got.headers["webhook-id"] for got in one.got]
        assert len(ids) == len(set(ids)) == 100
    done = [part.metrics.deliveries.labels("webhook", "sent")._value.get() for part in (first, second)]
    assert sum(done) == 200
    assert rows(database_url, "SELECT count(*), max(attempt) FROM delivery_attempts") == [(200, 1)]


def test_a_lease_that_ends_is_anothers_and_the_first_ones_result_is_not_noted(database_url: str) -> None:
    begun, go = threading.Event(), threading.Event()

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        first = not begun.is_set()
        begun.set()
        if first:
            go.wait(10)
        status(500 if first else 204)(handler)

    with receiver(slowly) as here:
        subscribe(database_url, here.url)
        happen(database_url)
        with dispatching(settings(database_url, total_s=10.0)):
            assert begun.wait(10)
            change(database_url, "UPDATE deliveries SET claimed_until = now() - interval '1 second'")
            until(lambda: not waiting(database_url))
            go.set()
    assert attempts(database_url) == [(1, "sent", 204, "")]
    assert len(here.got) == 2


def test_to_a_folder(database_url: str, tmp_path: Path) -> None:
    with dispatching(settings(database_url, tmp_path)):
        subscribe(database_url, "inbox", channel="folder")
        happen(database_url, 3)
        until(lambda: not waiting(database_url))
    assert len(list((tmp_path / "centre" / "inbox").glob("*.json"))) == 3


def test_a_report_goes_with_its_files_and_has_its_receipt(database_url: str, tmp_path: Path) -> None:
    with dispatching(settings(database_url, tmp_path)):
        subscribe(database_url, "inbox", channel="folder")
        change(
            database_url,
            "WITH made AS (INSERT INTO reports (number, day, county, company, edition, facts, closed_at, issued_at) "
            "VALUES ('日报1', '2026-03-02', '', '', 1, '{}', now(), now()) RETURNING id), kept AS (INSERT INTO "
            "report_files (report_id, format, sha256, content) SELECT id, 'pdf', sha256('%%PDF'), '%%PDF' FROM made) "
            "INSERT INTO outbox (id, report_id, event) SELECT gen_random_uuid(), id, 'issued' FROM made",
        )
        until(lambda: attempts(database_url))
    folder = tmp_path / "centre" / "inbox"
    assert (folder / "日报1.pdf").read_bytes() == b"%PDF"
    assert len(list(folder.glob("*.json"))) == 1
    assert attempts(database_url) == [(1, "sent", None, "centre/inbox")]


def test_metrics(database_url: str) -> None:
    with receiver() as here, receiver(status(500)) as broken, dispatching(settings(database_url)) as part:
        subscribe(database_url, here.url)
        subscribe(database_url, broken.url)
        happen(database_url, 2)
        until(lambda: len(attempts(database_url)) == 4)
        change(database_url, "UPDATE deliveries SET due_at = now() + interval '1 hour', state = 'due'")
        change(database_url, "UPDATE cases SET due_at = now() - interval '1 hour'")
        registry = part.metrics.registry
        until(lambda: registry.get_sample_value("warnloop_cases_overdue") == 2)
        for outcome in ("sent", "later"):
            labels = {"channel": "webhook", "outcome": outcome}
            assert registry.get_sample_value("warnloop_deliveries_total", labels) == 2
        assert registry.get_sample_value("warnloop_delivery_seconds_count", {"channel": "webhook"}) == 4
        assert registry.get_sample_value("warnloop_outbox_unrouted") == 0
        assert registry.get_sample_value("warnloop_deliveries_due") == 0
        change(database_url, "UPDATE deliveries SET state = 'dead'")
        until(lambda: registry.get_sample_value("warnloop_deliveries_dead") == 4)


def test_how_long_a_hidden_failure_took_is_not_told(database_url: str, hung: tuple[str, list[int]]) -> None:
    """Refused at once, or silent until the time is up: that too would tell what there is inside."""
    subscribe(database_url, hung[0])
    happen(database_url)
    with dispatching(settings(database_url, total_s=0.4)):
        until(lambda: attempts(database_url))
    assert rows(database_url, "SELECT took_ms FROM delivery_attempts") == [(0,)]


def test_due_times_are_in_the_future_of_the_attempt(database_url: str) -> None:
    with receiver(status(500)) as here, dispatching(settings(database_url)):
        subscribe(database_url, here.url)
        happen(database_url, 5)
        until(lambda: len(attempts(database_url)) >= 5)
    found = rows(database_url, "SELECT due_at, began_at FROM deliveries JOIN delivery_attempts ON delivery_id = id")
    assert all(isinstance(due, datetime) and due > began for due, began in found)
