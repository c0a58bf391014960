"""Fixtures of the API: a world, and everybody in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.world import Web, make_world, opened


@pytest.fixture
def web(database_url: str, tmp_path: Path) -> Iterator[Web]:
    """The API of a small world."""
    with opened(make_world(database_url, tmp_path)) as found:
        yield found
