"""The live stream: nothing is lost, nothing told twice, nobody sees another's, nobody holds up another."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from api import stream
from api.app import make_app
from dispatch.router import route
from ledger import casework
from ledger.database import connect
from tests.api.world import API, PEOPLE, RIGHT, Someone, Web, World, fix, make_world, now_ms, raise_violation, serving

PATIENCE_S = 10.0
"""How long an event is waited for [s]."""


class Event(NamedTuple):
    """One event as a client gets it."""

    name: str
    id: int | None
    data: Any


def parse(lines: Iterator[str]) -> Iterator[Event]:
    """Events of a stream, as a browser reads them; each within a time, or it fails."""
    fields: dict[str, str] = {}
    until = time.monotonic() + PATIENCE_S
    for line in lines:
        assert time.monotonic() < until, "nothing is told"
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield Event(fields["event"], int(fields["id"]) if "id" in fields else None, json.loads(fields["data"]))
            fields = {}
            until = time.monotonic() + PATIENCE_S


@contextmanager
def watching(someone: Someone, last: int | None = None, *, positions: bool = False) -> Iterator[Iterator[Event]]:
    """A stream of somebody's, from behind the last event that was told."""
    path = f"{API}/stream?positions={str(positions).lower()}"
    headers = someone.headers | ({} if last is None else {"Last-Event-ID": str(last)})
    with someone.client.stream("GET", path, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield parse(answer.iter_lines())


def happen(url: str, count: int, company: str = "652301-L001", first: int = 0) -> list[str]:
    """Violations one after the other, each routed on its own; their ids."""
    found = []
    with connect(url) as connection:
        for one in range(first, first + count):
            at = now_ms() - 1_000_000 * (one + 1)
            told = {"begins_ms": at, "raised_ms": at, "ends_ms": at + 10, "kind": "V09"}
            found.append(str(raise_violation(connection, company, **told)))
            while route(connection):
                pass
    return found


def test_what_happens_is_told_in_order_and_once(web: Web) -> None:
    with watching(web.people["county"]) as events:
        hello = next(events)
        assert hello.name == "hello"
        ids = happen(web.world.url, 3)
        told = [next(events) for _ in ids]
    assert [one.data["violation"]["id"] for one in told] == ids
    assert {(one.name, one.data["event"]) for one in told} == {("violation", "raised")}
    numbers = [one.id for one in told]
    assert numbers == [one.data["number"] for one in told] == [hello.data["number"] + at for at in (1, 2, 3)]
    assert told[0].data["violation"]["case"]["state"] == "pushed"


def test_a_move_and_a_report_are_told(web: Web) -> None:
    with watching(web.people["company"], 0) as events:
        found = list(take_until(events, "report"))
    assert next(one for one in found if one.name == "case").data["move"] == "submit"
    report = found[-1].data["report"]
    assert (report["company"], report["company_name"], report["number"]) == ("652301-L001", "示范L公司", "日报/company")


def take_until(events: Iterator[Event], name: str) -> Iterator[Event]:
    for event in events:
        yield event
        if event.name == name:
            return


def test_everybody_is_told_their_own(web: Web) -> None:
    happen(web.world.url, 1, "652301-F001")
    ours, theirs = happen(web.world.url, 1)[0], happen(web.world.url, 1, "652302-H001")[0]
    for who in ("centre", "operator", "county", "company", "company2"):
        found: list[Event] = []
        with watching(web.people[who], 0) as events:
            last = ours if who in ("county", "company") else theirs
            while not found or found[-1].data.get("violation", {}).get("id") != last:
                found.append(next(events))
        told = [one.data.get("violation") or one.data.get("report") for one in found[1:]]
        seen = {(one["county"], one["company"]) for one in told}
        companies = {company for _, company in seen}
        if who in ("centre", "operator"):
            assert companies == {"", "652301-L001", "652301-F001", "652302-H001"}
        elif who == "county":
            assert {county for county, _ in seen} == {PEOPLE[who].tenant}
            assert companies == {"", "652301-L001", "652301-F001"}
        else:
            assert companies == {PEOPLE[who].tenant}
        numbers = [one.id or 0 for one in found[1:]]
        assert numbers == sorted(set(numbers))


def test_a_broken_stream_resumes_without_loss_or_double(web: Web) -> None:
    """Broken off again and again while things happen, it tells what one unbroken stream tells."""
    with watching(web.people["county"]) as events:
        begin = next(events).data["number"]
    thread = threading.Thread(target=happen, args=(web.world.url, 60))
    thread.start()
    found: list[Event] = []
    last, breaks = begin, 0
    while len(found) < 60:
        with watching(web.people["county"], last) as events:
            assert next(events).data["number"] == last
            for _ in range(7):
                event = next(events)
                found.append(event)
                last = event.id or 0
                if len(found) == 60:
                    break
        breaks += 1
    thread.join()
    assert [one.id for one in found] == list(range(begin + 1, begin + 61))
    assert len({one.data["violation"]["id"] for one in found}) == 60
    assert breaks > 5


def test_it_survives_a_restart_of_the_server(database_url: str, tmp_path: Path) -> None:
    world = make_world(database_url, tmp_path)
    told: list[int] = []
    last: int | None = None
    cookie = ""
    for one in range(3):
        with serving(make_app(world.url)) as url, httpx.Client(base_url=url, timeout=20) as client:
            if not cookie:
                body = {"login": "centre", "password": RIGHT}
                cookie = client.post(f"{API}/session", json=body).cookies["warnloop"]
                client.cookies.clear()
            someone = Someone(client, {"Cookie": f"warnloop={cookie}"})
            with watching(someone, last) as events:
                next(events)
                if last is not None:
                    told.append(next(events).id or 0)  # happened while nobody served
                happen(world.url, 1, first=2 * one)
                told.append(next(events).id or 0)
                last = told[-1]
        happen(world.url, 1, first=2 * one + 1)
    assert told == list(range(told[0], told[0] + 5))


def test_positions_come_first_whole_then_what_moves(web: Web) -> None:
    with watching(web.people["county"], positions=True) as events:
        assert next(events).name == "hello"
        whole = next(events)
        assert (whole.name, whole.id, len(whole.data["vehicles"])) == ("positions", None, 2)
        assert whole.data["stale"] is False
        with connect(web.world.url) as connection:
            fix(connection, "652301-F001", 50, lon=[87.7], speed_kmh=[float("nan")])
            fix(connection, "652302-H001", 51, lon=[87.8])
        moved = next(event for event in events if event.data["vehicles"])
    (row,) = moved.data["vehicles"]
    assert row[1:9] == ["测F0010", "F", "652301-F001", "652301", 87.7, 44.0, None, 60.5]
    assert row[10] == 3, "its open violation"


def test_a_session_that_ends_ends_its_stream(web: Web) -> None:
    someone = web.log_in("county")
    with watching(someone) as events:
        assert next(events).name == "hello"
        someone("DELETE", "/session")
        began = time.monotonic()
        assert list(events) == []
        assert time.monotonic() - began < 5


def test_a_program_streams_by_its_key(web: Web) -> None:
    with watching(web.by_key(PEOPLE["company"], "read")) as events:
        assert next(events).name == "hello"
    assert web.by_key(PEOPLE["company"], "casework")("GET", "/stream").status_code == 403


def test_who_does_not_read_is_dropped_and_holds_up_nobody(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "DROP_S", 1.0)
    monkeypatch.setattr(stream, "_event", lambda *_: b"event: x\ndata: " + b"x" * (1 << 20) + b"\n\n")
    monkeypatch.setattr(stream, "POSITIONS_S", 0.0)
    place = urlsplit(str(web.client.base_url))
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as sock:
        head = f"GET {API}/stream HTTP/1.1\r\nHost: x\r\nCookie: {web.people['county'].headers['Cookie']}\r\n\r\n"
        sock.sendall(head.encode())
        until = time.monotonic() + 15
        while web.app.state.held.metrics.streams_dropped._value.get() == 0:
            assert time.monotonic() < until, "it was not dropped"
            began = time.monotonic()
            assert web.people["company"].get("/violations")
            assert time.monotonic() - began < 2
    until = time.monotonic() + 5
    while web.app.state.held.streams:
        assert time.monotonic() < until, "it still counts"
        time.sleep(0.02)


def test_it_goes_on_after_the_database_was_away(web: Web) -> None:
    """Every connection is cut: what happens afterwards is told on the same stream, and requests are answered."""
    with watching(web.people["county"]) as events:
        next(events)
        with connect(web.world.url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ids = happen(web.world.url, 2)
        assert [next(events).data["violation"]["id"] for _ in ids] == ids
    assert web.people["county"].get("/violations")["items"][0]


def test_clients_of_a_view_share_the_work(web: Web) -> None:
    world: World = web.world
    got: list[list[int]] = [[] for _ in range(8)]

    def watch(at: int, ready: threading.Barrier) -> None:
        with (
            httpx.Client(base_url=web.client.base_url, timeout=20) as client,
            watching(Someone(client, web.people["county"].headers)) as events,
        ):
            next(events)
            ready.wait()
            got[at] = [next(events).id or 0 for _ in range(10)]

    ready = threading.Barrier(9)
    threads = [threading.Thread(target=watch, args=(at, ready)) for at in range(8)]
    for thread in threads:
        thread.start()
    ready.wait()
    happen(world.url, 10)
    for thread in threads:
        thread.join(20)
    assert all(one == list(range(one[0], one[0] + 10)) for one in got)
    assert len({tuple(one) for one in got}) == 1


def test_a_withdrawn_case_is_told(web: Web) -> None:
    violation = web.world.violations["652301-F001"][0]
    with watching(web.people["county"]) as events:
        next(events)
        with connect(web.world.url) as connection:
            with connection.transaction(), connection.cursor() as cursor:
                casework.system_move(cursor, violation, "withdraw", "规则更正")
            while route(connection):
                pass
        event = next(events)
    assert (event.name, event.data["move"], event.data["to_state"]) == ("case", "withdraw", "withdrawn")
    assert event.data["violation"]["case"]["state"] == "withdrawn"
