"""Zombies: workers that stand still while another takes their partitions, and wake up when it is too late."""

import signal
import time

import psycopg
import pytest

from tests.crash.ground import Ground
from tests.crash.nursery import Child, Plan

SEED = 2
OUTSIDE = ("restore", "detect", "commit", "pack", "checkpoint", "trim")
INSIDE = ("fence", "fixes", "quarantine", "violations", "slabs")


def zombie(ground: Ground, url: str, step: str, number: int, **more: float) -> Child:
    """A worker that has stopped itself at a step."""
    child = ground.nursery.spawn(Plan(url, freeze=(step, number), frames=3, **more))  # type: ignore[arg-type]
    assert child.frozen()
    return child


@pytest.mark.parametrize("step", OUTSIDE)
def test_who_wakes_too_late_writes_nothing(ground: Ground, step: str) -> None:
    with ground.laid(SEED) as url:
        late = zombie(ground, url, step, 5 if step != "restore" else 3)
        assert ground.nursery.live(Plan(url, silence_s=0.2)).code == 0
        ground.check(url, SEED)
        late.send(signal.SIGCONT)
        told = late.wait()
        assert told.metrics["warnloop_fenced"] == (step == "detect")
        assert told.metrics["warnloop_troubles"] == 0
        ground.check(url, SEED)


def test_who_wakes_while_the_other_is_at_work_is_fenced(ground: Ground) -> None:
    for number in (2, 4, 7):
        with ground.laid(SEED) as url:
            late = zombie(ground, url, "detect", number)
            other = ground.nursery.spawn(Plan(url, silence_s=0.2, frames=1, freeze=("commit", 25)))
            assert other.frozen()
            late.send(signal.SIGCONT)
            time.sleep(0.05)
            other.send(signal.SIGCONT)
            assert late.wait().metrics["warnloop_fenced"] + other.wait().metrics["warnloop_fenced"] >= 1
            ground.drain(Plan(url))
            ground.check(url, SEED)


@pytest.mark.parametrize("step", INSIDE)
def test_who_stops_within_a_transaction_holds_nobody_up_for_long(ground: Ground, step: str) -> None:
    with ground.laid(SEED) as url:
        late = zombie(ground, url, step, 4, idle_s=0.5)
        began = time.monotonic()
        told = ground.nursery.live(Plan(url, silence_s=0.2))
        assert told.metrics["warnloop_troubles"] == 0
        assert time.monotonic() - began < 8.0
        ground.check(url, SEED)
        late.send(signal.SIGCONT)
        assert late.wait().metrics["warnloop_troubles"] == 1, "its transaction is gone, and it goes on"
        ground.check(url, SEED)


def test_who_stops_within_a_copy_holds_nobody_up_for_long(ground: Ground) -> None:
    """The database does not take it for idle: the bound is that of a statement."""
    with ground.laid(SEED) as url:
        late = zombie(ground, url, "copy", 4, idle_s=0.5, statement_s=1)
        told = ground.nursery.live(Plan(url, silence_s=0.2, lock_s=0.5, statement_s=1))
        assert 1 <= told.metrics["warnloop_troubles"] <= 4
        ground.check(url, SEED)
        late.send(signal.SIGCONT)
        assert late.wait().metrics["warnloop_troubles"] == 1
        ground.check(url, SEED)


def test_who_stops_within_a_pipeline_holds_nobody_up_for_long(ground: Ground) -> None:
    """Here the bound is that of a transaction."""
    with ground.laid(SEED) as url:
        late = zombie(ground, url, "pipeline", 4, idle_s=0.5, statement_s=1)
        told = ground.nursery.live(Plan(url, silence_s=0.2))
        assert told.metrics["warnloop_troubles"] == 0
        ground.check(url, SEED)
        late.send(signal.SIGCONT)
        assert late.wait().metrics["warnloop_troubles"] == 1
        ground.check(url, SEED)


def test_who_never_wakes_is_done_without(ground: Ground) -> None:
    with ground.laid(SEED) as url:
        late = zombie(ground, url, "violations", 3, idle_s=0.5)
        ground.drain(Plan(url, silence_s=0.2))
        ground.check(url, SEED)
        late.send(signal.SIGKILL)


def test_bounds_of_every_session(ground: Ground) -> None:
    """That a pause in a transaction ends before others lose patience, which wait for its locks."""
    from ledger.database import connect

    with ground.empty() as url, connect(url) as connection:
        wait, idle = (
            connection.execute("SELECT extract(epoch FROM current_setting(%s)::interval)::float8", (name,)).fetchone()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout")
        )
    assert wait
    assert idle
    assert 0 < idle[0] < wait[0]


def test_sessions_are_cut_off_again_and_again(ground: Ground) -> None:
    with ground.laid(SEED) as url, psycopg.connect(url, autocommit=True) as connection:
        child, cut = ground.nursery.spawn(Plan(url, frames=1)), 0
        while not child.ended(0.06) and cut < 60:
            row = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'warnloop'"
            ).fetchone()
            cut += int(row[0]) if row else 0
        told = child.wait()
        assert told.metrics["warnloop_troubles"] >= 3
        assert told.metrics["warnloop_fenced"] == 0
        ground.check(url, SEED)
