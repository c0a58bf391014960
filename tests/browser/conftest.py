"""Fixtures of the browser tests: one stage for all of them; left out, loudly, where there is no browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.stage import CHROMIUM, Stage, plant, staged
from tests.servers import Servers

VEHICLES = 60


@pytest.fixture(scope="session")
def stage(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server with a small fleet, and a browser."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser: there is no {CHROMIUM} (apt-get install chromium fonts-noto-cjk)")
    folder = tmp_path_factory.mktemp("stage")
    with (
        servers.database("postgres", template=servers.migrated("postgres")) as url,
        sync_playwright() as playwright,
    ):
        plant(url, folder / "fleet", VEHICLES)
        with staged(url, folder, playwright) as made:
            yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """No page complains of anything: no error of a script, nothing that the content security policy forbids."""
    yield
    if "stage" in request.fixturenames:
        made: Stage = request.getfixturevalue("stage")
        told, made.errors = made.errors, []
        assert not told
