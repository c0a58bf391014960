"""Permanent numbers of vehicles, and names behind drivers' codes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

from ingest.registry import Vehicle
from ledger import vehicles
from ledger.database import connect
from tests.ledger.made import rows


def test_a_number_is_for_good(database_url: str) -> None:
    known = [Vehicle("测A00001", 2), Vehicle("测A00001", 1), Vehicle(" x ", 255), Vehicle("🚌" * 64, 0)]
    with connect(database_url) as connection:
        first = vehicles.numbers(connection, known)
        assert len(set(first)) == 4
        more = [Vehicle("new", 2), *reversed(known), Vehicle("new", 2)]
        found = vehicles.numbers(connection, more)
        assert found[1:5] == first[::-1]
        assert found[0] == found[5] not in first
        assert vehicles.names(connection, found) == more
        assert vehicles.names(connection, [*first, *first]) == known * 2
        assert vehicles.numbers(connection, []) == []
        assert vehicles.names(connection, []) == []


def test_all_at_once_agree_and_never_deadlock(database_url: str) -> None:
    """Several workers hear of the same vehicles and drivers, each in an order of its own."""
    ready = threading.Barrier(4, timeout=30)

    def one(seed: int) -> dict[Vehicle, int]:
        random, found = Random(seed), dict[Vehicle, int]()
        with connect(database_url) as connection:
            connection.execute("SET enable_sort = off")  # no order but the one that is asked for
            for turn in range(6):
                names = [Vehicle(f"测{turn}-{at}", at % 3) for at in random.sample(range(300), 250)]
                codes = random.sample(range(1_000 * turn, 1_000 * turn + 600), 500)
                ready.wait()
                found |= dict(zip(names, vehicles.numbers(connection, names), strict=True))
                ready.wait()
                vehicles.add_drivers(connection, dict.fromkeys(codes, "张三"))
        return found

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(4)))
    together = {name: number for one_found in found for name, number in one_found.items()}
    assert all(together[name] == number for one_found in found for name, number in one_found.items())
    assert len(set(together.values())) == len(together) > 1_700


def test_names_of_drivers(database_url: str) -> None:
    told = {
        1: "张三", 2: "NUL \x00 inside", 3: "half \ud800 of a pair", 4: "长" * 65, 5: "x" * 64, 6: "\x00" * 100,
        2**63 - 1: "🚌", 7: "x" * 63 + "\ud800\udc00",
    }  # fmt: skip
    with connect(database_url) as connection:
        vehicles.add_drivers(connection, told)
        vehicles.add_drivers(connection, {1: "another", 8: "李四"})
        vehicles.add_drivers(connection, {})
    kept = dict(rows(database_url, "SELECT code, name FROM drivers"))
    assert kept == {
        1: "张三", 2: "NUL \ufffd inside", 3: "half ? of a pair", 4: "长" * 64, 5: "x" * 64, 6: "\ufffd" * 64,
        2**63 - 1: "🚌", 7: "x" * 63 + "?", 8: "李四",
    }  # fmt: skip
