"""Deliveries, measured: how many a second one dispatch process makes to real receivers over HTTP."""

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg

from api.dispatch import Dispatch, Settings
from bench.ledger import product
from dispatch import channels
from dispatch.channels.addresses import Allowed
from dispatch.courier import Settings as CourierSettings
from dispatch.router import route
from ingest.registry import Vehicle
from ledger import subscriptions
from ledger.database import connect
from ledger.migrate import migrate
from ledger.principal import CENTRE, Principal, Role
from ledger.violations import apply
from tests.ledger.made import episode, vehicle

EVENTS = 2_000
COUNTIES = tuple(f"6523{at:02}" for at in range(1, 9))
"""Each county's events go to its own subscription, all of them to the centre's: two deliveries an event."""

LOOPBACK = (Allowed.of("127.0.0.0/8"),)


def receive(ready: Connection) -> None:
    """Take webhooks in a process of its own; told to stop, say how many ids came, and how many requests."""
    seen: set[str] = set()
    count = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            seen.add(self.headers["webhook-id"])
            count[0] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        ready.send(server.server_address[1])
        ready.recv()
        ready.send((len(seen), count[0]))
        server.shutdown()
        thread.join()


def prepare(url: str, port: int) -> None:
    """Subscriptions and events."""
    principals = [CENTRE, *(Principal(Role.COUNTY, county) for county in COUNTIES)]
    with connect(url) as connection:
        for principal in principals:
            subscriptions.create(
                connection, principal, "bench", name="bench", channel="webhook", target=f"http://127.0.0.1:{port}/",
                topics=("violation",),
            )  # fmt: skip
        told = []
        for at in range(EVENTS):
            name = Vehicle(f"测B{at:05}", 2)
            told.append(episode(vehicle(connection, *name), name=name, county=COUNTIES[at % len(COUNTIES)]))
        with connection.transaction(), connection.cursor() as cursor:
            apply(cursor, told)


def left(connection: psycopg.Connection) -> int:
    """Deliveries that are not sent."""
    row = connection.execute("SELECT count(*) FROM deliveries WHERE state <> 'sent'").fetchone()
    assert row is not None
    return int(row[0])


def measure(url: str) -> None:
    """Route all events, then deliver; print the figures."""
    ours, theirs = multiprocessing.Pipe()
    receiver = multiprocessing.get_context("fork").Process(target=receive, args=(theirs,), daemon=True)
    receiver.start()
    prepare(url, ours.recv())
    with connect(url) as connection:
        began = time.monotonic()
        while route(connection):
            pass
        took = time.monotonic() - began
        owed = left(connection)
        print(f"routed {EVENTS:,} events to {owed:,} deliveries in {took:.1f} s: {EVENTS / took:,.0f} events/s")
        part = Dispatch(Settings(url, channels.Settings(LOOPBACK), CourierSettings(url)))
        thread = threading.Thread(target=part.run)
        cpu, began = time.process_time(), time.monotonic()
        thread.start()
        while left(connection):
            time.sleep(0.05)
        took, cpu = time.monotonic() - began, time.process_time() - cpu
        part.stop.set()
        thread.join()
    ours.send("stop")
    ids, requests = ours.recv()
    assert ids == requests == 2 * EVENTS, (ids, requests)
    print(
        f"delivered {ids:,} webhooks, signed, each on a connection of its own, to 9 subscriptions at one receiver in "
        f"{took:.1f} s: {ids / took:,.0f} deliveries/s; {1_000 * cpu / ids:.2f} ms of CPU each; "
        f"{os.cpu_count()} cores shared with PostgreSQL and the receiver"
    )


def main() -> None:
    """Measure on an embedded server of the product."""
    with tempfile.TemporaryDirectory(prefix="warnloop-") as folder:
        server = product(sys.argv[1] if len(sys.argv) > 1 else "postgres", Path(folder) / "server")
        url = server.start()
        try:
            migrate(url)
            measure(url)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
