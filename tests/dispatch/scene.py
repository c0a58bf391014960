"""Scene: a database in which things happen, and dispatchers, here or in processes of their own, that tell of them."""

import os
import signal
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from api.dispatch import Dispatch, Settings
from dispatch import channels
from dispatch.channels.addresses import Allowed
from dispatch.channels.exchange import Bounds
from dispatch.courier import Lane
from dispatch.courier import Settings as CourierSettings
from ingest.registry import Vehicle
from ledger import subscriptions
from ledger.database import connect
from ledger.principal import CENTRE, Principal
from ledger.violations import apply
from tests.ledger.made import episode, rows, vehicle

HERE = Allowed.of("127.0.0.0/8")
LANES = (Lane(lease_s=2.0), Lane(failing=True, at_once=1, lease_s=2.0))


def happen(url: str, count: int = 1, first: int = 0, **changes: Any) -> list[uuid.UUID]:
    """Let violations be raised, each of a vehicle of its own."""
    with connect(url) as connection:
        told = []
        for at in range(first, first + count):
            name = Vehicle(f"测A{at:05}", 2)
            told.append(episode(vehicle(connection, *name), name=name, **changes))
        with connection.transaction(), connection.cursor() as cursor:
            return list(apply(cursor, told).changed)


def subscribe(url: str, target: str, principal: Principal = CENTRE, proven: bool = True, **changes: Any) -> uuid.UUID:
    """Subscribe a receiver by webhook, unless it is changed; as one that was reached before, unless it was not."""
    with connect(url) as connection:
        given = {"name": "试", "channel": "webhook", "target": target, "topics": ("violation", "report")} | changes
        id_ = subscriptions.create(connection, principal, "test", **given).id
        connection.execute("UPDATE subscriptions SET proven = %s WHERE id = %s", (proven, id_))
        return id_


def settings(
    url: str, folder: Path | None = None, patience: timedelta = timedelta(days=5), total_s: float = 2.0
) -> Settings:
    """Settings of a quick dispatcher that may send to this machine."""
    ways = channels.Settings((HERE,), folder_root=folder, bounds=Bounds(1.0, total_s, total_s))
    return Settings(url, ways, CourierSettings(url, patience=patience, poll_s=0.05), LANES, patience_s=30.0)


@contextmanager
def dispatching(chosen: Settings, **options: Any) -> Iterator[Dispatch]:
    """A dispatcher at work, for the length of a block; ended in order."""
    part = Dispatch(chosen, **options)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            part.run()
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield part
    finally:
        part.stop.set()
        thread.join(30)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


def fork(chosen: Settings, hook: Callable[[str], None]) -> int:
    """A dispatcher in a process of its own; returns its pid."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        part = Dispatch(chosen, step=hook)
        signal.signal(signal.SIGTERM, lambda *_: part.stop.set())
        part.run()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a forked process ends here, whatever happens
        traceback.print_exc()
        os._exit(1)


def at(step: str, count: int, act: Callable[[], None]) -> Callable[[str], None]:
    """Hook that acts when a step has been done for the n-th time, in any thread."""
    left, lock = [count], threading.Lock()

    def hook(name: str) -> None:
        with lock:
            left[0] -= name == step
            if name == step and left[0] == 0:
                act()

    return hook


def die() -> None:
    """Die as by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def deliveries(url: str) -> dict[uuid.UUID, tuple[Any, ...]]:
    """State and number of attempts of every delivery."""
    return {row[0]: row[1:] for row in rows(url, "SELECT id, state, attempts FROM deliveries")}


def waiting(url: str) -> int:
    """How many events and deliveries wait."""
    found = rows(
        url,
        "SELECT (SELECT count(*) FROM outbox WHERE routed_at IS NULL) + (SELECT count(*) FROM deliveries "
        "WHERE state = 'due')",
    )
    return int(found[0][0])


def change(url: str, statement: str, *parameters: Any) -> None:
    """Change something behind everybody's back."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode(), parameters)
