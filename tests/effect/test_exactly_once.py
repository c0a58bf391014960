"""Whatever dies, hangs or is cut off: the ledger is that of an undisturbed run."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.database import connect
from tests.effect.proxy import Proxy
from tests.effect.runs import QUICK, STEPS, at, die, ended, fork, freeze, freeze_in_copy, work
from tests.effect.scenario import load, picture
from tests.servers import Servers

SEEDS = (1, 2)


class Scene:
    """A scenario in a database of its own, from which others are made, and what an undisturbed run makes of it."""

    def __init__(self, servers: Servers, kind: str, folder: Path, seed: int, stack: ExitStack) -> None:
        self.servers, self.kind = servers, kind
        self.url = stack.enter_context(servers.database(kind, template=servers.migrated(kind)))
        load(self.url, folder, seed)
        self.name = self.url.split("?")[0].rsplit("/", 1)[1]
        with self.fresh() as url:
            work(url)
            self.truth = picture(url)

    def fresh(self) -> AbstractContextManager[str]:
        """A fresh copy."""
        return self.servers.database(self.kind, template=self.name)


@pytest.fixture(scope="module")
def scenes(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, int], Scene]]:
    with ExitStack() as stack:
        found: dict[tuple[str, int], Scene] = {}

        class Made(dict[tuple[str, int], Scene]):
            def __missing__(self, key: tuple[str, int]) -> Scene:
                self[key] = Scene(servers, key[0], tmp_path_factory.mktemp("scene"), key[1], stack)
                return self[key]

        found = Made()
        yield found


@pytest.fixture(params=SEEDS)
def scene(request: pytest.FixtureRequest, server_kind: str, scenes: dict[tuple[str, int], Scene]) -> Scene:
    return scenes[server_kind, request.param]


@pytest.fixture
def one(server_kind: str, scenes: dict[tuple[str, int], Scene]) -> Scene:
    return scenes[server_kind, SEEDS[0]]


def assert_same(url: str, truth: dict[str, list[Any]]) -> None:
    for table, rows in picture(url).items():
        assert rows == truth[table], table


def test_the_scenario_is_worth_it(scene: Scene) -> None:
    counts = {table: len(rows) for table, rows in scene.truth.items()}
    assert counts["fixes"] > 2_500
    assert counts["quarantine"] > 5
    assert counts["violations"] > 20
    assert counts["revisions"] > counts["violations"]
    assert counts["warnings"] > 5
    assert counts["outbox"] > counts["warnings"]
    facts = {row[0]["fact"] for row in scene.truth["revisions"]}
    assert {"raised", "risen", "ended"} <= facts
    with connect(scene.url) as connection:
        assert connection.execute("SELECT count(*) FROM violations").fetchone() == (0,)


@pytest.mark.parametrize("frames", [1, 3, 500])
def test_cuts_do_not_matter(scene: Scene, frames: int) -> None:
    with scene.fresh() as url:
        work(url, frames=frames)
        assert_same(url, scene.truth)


@pytest.mark.parametrize("step", STEPS)
def test_kill_at_every_step(scene: Scene, step: str) -> None:
    with scene.fresh() as url:
        for count in (1, 2, 5):
            assert ended(fork(url, at(step, count, die))) in (-signal.SIGKILL, 0)
        assert ended(fork(url)) == 0
        assert_same(url, scene.truth)


@pytest.mark.parametrize("seed", range(4))
def test_three_workers_killed_at_random(one: Scene, seed: int) -> None:
    chance = random.Random(seed)
    with one.fresh() as url:
        for _ in range(3):
            pids = [fork(url, at(chance.choice(STEPS), chance.randint(1, 9), die)) for _ in range(3)]
            codes = {ended(pid) for pid in pids}
            assert codes <= {-signal.SIGKILL, 0, 3}
        assert ended(fork(url)) == 0
        assert_same(url, one.truth)


@pytest.mark.parametrize("step", ["detect", "fence", "fixes", "violations", "warnings", "commit", "slabs"])
def test_zombie(one: Scene, step: str) -> None:
    with one.fresh() as url:
        zombie = fork(url, at(step, 2, freeze), patience_s=0.5)
        os.waitpid(zombie, os.WUNTRACED)
        try:
            other = fork(url, patience_s=0.5)
            assert ended(other) == 0
        finally:
            os.kill(zombie, signal.SIGCONT)
        assert ended(zombie) in (0, 3)
        assert_same(url, one.truth)


def test_a_zombie_that_wakes_before_its_write_is_fenced(one: Scene) -> None:
    with one.fresh() as url:
        zombie = fork(url, at("detect", 3, freeze), patience_s=0.5)
        os.waitpid(zombie, os.WUNTRACED)
        assert ended(fork(url, patience_s=0.5)) == 0
        os.kill(zombie, signal.SIGCONT)
        assert ended(zombie) == 3
        assert_same(url, one.truth)


def test_a_zombie_in_the_middle_of_a_copy_does_not_block_for_ever(one: Scene) -> None:
    """No timeout of the database ends a session that waits for the rest of a COPY: another worker does."""
    with one.fresh() as url:
        zombie = fork(url, patience_s=0.5, prepare=freeze_in_copy)
        os.waitpid(zombie, os.WUNTRACED)
        try:
            assert ended(fork(url, settings=replace(QUICK, statement_s=3), patience_s=0.5)) == 0
            assert_same(url, one.truth)
        finally:
            os.kill(zombie, signal.SIGKILL)
            ended(zombie)


@pytest.mark.parametrize("passed_on", [False, True], ids=["lost", "unanswered"])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 21])
def test_connection_cut_at_commit(one: Scene, count: int, passed_on: bool) -> None:
    with one.fresh() as url, Proxy(url, b"COMMIT\x00", count, passed_on=passed_on) as proxy:
        pid = fork(proxy.url)
        assert ended(pid) == 0
        assert proxy.cuts == 1
        assert_same(url, one.truth)


def test_sessions_cut_at_random(one: Scene) -> None:
    with one.fresh() as url, connect(url) as connection:
        pid = fork(url)
        for _ in range(12):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
            )
            time.sleep(0.05)
        assert ended(pid) in (0, 3)
        assert_same(url, one.truth)


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_database_goes_and_comes_back(
    server_kind: str, tmp_path: Path, how: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from ledger.migrate import migrate

    folder = tmp_path_factory.mktemp("s")
    server = Servers.server(server_kind, folder / "s")
    url = server.start()
    try:
        migrate(url)
        load(url, tmp_path, SEEDS[0])
        with connect(url) as connection:
            connection.execute("CREATE DATABASE other TEMPLATE template1")
        pid = fork(url)
        for _ in range(3):
            time.sleep(0.15)
            if how == "killed":
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
            else:
                server.stop()
            server.start()
        assert ended(pid) in (0, 3)
        disturbed = picture(url)
        with connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM violations").fetchone() != (0,)
    finally:
        server.stop()
    again = Servers.server(server_kind, folder / "t")
    url = again.start()
    try:
        migrate(url)
        load(url, tmp_path / "again", SEEDS[0])
        work(url)
        assert picture(url) == disturbed
    finally:
        again.stop()
