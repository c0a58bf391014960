"""The log under test, fresh."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from ingest.log import Log, LogReader
from tests.conformance.following import reading
from tests.conformance.implementations import Implementation, Table


@pytest.fixture
def implementation(request: pytest.FixtureRequest, database_url: str) -> Iterator[Implementation]:
    """An implementation with a log of its own."""
    assert request.param == "table"
    table = Table(database_url)
    yield table
    table.check()


@pytest.fixture
def log(implementation: Implementation) -> Iterator[Log]:
    """A user of the log."""
    with closing(implementation.open()) as log:
        yield log


@pytest.fixture
def reader(log: Log) -> Iterator[LogReader]:
    """The only reader of the fixture ``log``."""
    with reading(log) as reader:
        yield reader
