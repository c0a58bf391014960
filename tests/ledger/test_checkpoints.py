"""Checkpoints: what was written is read; two are kept of each partition; none is written in halves."""

import pytest

from ledger import checkpoints
from ledger.checkpoints import KEPT, Checkpoint, Slab
from ledger.database import connect
from ledger.positions import FenceError, Position
from tests.ledger.made import rows

SLABS = [Slab([3, 1, 2**31 - 1], b"\x00\xff" * 70_000), Slab([7], b""), Slab([], b"\x01")]


def nothing(_: str) -> None:
    """Take no notice of a step."""


def test_what_was_written_is_read(database_url: str) -> None:
    steps: list[str] = []
    with connect(database_url) as connection:
        assert checkpoints.write(connection, 2, Position(5, 9), SLABS, steps.append) == 5
        assert steps == ["slabs", "checkpoint"]
        assert checkpoints.offsets(connection, 2) == [5]
        assert checkpoints.read(connection, 2, 5) == Checkpoint(5, 9, SLABS)
        assert checkpoints.offsets(connection, 1) == []


def test_slabs_come_in_their_order(database_url: str) -> None:
    slabs = [Slab([number], str(number).encode()) for number in range(40)]
    with connect(database_url) as connection:
        checkpoints.write(connection, 0, Position(5), slabs, nothing)
        connection.execute("UPDATE state_slabs SET content = content WHERE slab % 3 = 0")  # they move in the heap
        assert checkpoints.read(connection, 0, 5).slabs == slabs


def test_two_are_kept_of_each_partition(database_url: str) -> None:
    with connect(database_url) as connection:
        oldest = [checkpoints.write(connection, 0, Position(at), SLABS, nothing) for at in (0, 10, 20, 30)]
        assert oldest == [0, 0, 10, 20]
        assert checkpoints.write(connection, 1, Position(1), SLABS, nothing) == 1
        assert checkpoints.offsets(connection, 0) == [30, 20]
        assert KEPT == 2
        assert checkpoints.offsets(connection, 1) == [1]
    left = "SELECT partition, next_offset, count(*) FROM state_slabs GROUP BY 1, 2 ORDER BY 1, 2"
    assert rows(database_url, left) == [(0, 20, 3), (0, 30, 3), (1, 1, 3)]


def test_the_same_offset_is_written_once(database_url: str) -> None:
    """Results do not depend on cuts: state as of an offset is one and the same."""
    with connect(database_url) as connection:
        checkpoints.write(connection, 0, Position(5, 1), SLABS, nothing)
        assert checkpoints.write(connection, 0, Position(5, 1), SLABS[:1], nothing) == 5
        assert checkpoints.read(connection, 0, 5) == Checkpoint(5, 1, SLABS)


def test_one_that_breaks_leaves_nothing(database_url: str) -> None:
    def step(_: str) -> None:
        raise ZeroDivisionError

    with connect(database_url) as connection:
        for at in (1, 2):
            checkpoints.write(connection, 0, Position(at), SLABS, nothing)
        with pytest.raises(ZeroDivisionError):
            checkpoints.write(connection, 0, Position(3), SLABS, step)
        assert checkpoints.offsets(connection, 0) == [2, 1]
        with pytest.raises(FenceError):
            checkpoints.read(connection, 0, 3)
