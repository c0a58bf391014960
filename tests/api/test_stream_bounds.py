"""Bounds of streams: how many there are, what they may hold up, and how long they go on unseen."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from api import stream
from ledger.database import connect
from tests.api.test_stream import happen, watching
from tests.api.world import PEOPLE, Someone, Web


@contextmanager
def without(web: Web, table: str) -> Iterator[None]:
    """A database where a table cannot be read."""
    with connect(web.world.url) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            yield
        finally:
            connection.execute(f"ALTER TABLE away RENAME TO {table}")


def opened(open_: ExitStack, someone: Someone, after: int | None = None) -> None:
    """A stream that has begun, and stays open as long as the others."""
    events = open_.enter_context(watching(someone, after))
    next(events)
    open_.callback(list, [events])  # whoever lets go of it ends it


def wait_for(web: Web, streams: int) -> None:
    until = time.monotonic() + 10
    while web.app.state.held.streams != streams:
        assert time.monotonic() < until, f"{web.app.state.held.streams} streams, not {streams}"
        time.sleep(0.01)


def test_so_many_and_no_more(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a session, and of a tenant; others have theirs."""
    monkeypatch.setattr(stream, "OF_TENANT", 13)
    with ExitStack() as open_:
        for _ in range(stream.OF_SESSION):
            opened(open_, web.people["company"])
        answer = web.people["company"]("GET", "/stream", timeout=5)
        assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many")
        assert answer.headers["Retry-After"] == "10"
        key = web.by_key(PEOPLE["company"], "read")
        for someone in (web.log_in("company"), key, key):
            opened(open_, someone)
        assert web.log_in("company")("GET", "/stream", timeout=5).status_code == 429
        for who in ("company2", "county", "centre"):
            opened(open_, web.people[who])
    wait_for(web, 0)
    with watching(web.people["company"]) as events:
        assert next(events).name == "hello"


def test_the_centre_has_a_place_when_all_are_taken(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.stream.MOST", 1)
    with watching(web.people["company"]) as events:
        next(events)
        assert web.people["county"]("GET", "/stream", timeout=5).status_code == 503
        with watching(web.people["centre"]) as others:
            assert next(others).name == "hello"


def test_streams_that_catch_up_hold_up_no_request(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than threads or connections, all of them waiting for the database."""
    monkeypatch.setattr(stream, "OF_SESSION", 50)
    happen(web.world.url, 50)
    with ExitStack() as open_, connect(web.world.url) as connection, connection.transaction():
        connection.execute("LOCK TABLE reports IN ACCESS EXCLUSIVE MODE")
        for after in range(45):
            opened(open_, web.people["county"], after)
        for _ in range(5):
            began = time.monotonic()
            assert web.people["company"].get("/violations")["items"]
            assert time.monotonic() - began < 2


def test_those_who_catch_up_share_what_is_read(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """From wherever they begin, they are told what follows, once and in order."""
    monkeypatch.setattr(stream, "AT_ONCE", 20)
    monkeypatch.setattr(stream, "OF_SESSION", 50)
    monkeypatch.setattr(stream, "KEPT_S", 60.0)
    reads: list[tuple[int, int]] = []
    read = stream.Stream._read

    def counted(self: stream.Stream, after: int, upto: int) -> list[tuple[int, bytes]]:
        reads.append((after, upto))
        return read(self, after, upto)

    happen(web.world.url, 45)
    with watching(web.people["county"]) as events:
        newest = next(events).data["number"]
    monkeypatch.setattr(stream.Stream, "_read", counted)
    first = newest - 44
    for after in range(first - 1, first + 19):
        with watching(web.people["county"], after) as events:
            next(events)
            assert [next(events).id for _ in range(newest - after)] == list(range(after + 1, newest + 1))
    assert len(reads) <= 5, "not one for each of twenty"


def test_a_session_that_ends_while_its_stream_is_behind(web: Web) -> None:
    """It is never up to date, for what happened cannot be read."""
    someone = web.log_in("county")
    with without(web, "reports"), watching(someone, 0) as events:
        next(events)
        someone("DELETE", "/session")
        began = time.monotonic()
        assert list(events) == []
        assert time.monotonic() - began < 6
    wait_for(web, 0)


def test_what_cannot_be_looked_at_ends(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "UNCHECKED_S", 4.0)
    with watching(web.people["county"]) as events:
        next(events)
        with without(web, "sessions"):
            happen(web.world.url, 1)
            told = list(events)
    assert len(told) <= 1, "what happened while it was still believed"
