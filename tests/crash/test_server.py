"""The database dies with all its processes, or is stopped in order, and comes back, while workers are at work."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from ledger.embedded import Embedded
from tests.crash.ground import Ground
from tests.crash.nursery import Nursery, Plan
from tests.servers import Servers, swept_folder

SEED = 1


@pytest.fixture
def own(server_kind: str, nursery: Nursery) -> Iterator[tuple[Ground, Embedded]]:
    """A ground on a server of its own, and that server."""
    with swept_folder() as folder, ExitStack() as stack:
        ground = Ground(Servers(folder), server_kind, nursery, stack)
        ground.servers.url(server_kind)
        yield ground, Servers.server(server_kind, folder / server_kind)


def kill(server: Embedded) -> None:
    """Kill a server with all its processes at once."""
    assert server.pid is not None
    every = [server.pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            number, parent = path.parent.name, path.read_text().rpartition(")")[2].split()[1]
            every += [int(number)] * (parent == str(server.pid))
    for pid in every:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_it_comes_back(ground: Ground, own: tuple[Ground, Embedded], how: str) -> None:
    truth = ground.undisturbed(SEED)
    here, server = own
    with here.laid(SEED) as url:
        children = [here.nursery.spawn(Plan(url, frames=1)) for _ in range(2)]
        for pause_s in (0.2, 0.35, 0.5):
            time.sleep(pause_s)
            if how == "killed":
                kill(server)
            else:
                server.stop()
            time.sleep(0.1)
            server.start()
        told = [child.wait() for child in children]
        assert sum(one.metrics["warnloop_troubles"] for one in told) >= 2
        here.drain(Plan(url))
        here._undisturbed[SEED, 2] = truth
        here.check(url, SEED)


def test_it_stays_away(own: tuple[Ground, Embedded]) -> None:
    """A worker does not try for ever, and says what the matter is."""
    here, server = own
    with here.laid(SEED) as url:
        child = here.nursery.spawn(Plan(url, frames=1, patience_s=1.0))
        time.sleep(0.3)
        kill(server)
        began = time.monotonic()
        child.wait(gives_up=True)
        assert time.monotonic() - began < 5.0
        assert "is it running?" in child.notes()
        assert child.notes().count("trying again") > 2
        server.start()
        here.drain(Plan(url))
