"""Fixtures of the API: a world, and everybody in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.tablelog import TableLog
from tests.api.posting import Running
from tests.api.world import Web, make_world, opened


@pytest.fixture
def web(database_url: str, tmp_path: Path) -> Iterator[Web]:
    """The API of a small world."""
    with opened(make_world(database_url, tmp_path)) as found:
        yield found


@pytest.fixture
def running(database_url: str) -> Iterator[Running]:
    """A gateway over a log of two partitions."""
    TableLog.create(database_url, 2)
    one = Running(database_url)
    try:
        yield one
    finally:
        one.stop()
