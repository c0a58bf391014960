"""Killed at every step of the commit and of the state writing, and at any moment: the outcome is the same."""

import pytest

from detectors.catalogue import CATALOGUE
from tests.crash.ground import Ground
from tests.crash.nursery import STEPS, Plan
from tests.crash.picture import differences, picture
from tests.crash.storm import storm

SEED = 1


def test_the_scenarios_are_worth_it(ground: Ground) -> None:
    kinds, facts = set(), set()
    for seed in (1, 2, 3):
        truth = ground.undisturbed(seed)
        assert len(truth["fixes"]) > 2_000
        assert len(truth["outbox"]) > len(truth["violations"]) > 80
        assert {row[12] for row in truth["revisions"]} == {1, 2}, "under both versions of the registry"
        assert {row[4] for row in truth["quarantine"]} == {"malformed", "encoding", "misrouted", "unknown_form"}
        assert {row[12] for row in truth["fixes"]} == set(range(8)), "every verdict of the gate"
        kinds |= {row[3] for row in truth["violations"]}
        facts |= {row[2] for row in truth["revisions"]}
    assert kinds == set(CATALOGUE)
    assert facts == {"raised", "risen", "ended"}


def test_cuts_do_not_matter(ground: Ground) -> None:
    for frames in (1, 7, 512):
        with ground.laid(SEED) as url:
            ground.drain(Plan(url, frames=frames, checkpoint_s=1e6))
            ground.check(url, SEED)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_again_and_again(ground: Ground, step: str) -> None:
    """At its first occurrence, in the next life at its third, and so on, until a life is too short for it."""
    deaths = 0
    with ground.laid(SEED) as url:
        for number in range(1, 100, 2):
            if ground.nursery.live(Plan(url, die=(step, number), frames=2)).code == 0:
                break
            deaths += 1
        assert deaths >= 2
        ground.check(url, SEED)


def test_killed_while_it_reads_again_what_has_had_its_effect(ground: Ground) -> None:
    with ground.laid(SEED) as url:
        ground.nursery.live(Plan(url, die=("commit", 40), frames=1, checkpoint_s=1e6))
        for number in (1, 5, 9, 13):
            ground.nursery.live(Plan(url, die=("detect", number), frames=1, checkpoint_s=1e6))
        told = ground.nursery.live(Plan(url))
        assert told.metrics["step_detect"] > told.metrics["step_commit"] - 4 * 8 + 4
        ground.check(url, SEED)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_a_storm(ground: Ground, seed: int) -> None:
    """Up to three workers, killed at random steps and at any moment, stopped, cut off, while frames arrive."""
    assert storm(ground, seed).deaths


def test_the_picture_sees_a_difference(ground: Ground) -> None:
    truth = ground.undisturbed(SEED)
    for table, rows in truth.items():
        assert table in differences({**truth, table: rows[1:]}, truth)
        assert table in differences({**truth, table: [*rows, rows[0]]}, truth)
    with ground.laid(SEED) as url:
        assert "violations" in differences(picture(url), truth)
