"""Crashes: a dispatcher killed anywhere; compared with one that was left alone."""

import os
import uuid
from collections import Counter
from typing import Any

import pytest

from tests.dispatch.made import Receiver, receiver, until
from tests.dispatch.scene import at, deliveries, die, dispatching, fork, happen, settings, subscribe, waiting
from tests.ledger.made import rows

EVENTS = 12


def picture(url: str) -> Any:
    """What must be the same in the end, whatever happened meanwhile."""
    return (
        rows(url, "SELECT id, event, feed_number, routed_at IS NOT NULL FROM outbox ORDER BY id"),
        rows(
            url,
            "SELECT outbox_id, type, payload::jsonb - 'timestamp', state, claimed_until, settled_at IS NOT NULL "
            "FROM deliveries ORDER BY outbox_id",
        ),
        rows(url, "SELECT violation_id, state, moves FROM cases ORDER BY 1"),
    )


def ids(got: Receiver) -> Counter[uuid.UUID]:
    return Counter(uuid.UUID(one.headers["webhook-id"]) for one in got.got)


@pytest.fixture
def undisturbed(servers: Any, server_kind: str) -> Any:
    """The picture after a run that nothing disturbed, in a database of its own."""
    with servers.database(server_kind, template=servers.migrated(server_kind)) as other, receiver() as here:
        subscribe(other, here.url)
        happen(other, EVENTS)
        with dispatching(settings(other)):
            until(lambda: not waiting(other))
        assert set(ids(here).values()) == {1}
        return picture(other)


@pytest.mark.parametrize(
    ("step", "count"),
    [
        ("deliveries", 1),
        ("commit", 1),
        ("claim", 1),
        ("claim", 2),
        ("send", 1),
        ("send", 5),
        ("settle", 1),
        ("settle", 2),
    ],
)
def test_killed_anywhere(database_url: str, undisturbed: Any, step: str, count: int) -> None:
    with receiver() as here:
        subscribe(database_url, here.url)
        happen(database_url, EVENTS)
        pid = fork(settings(database_url), at(step, count, die))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
        with dispatching(settings(database_url)):
            until(lambda: not waiting(database_url), 30)
    assert picture(database_url) == undisturbed
    assert set(ids(here)) == set(deliveries(database_url)), "each at least once, under its own id"
    assert ids(here).total() <= EVENTS + 4, "sent again is only what was in hands"
    noted = rows(database_url, "SELECT delivery_id, count(*), max(attempt) FROM delivery_attempts GROUP BY 1")
    assert {row[1:] for row in noted} == {(1, 1)}
