"""A small world to ask the API about: two counties, three companies, and somebody of every role."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import psycopg
import uvicorn
from fastapi import FastAPI

from api.app import make_app
from api.serve import config
from dispatch.router import route
from ingest.registry import Vehicle, read_source
from ledger import accounts, attachments, casework, closing, fixes, keys, registries, subscriptions
from ledger.closing import New
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role
from ledger.violations import apply
from tests.ledger.made import batch, episode, origin, vehicle

API = "/api/v1"
RIGHT = "correct horse"
COMPANIES = {"652301-L001": ("652301", "L"), "652301-F001": ("652301", "F"), "652302-H001": ("652302", "H")}
PEOPLE = {
    "centre": CENTRE,
    "operator": Principal(Role.OPERATOR),
    "county": Principal(Role.COUNTY, "652301"),
    "county2": Principal(Role.COUNTY, "652302"),
    "company": Principal(Role.COMPANY, "652301-L001"),
    "company2": Principal(Role.COMPANY, "652302-H001"),
}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0000000030001a5f645400000000049454e44ae426082"
)
DAY = date(2026, 11, 20)
REGISTRY = {
    "vehicles.csv": "plate,class,company,county\n"
    + "".join(f"测{company[-4:]}0,{letter},{company},{county}\n" for company, (county, letter) in COMPANIES.items())
    + "测无音讯,L,652301-L001,652301\n",  # never heard of
    "companies.csv": "company,name,module,county\n"
    + "".join(f"{company},示范{letter}公司,{letter},{county}\n" for company, (county, letter) in COMPANIES.items()),
    "counties.csv": "county,name\n652301,甲市\n652302,乙市\n",
    "fences.geojson": '{"type":"FeatureCollection","features":[{"type":"Feature",'
    '"properties":{"id":"652301","name":"甲市","kind":"county"},"geometry":{"type":"Polygon","coordinates":[[[87,43],[88,43],[88,45],[87,45],[87,43]]]}},'
    '{"type":"Feature","properties":{"id":"station-1","name":"甲站","kind":"station"},"geometry":{"type":"Polygon",'
    '"coordinates":[[[87.29,43.99],[87.31,43.99],[87.31,44.01],[87.29,44.01],[87.29,43.99]]]}}]}',
}


@dataclass
class World:
    """What there is.

    Attributes
    ----------
    violations : dict
        Company to its violations: one with a case, one without.
    reports, subscriptions, deliveries, keys : dict
        Of whom, to the id.
    files : dict
        Company to the hash of a file on its case.
    """

    url: str
    violations: dict[str, tuple[UUID, UUID]] = field(default_factory=dict)
    reports: dict[str, UUID] = field(default_factory=dict)
    subscriptions: dict[str, UUID] = field(default_factory=dict)
    deliveries: dict[str, UUID] = field(default_factory=dict)
    keys: dict[str, UUID] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def raise_violation(connection: psycopg.Connection, company: str, **changes: Any) -> UUID:
    """A violation of a company's vehicle, just now."""
    name, at = Vehicle(f"测{company[-4:]}0", 2), now_ms()
    told = {
        "name": name, "company": company, "county": COMPANIES[company][0], "begins_ms": at - 60_000, "raised_ms": at,
        "ends_ms": at, "severity": 3, "merge_ms": 0, "measures": {"peak_kmh": 111.5, "limit_kmh": 100.0},
    }  # fmt: skip
    with connection.transaction(), connection.cursor() as cursor:
        (id_,) = apply(cursor, [episode(vehicle(connection, *name), **(told | changes))]).changed
    return id_


def fix(connection: psycopg.Connection, company: str, offset: int, **columns: Any) -> None:
    """A fix of a company's vehicle, just now, at an offset of partition 0."""
    at = now_ms()
    some = batch(1, **({"time_ms": [at], "received_ms": [at]} | columns))
    number = vehicle(connection, f"测{company[-4:]}0")
    with connection.transaction(), connection.cursor() as cursor:
        where = origin(1, first_offset=offset, logged_ms=at - 1000 * offset)
        fixes.write(cursor, some, where, some.vehicle + number, np.zeros(1, np.uint8))
        cursor.execute(
            "INSERT INTO positions (partition, next_offset, registry_version) VALUES (0, %s, 1) "
            "ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset",
            (offset + 1,),
        )


def make_world(url: str, folder: Path) -> World:
    """Fill a migrated database."""
    world = World(url)
    for file, text in REGISTRY.items():
        (folder / file).write_text(text, encoding="utf-8")
    with connect(url) as connection:
        registries.store(connection, read_source(folder), "test")
        for login, principal in PEOPLE.items():
            accounts.create(connection, login, RIGHT, principal, "test")
        for who in ("centre", "county", "county2", "company", "company2"):
            made = subscriptions.create(
                connection, PEOPLE[who], who, name=f"of {who}", channel="webhook", target="https://example.org/in"
            )
            world.subscriptions[who] = made.id
            world.keys[who], _ = keys.create(connection, PEOPLE[who], f"of {who}", ("read",), who)
        for offset, company in enumerate(COMPANIES):
            with_case = raise_violation(connection, company)
            notice = raise_violation(connection, company, kind="V03", severity=1)
            world.violations[company] = with_case, notice
            fix(connection, company, offset, lon=[87.3], lat=[44.0])
        while route(connection):
            pass
        for who, company in (("company", "652301-L001"), ("company2", "652302-H001")):
            content = PNG[:-12] + b"\x00\x00\x00\x04tEXt" + who[-4:].encode() + b"\x00\x00\x00\x00" + PNG[-12:]
            stored = attachments.store(connection, PEOPLE[who], who, "证据.png", [content])
            world.files[company] = stored
            hung = [("证据.png", stored)]
            casework.make_move(connection, PEOPLE[who], who, world.violations[company][0], "submit", "已整改", hung)
        _issue(connection, world)
        while route(connection):
            pass
        rows = connection.execute("SELECT subscription_id, id FROM deliveries").fetchall()
        of_subscription: dict[UUID, UUID] = dict(rows)
        world.deliveries = {who: of_subscription[id_] for who, id_ in world.subscriptions.items()}
    return world


def _issue(connection: psycopg.Connection, world: World) -> None:
    parties = {"centre": ("", ""), "county": ("652301", ""), "county2": ("652302", "")}
    parties |= {"company": ("652301", "652301-L001"), "company2": ("652302", "652302-H001")}
    facts = b'{"party": {"county": ""}, "totals": {"violations": 3}}'
    with closing.snapshot(connection) as now:
        new = [New(f"日报/{who}", *party, 1, "", facts) for who, party in parties.items()]
        closing.keep(connection, DAY, now, new, "test")
    while (report := closing.unrendered(connection, DAY)) is not None:
        files = {"html": b"<p>", "pdf": b"%PDF", "xlsx": b"PK", "csv": b"\xef\xbb\xbf"}
        closing.keep_files(connection, report.id, files)
    closing.issue(connection, DAY, "test")
    rows = connection.execute("SELECT number, id FROM reports").fetchall()
    world.reports = {number.partition("/")[2]: id_ for number, id_ in rows}


@dataclass
class Someone:
    """Somebody who asks the API."""

    client: httpx.Client
    headers: dict[str, str]

    def __call__(self, method: str, path: str, **given: Any) -> httpx.Response:
        headers = self.headers | given.pop("headers", {})
        return self.client.request(
            method, path if path.startswith("/healthz") else API + path, headers=headers, **given
        )

    def get(self, path: str, **given: Any) -> Any:
        """JSON of what there is."""
        answer = self("GET", path, **given)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class Web:
    """The API of a world."""

    app: FastAPI
    client: httpx.Client
    world: World
    people: dict[str, Someone] = field(default_factory=dict)

    @property
    def nobody(self) -> Someone:
        """Somebody who does not say who it is."""
        return Someone(self.client, {"X-Warnloop": "1"})

    def log_in(self, login: str) -> Someone:
        """Somebody with a session of their own."""
        answer = self.nobody("POST", "/session", json={"login": login, "password": RIGHT})
        assert answer.status_code == 200, answer.text
        token = answer.cookies["warnloop"]
        self.client.cookies.clear()
        return Someone(self.client, {"Cookie": f"warnloop={token}", "X-Warnloop": "1"})

    def by_key(self, principal: Principal, *scopes: str) -> Someone:
        """A program with a key."""
        with connect(self.world.url) as connection:
            _, key = keys.create(connection, principal, f"test {uuid4()}", scopes, "test")
        return Someone(self.client, {"Authorization": f"Bearer {key}"})

    def audited(self, *actions: str) -> list[tuple[Any, ...]]:
        """Actor, action, subject of rows of the audit, of some actions."""
        with connect(self.world.url) as connection:
            rows = connection.execute("SELECT actor, action, subject FROM audit ORDER BY number").fetchall()
        return [row for row in rows if row[1] in actions]


class _Server(uvicorn.Server):
    """A server in a thread; signals are not its own."""

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """URL of a real server, for the length of a block."""
    server = _Server(config(app, "127.0.0.1", port))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "it did not start"
            thread.join(0.02)
        yield f"http://127.0.0.1:{server.port}"
    finally:
        app.state.held.stopping.set()
        server.should_exit = True
        thread.join()


@contextmanager
def opened(world: World) -> Iterator[Web]:
    """The API of a world, with everybody logged in."""
    app = make_app(world.url)
    with serving(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        assert app.state.held.live.wait(10)
        web = Web(app, client, world)
        web.people = {login: web.log_in(login) for login in PEOPLE}
        yield web
