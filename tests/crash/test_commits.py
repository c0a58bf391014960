"""COMMIT sent, connection cut: whether it has happened is not known, and does not matter."""

import pytest

from tests.crash.ground import Ground
from tests.crash.nursery import Plan
from tests.crash.proxy import How, Proxy

SEED = 3


@pytest.mark.parametrize("of", ["batch", "checkpoint"])
@pytest.mark.parametrize("how", ["lost", "unanswered", "late"])
def test_connection_cut_after_commit_was_sent(ground: Ground, how: How, of: str) -> None:
    turns = (1, 4, 6, 11, 12, 13, 20)
    with ground.laid(SEED) as url, Proxy(url, of, turns, how) as proxy:
        told = ground.nursery.live(Plan(url, database=proxy.url, frames=2))
        assert told.metrics["warnloop_troubles"] >= len(turns)
        assert proxy.cuts == len(turns)
        assert (told.metrics["warnloop_fenced"] > 0) == (how == "late" and of == "batch")
        ground.check(url, SEED)
