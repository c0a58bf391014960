"""Retry: when is another attempt due, and when is it enough."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatch.channels.answers import Answer, Later, Refused, Sent
from dispatch.retry import FIRST_S, FOR_LONG, LEAST_S, LONGEST_S, MOST_WAIT_S, Next, after

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def pause_s(attempts: int, jitter: float, retry_after_s: float | None = None) -> float:
    follows = after(attempts, Later("x", 500, retry_after_s), START, START, jitter)
    assert follows.state == "due"
    assert follows.due_at is not None
    return (follows.due_at - START).total_seconds()


@pytest.mark.parametrize(
    ("answer", "state"), [(Sent(), "sent"), (Refused("x"), "dead"), (Refused("x", 410, True), "dead")]
)
def test_for_good(answer: Answer, state: str) -> None:
    assert after(1, answer, START, START, 0.5) == Next(state)


def test_the_pause_doubles_and_is_drawn_from_all_of_it() -> None:
    assert [pause_s(attempts, 0.5) for attempts in (1, 2, 3, 4)] == [5.0, 10.0, 20.0, 40.0]
    assert pause_s(3, 0.0) == LEAST_S
    assert pause_s(3, 0.999) == pytest.approx(4 * FIRST_S * 0.999)
    assert pause_s(50, 0.999) == pytest.approx(LONGEST_S * 0.999)
    assert pause_s(10_000, 0.5) == pytest.approx(LONGEST_S / 2), "no overflow"


def test_what_the_receiver_asks_for_is_the_least_and_is_bounded() -> None:
    assert pause_s(1, 0.5, 3600.0) == 3600.0 + 5.0
    assert pause_s(1, 0.5, 1e12) == MOST_WAIT_S + 5.0
    assert pause_s(1, 0.5, -7.0) == 5.0


@pytest.mark.parametrize("jitter", [0.0, 0.3, 0.999])
def test_it_is_tried_for_at_least_72_hours_and_then_given_up(jitter: float) -> None:
    now, attempts = START, 0
    while True:
        attempts += 1
        follows = after(attempts, Later("x"), START, now, jitter)
        if follows.due_at is None:
            break
        assert follows.due_at > now
        now = follows.due_at
    assert follows == Next("dead")
    assert FOR_LONG <= now - START <= FOR_LONG + timedelta(seconds=LONGEST_S)
    assert jitter == 0.0 or attempts < 100


def test_the_end_to_the_second() -> None:
    for at, state in ((FOR_LONG - timedelta(seconds=1), "due"), (FOR_LONG, "dead")):
        assert after(9, Later("x"), START, START + at, 0.5).state == state


def test_half_the_dice_take_a_bearable_number_of_attempts() -> None:
    now, attempts = START, 1
    while (due := after(attempts, Later("x"), START, now, 0.5).due_at) is not None:
        now, attempts = due, attempts + 1
    assert 30 <= attempts <= 60
