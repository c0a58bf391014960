"""Outbox: what arrives is heard of, and read in one transaction with its numbers."""

import threading
import time

import pytest

from ledger import outbox
from ledger.database import connect
from tests.dispatch.scene import happen
from tests.ledger.made import rows


def test_whoever_listens_hears_at_once(database_url: str) -> None:
    with connect(database_url) as connection:
        outbox.listen(connection)
        began = time.monotonic()
        assert not outbox.wait(connection, 0.05)
        teller = threading.Thread(target=happen, args=(database_url,))
        teller.start()
        assert outbox.wait(connection, 10)
        assert time.monotonic() - began < 5
        teller.join()
        with outbox.unrouted(connection, 9) as (cursor, found):
            assert outbox.routed(cursor, [row["id"] for row in found]) == 1
        assert outbox.wait(connection, 10), "of what was routed, too"


def test_an_error_in_the_block_undoes_it(database_url: str) -> None:
    happen(database_url, 2)
    with connect(database_url) as connection:

        def fails() -> None:
            with outbox.unrouted(connection, 9) as (cursor, found):
                outbox.routed(cursor, [row["id"] for row in found])
                raise KeyError

        with pytest.raises(KeyError):
            fails()
        assert rows(database_url, "SELECT number FROM feed_head") == [(0,)]
        with outbox.unrouted(connection, 1) as (_, found):
            assert [row["event"] for row in found] == ["raised"]


def test_what_is_routed_already_gets_no_second_number(database_url: str) -> None:
    happen(database_url, 2)
    with connect(database_url) as connection:
        with outbox.unrouted(connection, 9) as (cursor, found):
            ids = [row["id"] for row in found]
            assert outbox.routed(cursor, ids) == 2
            assert outbox.routed(cursor, ids) == 2
        with outbox.unrouted(connection, 9) as (_, found):
            assert found == []
    assert rows(database_url, "SELECT feed_number FROM outbox ORDER BY number") == [(1,), (2,)]
