"""Fixtures for all tests: real databases. Whoever asks for one is tested on each kind of server."""

from collections import Counter
from collections.abc import Iterator

import pytest

from deploy.timescale.install import UnavailableError
from tests.servers import KINDS, Servers, swept_folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was left out, and why."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} tests LEFT OUT: {reason.removeprefix('Skipped: ')}", red=True, bold=True)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The session's servers; started when first used."""
    with swept_folder() as folder:
        yield Servers(folder)


@pytest.fixture(params=KINDS)
def server_kind(request: pytest.FixtureRequest, servers: Servers) -> str:
    """Kind of server that the test runs on; TimescaleDB is left out, loudly, where it cannot be had."""
    kind = str(request.param)
    try:
        servers.url(kind)
    except UnavailableError as reason:
        pytest.skip(f"no {kind}: {reason}")
    return kind


@pytest.fixture
def empty_url(server_kind: str, servers: Servers) -> Iterator[str]:
    """URL of a fresh database with nothing in it."""
    with servers.database(server_kind) as url:
        yield url


@pytest.fixture
def database_url(server_kind: str, servers: Servers) -> Iterator[str]:
    """URL of a fresh database, migrated to the newest version."""
    with servers.database(server_kind, template=servers.migrated(server_kind)) as url:
        yield url
