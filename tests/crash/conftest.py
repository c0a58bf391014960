"""Fixtures: the ground on each kind of server, and the nursery that workers come from."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.ground import Ground
from tests.crash.nursery import Nursery
from tests.servers import Servers


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    folder: Path = tmp_path_factory.mktemp("workers")
    with Nursery(folder) as nursery:
        yield nursery


@pytest.fixture(scope="session")
def grounds(servers: Servers, nursery: Nursery) -> Iterator[dict[str, Ground]]:
    with ExitStack() as stack:
        yield {kind: Ground(servers, kind, nursery, stack) for kind in ("postgres", "timescale")}


@pytest.fixture
def ground(server_kind: str, grounds: dict[str, Ground]) -> Ground:
    return grounds[server_kind]
