"""What is particular to the embedded log: its transactions, its sessions, its accounts."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import pairwise
from random import Random

import psycopg
import pytest

from ingest.log import POSITIONS, LogError, NewFrame
from ledger.database import DatabaseError, query
from ledger.tablelog import PARTITIONS as USUAL
from ledger.tablelog import TableLog
from tests.conformance.following import ALL, PROJECT, Follower, following, settle, until
from tests.conformance.implementations import Table


@pytest.fixture
def table(database_url: str) -> Iterator[Table]:
    table = Table(database_url)
    yield table
    table.check()


@pytest.fixture
def log(table: Table) -> Iterator[TableLog]:
    with closing(table.open()) as log:
        yield log


def frames(partition: int, *contents: bytes) -> list[NewFrame]:
    return [NewFrame(partition, POSITIONS, 0, content) for content in contents]


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
def test_who_commits_late_makes_no_gap(table: Table, log: TableLog, ending: str) -> None:
    """A writer has its offsets and does not commit; another one follows it in one partition, passes it in another."""
    held = {
        "partition": 1,
        "forms": [POSITIONS] * 2,
        "received_ms": [0, 0],
        "contents": [b"slow 1", b"slow 2"],
        "count": 2,
        "bytes": 12,
        "most_bytes": 1 << 30,
    }
    log.append(frames(1, b"first"))
    with following(log) as (follower,), psycopg.connect(table.address) as slow, ThreadPoolExecutor(1) as pool:
        settle([follower], 5)
        follower.follow({1: 1})
        assert slow.execute(query("inner/log_append"), held).rowcount == 2
        with closing(table.open()) as quick:
            behind = pool.submit(quick.append, frames(1, b"quick"))
            log.append(frames(2, b"passes"))
            follower.follow({2: 1}, 2)
            begin = time.monotonic()
            while time.monotonic() - begin < 0.2:
                follower.poll()
            assert not behind.done()
            slow.execute(ending)
            behind.result(5)
        follower.follow({1: 4 if ending == "COMMIT" else 2}, 2)
    found = [frame.content for frame in follower.frames if frame.partition == 1]
    assert found == [b"first", *((b"slow 1", b"slow 2") if ending == "COMMIT" else ()), b"quick"]


def test_an_append_is_whole_or_not_there(table: Table) -> None:
    with closing(table.open_small(100)) as log, log.reader() as reader:
        log.append(frames(3, bytes(100)))
        with pytest.raises(LogError, match=r"partition 3 .*full.*warnloop detect"):
            log.append([*frames(0, b"a"), *frames(3, b"b"), *frames(4, b"c")])
        reader.poll(0)
        assert reader.ends() == {0: 0, 1: 0, 2: 0, 3: 1, 4: 0}
        log.append(frames(4, bytes(1_000)))  # larger than what is held at most: else it would never come


def test_accounts_are_right_after_trims_and_appends_at_once(table: Table) -> None:
    """`Table.check` compares them in the end."""
    stop = threading.Event()

    def write() -> None:
        with closing(table.open()) as log:
            while not stop.is_set():
                log.append(frames(1, b"x" * 100, b"y" * 50))

    def trim() -> None:
        with closing(table.open()) as log, log.reader() as reader:
            while not stop.is_set():
                with psycopg.connect(table.address) as connection:
                    row = connection.execute("SELECT next_offset FROM log_partitions WHERE partition = 1").fetchone()
                    assert row is not None
                reader.trim(1, row[0])
                reader.trim(1, row[0] + 3)

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work) for work in (write, write, trim, trim)]
        time.sleep(0.4)
        stop.set()
        for one in working:
            one.result(5)
    with closing(table.open()) as log, log.reader() as reader:
        log.append(frames(1, b"z"))
        reader.poll(0)
        reader.trim(1, reader.ends()[1])


def test_partitions_are_made_once(database_url: str) -> None:
    counts = (3, USUAL, 5, 4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda count: TableLog.create(database_url, count), counts))
    log = TableLog(database_url)
    assert log.partitions in counts
    TableLog.create(database_url, 20)
    assert TableLog(database_url).partitions == log.partitions


def test_out_of_reach_from_the_start(tmp_path: object) -> None:
    with pytest.raises(DatabaseError, match="out of reach") as trouble:
        TableLog(f"postgresql://postgres@/none?host={tmp_path}")
    assert trouble.value.passing


def test_readers_who_beat_at_the_same_time_do_not_share(table: Table) -> None:
    """Whoever has a partition from the end of one poll to the begin of another one has it alone."""
    stop = threading.Event()
    tenures: dict[int, list[tuple[float, float, int]]] = {partition: [] for partition in ALL}

    def take_part(seed: int) -> None:
        random, log = Random(seed), TableLog(table.address, beat_s=0.001)
        while not stop.is_set():
            since: dict[int, float] = {}
            with log.reader() as reader:
                for _ in range(random.randrange(2, 12)):
                    begin = time.monotonic()
                    reader.poll(random.choice((0, 0.002)))
                    end = time.monotonic()
                    for partition in set(since) - reader.assigned:
                        tenures[partition].append((since.pop(partition), begin, seed))
                    for partition in reader.assigned - set(since):
                        since[partition] = end
                left = time.monotonic()
            for partition, end in since.items():
                tenures[partition].append((end, left, seed))

    with ThreadPoolExecutor(6) as pool:
        working = [pool.submit(take_part, seed) for seed in range(6)]
        time.sleep(1)
        stop.set()
        for one in working:
            one.result(10)
    for held in tenures.values():
        assert len({reader for _, _, reader in held}) > 1
        for (_, end, seed), (begin, _, other) in pairwise(sorted(held)):
            assert seed == other or end <= begin


def test_a_session_that_is_cut_frees_its_partitions_though_its_process_hangs(table: Table) -> None:
    """With the usual pace: about a second."""
    with closing(table.open(hurried=False)) as usual, closing(table.open()) as hurried, following(hurried) as (a,):
        settle([a], 5)
        b = Follower(usual, a.progress)
        with closing(b.reader):
            settle([a, b], 5)
            table.cut(a.reader)
            assert settle([b], 5) < 1.5
        assert a.assigned
        a.poll()
        assert a.assigned == frozenset()


def test_a_reader_that_was_cut_off_loses_all_before_it_has_any_again(table: Table, log: TableLog) -> None:
    """Alone or not: nobody takes what was lost and won again for what stayed."""
    for lost_in in ("poll", "ends"):
        with following(log) as (follower,):
            settle([follower], 5)
            table.cut(follower.reader)
            if lost_in == "ends":
                with pytest.raises(LogError, match="database"):
                    follower.reader.ends()
                assert follower.assigned == ALL  # outside of poll it does not change
                assert follower.poll() == []
            else:
                follower.poll()
            assert follower.assigned == frozenset()
            settle([follower], 5)


def test_a_reader_that_was_closed_stays_closed(log: TableLog) -> None:
    reader = log.reader()
    reader.poll(0)
    reader.close()
    reader.close()
    with pytest.raises(LogError, match="closed") as trouble:
        reader.poll(0)
    assert not trouble.value.passing
    assert reader.assigned == frozenset()


STOPPED = """
import os, signal, sys
from ingest.log import POSITIONS, LogError, NewFrame
from ledger import tablelog
from ledger.database import query

where, url = sys.argv[1:]
log = tablelog.TableLog(url)
seen = []

def stop(name):
    if name == where and seen.count(name) == 1:  # within a transaction that holds locks
        print("stopped", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
    seen.append(name)
    return query(name)

tablelog.query, tablelog._PAUSE_S = stop, 1
if where == "inner/log_append":
    try:
        log.append([NewFrame(p, POSITIONS, 0, b"stopped") for p in (0, 1)])
    except LogError as trouble:
        print(trouble.passing)
    log.append([NewFrame(p, POSITIONS, 0, b"again") for p in (0, 1)])
else:
    reader, trouble = log.reader(), None
    while trouble is None:
        try:
            reader.poll(0.1)
        except LogError as error:
            trouble = error
    print(trouble.passing, sorted(reader.assigned))
    while not reader.assigned:
        reader.poll(0.1)
print("again")
"""


def test_a_process_that_is_stopped_within_a_transaction_stops_nobody_else(table: Table, log: TableLog) -> None:
    with ExitStack() as stack:
        stopped = []
        for where in ("inner/log_append", "inner/log_share"):
            process = subprocess.Popen(
                [sys.executable, "-c", STOPPED, where, table.address], stdout=subprocess.PIPE, text=True, cwd=PROJECT
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            stopped.append(process)
        for process in stopped:
            assert process.stdout is not None
            assert process.stdout.readline() == "stopped\n"
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        begin = time.monotonic()
        with following(log) as (follower,), ThreadPoolExecutor(1) as pool:
            appending = pool.submit(log.append, frames(0, b"goes on"))
            until(lambda: bool(follower.poll() or follower.assigned), 8)
            appending.result(8)
        assert time.monotonic() - begin < 8
        said = []
        for process in stopped:
            process.send_signal(signal.SIGCONT)
            said.append(process.communicate(timeout=10)[0].split("\n")[:-1])
    assert said == [["True", "again"], ["True []", "again"]]


def test_a_busy_reader_does_not_hoard_notices(log: TableLog) -> None:
    """Somebody who is never idle never waits for a notice: they must go nevertheless."""
    with following(log) as (follower,):
        settle([follower], 5)
        backlog = follower.reader._connection._notifies_backlog  # type: ignore[attr-defined]
        most, begin = 0, time.monotonic()
        while time.monotonic() - begin < 0.8:
            log.append(frames(1, b"x"))
            assert follower.poll(0)
            most = max(most, len(backlog))
        assert len(backlog) < most
