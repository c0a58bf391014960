"""Settled: what an episode of a closed day makes of the violations there are."""

from dataclasses import replace
from typing import Any

import pytest

from detectors.found import Fact
from ledger.casebook import CLOSED, Casebook, Episode, Violation
from tests.ledger.made import episode


def book_of(*episodes: Episode, withdrawn: bool = False) -> Casebook:
    """A casebook of the second pass, before which episodes were taken online."""
    online = Casebook({})
    for one in episodes:
        online.take(one)
    every: dict[object, Violation] = {violation.id: violation for violation in online.known.values()}
    for violation in every.values():
        if withdrawn:
            violation.status = "withdrawn"
    return Casebook({}, every.values(), pass_=CLOSED)


def facts(book: Casebook) -> list[str]:
    return [revision.fact for revision in book.revisions]


ENDED = episode(1, begins_ms=1_000, ends_ms=5_000, fact=Fact.ENDED)


def test_what_stands_as_the_episode_says_is_not_revised() -> None:
    book = book_of(ENDED)
    book.settle(ENDED)
    assert facts(book) == []
    assert book.founded


def test_what_is_over_stays_so() -> None:
    """The fixes of the pass may end before the episode does."""
    book = book_of(ENDED)
    book.settle(replace(ENDED, fact=Fact.STANDS))
    assert facts(book) == []
    assert [violation.status for violation in book.known.values()] == ["ended"]


def test_what_is_open_ends() -> None:
    book = book_of(replace(ENDED, fact=Fact.RAISED))
    book.settle(ENDED)
    assert facts(book) == ["ended"]
    assert [event.event for event in book.events] == ["ended"]


@pytest.mark.parametrize(
    ("changes", "fact"),
    [({"ends_ms": 6_000}, "revised"), ({"begins_ms": 500}, "revised"), ({"severity": 4}, "risen")],
)
def test_what_differs_is_revised(changes: dict[str, Any], fact: str) -> None:
    book = book_of(ENDED)
    book.settle(replace(ENDED, **changes))
    assert facts(book) == [fact]
    assert [event.event for event in book.events] == (["risen"] if fact == "risen" else [])


@pytest.mark.parametrize("changes", [{}, {"begins_ms": 2_000}, {"ends_ms": 9_000}])
def test_what_was_withdrawn_is_not_accused_again(changes: dict[str, Any]) -> None:
    book = book_of(ENDED, withdrawn=True)
    book.settle(replace(ENDED, **changes))
    assert facts(book) == []
    assert [violation.status for violation in book.known.values()] == ["withdrawn"]


def test_what_is_apart_is_another() -> None:
    book = book_of(ENDED, withdrawn=True)
    book.settle(replace(ENDED, begins_ms=100_000, raised_ms=101_000, ends_ms=102_000))
    assert facts(book) == ["raised", "ended"]


def test_two_that_touch_one_are_one() -> None:
    book = book_of(episode(1, begins_ms=1_000, ends_ms=50_000, fact=Fact.ENDED))
    book.settle(episode(1, begins_ms=1_000, ends_ms=20_000, fact=Fact.ENDED))
    book.settle(episode(1, begins_ms=30_000, ends_ms=50_000, fact=Fact.ENDED))
    assert facts(book) == []
    assert len({violation.id for violation in book.known.values()}) == 1
