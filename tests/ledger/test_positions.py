"""The fence: a position moves once, by whoever knows where it stands."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.batch import MISSING_MS, no_fixes
from ingest.frames import Quarantined
from ingest.log import Frame
from ledger import positions
from ledger.database import connect
from ledger.effect import Effect, commit
from ledger.positions import FenceError, Position
from tests.ledger.made import batch, episode, origin, rows, vehicle


def nothing(_: str) -> None:
    """Take no notice of a step."""


def test_a_position_moves_from_where_it_stands(database_url: str) -> None:
    begin, next_, last = Position(), Position(5, 1, 60_000), Position(2**40, 2, 120_000)
    with connect(database_url) as connection, connection.cursor() as cursor:
        assert positions.read(connection, 3) == begin == Position(0, 0, MISSING_MS)
        positions.move(cursor, 3, begin, next_)
        assert positions.read(connection, 3) == next_
        positions.move(cursor, 3, next_, last)
        assert positions.read(connection, 3) == last
        assert positions.read(connection, 2) == begin


def test_who_was_overtaken_is_refused(database_url: str) -> None:
    with connect(database_url) as connection, connection.cursor() as cursor:
        positions.move(cursor, 0, Position(), Position(5))
        for believed in (Position(), Position(4), Position(6, 1)):
            with pytest.raises(FenceError, match=f"partition 0 is no longer at {believed.next_offset}"):
                positions.move(cursor, 0, believed, Position(9))
        with pytest.raises(FenceError):
            positions.move(cursor, 1, Position(5), Position(9))
        assert positions.read(connection, 0) == Position(5)
        assert positions.read(connection, 1) == Position()


def test_where_nothing_moves_a_position_stays_a_beginning(database_url: str) -> None:
    """A registry frame at offset 0 moves the version only."""
    with connect(database_url) as connection, connection.cursor() as cursor:
        positions.move(cursor, 0, Position(), Position(1, 3))
        positions.move(cursor, 0, Position(1, 3), Position(1, 4))
        assert positions.read(connection, 0) == Position(1, 4)


def test_of_two_at_once_one_moves_it(database_url: str) -> None:
    ready = threading.Barrier(2)

    def one(mine: int) -> bool:
        with connect(database_url) as connection:
            ready.wait()
            try:
                with connection.transaction(), connection.cursor() as cursor:
                    positions.move(cursor, 0, Position(), Position(mine))
            except FenceError:
                return False
        return True

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(one, (10, 20))) == [False, True]
        with connect(database_url) as connection:
            connection.execute("DELETE FROM positions")


def effect(number: int, before: Position, after: Position, *others: tuple[int, Position, Position]) -> Effect:
    """All a batch can bring: fixes, a record in quarantine, an episode."""
    frame = Frame(0, "positions", 7, b"\x00\xff rubbish", before.next_offset)
    some = batch(3)
    return Effect(
        {0: (before, after)} | {partition: (one, two) for partition, one, two in others},
        some,
        origin(3, first_offset=before.next_offset),
        some.vehicle + number,
        some.backfill.astype("u1"),
        [Quarantined(frame, 1, "malformed", "NUL \x00 and half \ud800 of a pair", frame.content)],
        [episode(number, begins_ms=1_000_000 * (1 + before.next_offset))],
    )


COUNTS = (
    "SELECT (SELECT count(*) FROM fixes), (SELECT count(*) FROM quarantine), (SELECT count(*) FROM violations), "
    "(SELECT count(*) FROM violation_revisions), (SELECT count(*) FROM outbox)"
)


def test_an_effect_happens_whole_and_once(database_url: str) -> None:
    steps: list[str] = []
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        first = effect(number, Position(), Position(3))
        book = commit(connection, first, steps.append)
        assert book is not None
        assert [event.event for event in book.events] == ["raised"]
        assert steps == ["fence", "fixes", "quarantine", "violations", "warnings", "commit"]
        assert rows(database_url, COUNTS) == [(3, 1, 1, 1, 1)]
        kept = rows(database_url, "SELECT log_offset, log_row, received_ms, reason, detail, content FROM quarantine")
        assert kept == [(0, 1, 7, "malformed", "NUL  and half ? of a pair", b"\x00\xff rubbish")]
        with pytest.raises(FenceError):
            commit(connection, first, nothing)
        assert rows(database_url, COUNTS) == [(3, 1, 1, 1, 1)]
        # one partition of two has moved: neither does
        both = effect(number, Position(3), Position(6), (1, Position(7), Position(8)))
        with pytest.raises(FenceError, match="partition 1"):
            commit(connection, both, nothing)
        assert rows(database_url, COUNTS) == [(3, 1, 1, 1, 1)]
        assert positions.read(connection, 0) == Position(3)
        assert connection.info.transaction_status.name == "IDLE"


def test_an_effect_that_breaks_at_any_step_leaves_nothing(database_url: str) -> None:
    with connect(database_url) as connection:
        number = vehicle(connection, "测A00001")
        for broken in ("fence", "fixes", "quarantine", "violations", "warnings"):

            def step(name: str, broken: str = broken) -> None:
                if name == broken:
                    raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                commit(connection, effect(number, Position(), Position(3)), step)
            assert rows(database_url, COUNTS) == [(0, 0, 0, 0, 0)]
            assert positions.read(connection, 0) == Position()


def test_an_effect_without_fixes(database_url: str) -> None:
    with connect(database_url) as connection:
        moves = {0: (Position(), Position(1, 4, 60_000))}
        assert commit(connection, Effect.without_fixes(moves, []), nothing) is None
        assert positions.read(connection, 0) == Position(1, 4, 60_000)
    assert len(no_fixes()) == 0
