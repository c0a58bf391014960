"""Killed at every step of the commit and of the state writing, and at any moment: the outcome is the same."""

import signal
import time
from random import Random

import pytest

from tests.crash.ground import Ground
from tests.crash.nursery import STEPS, Plan
from tests.crash.picture import is_drained


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_again_and_again(ground: Ground, step: str) -> None:
    """At its first occurrence, in the next life at its second, and so on, until a life is too short for it."""
    seed, random, deaths = 1, Random(step), 0
    with ground.laid(seed) as url:
        for number in range(1, 200):
            plan = Plan(url, die=(step, number), frames=random.choice((1, 2, 3)))
            if ground.nursery.live(plan).code == 0:
                break
            deaths += 1
        assert deaths >= 3
        ground.check(url, seed)
