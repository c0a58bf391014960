"""What every log promises (``ingest/log.py``), held against each implementation alike."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random

import pytest

from ingest.log import MOST_FRAME_BYTES, POSITIONS, REGISTRY, TICK, Frame, Log, LogError, LogReader, NewFrame
from tests.conformance.following import (
    ALL,
    EACH,
    Worker,
    at,
    following,
    numbered,
    poll_on,
    read,
    read_all,
    reading,
    settle,
    until,
    working,
)
from tests.conformance.implementations import PARTITIONS, Implementation
from tests.conformance.worker import batch_of

pytestmark = EACH


# Frames


def test_frames_come_back_as_they_went_at_contiguous_offsets(log: Log) -> None:
    random = Random(1)
    contents = [b"", bytes(range(256)), bytes(MOST_FRAME_BYTES), random.randbytes(MOST_FRAME_BYTES), b"\x00\\x00\r\n'"]
    contents += [random.randbytes(random.randrange(2_000)) for _ in range(60)]
    forms = (POSITIONS, TICK, REGISTRY, "positions:某省", "")
    frames = [
        NewFrame(random.randrange(PARTITIONS), random.choice(forms), random.randrange(1 << 62), content)
        for content in contents
    ]
    rest = iter(frames)
    while batch := list(itertools.islice(rest, random.randrange(12))) or list(itertools.islice(rest, 1)):
        log.append(batch)
    for partition, found in read_all(log).items():
        sent = [frame for frame in frames if frame.partition == partition]
        assert found == [at(frame, offset) for offset, frame in enumerate(sent)]


def test_no_frames_are_no_trouble(log: Log, reader: LogReader) -> None:
    log.append([])
    assert reader.ends() == dict.fromkeys(ALL, 0)


def test_a_wrong_frame_is_refused_and_nothing_is_added(log: Log, reader: LogReader) -> None:
    for wrong, why in (
        (NewFrame(-1, POSITIONS, 0, b""), "partitions 0 to 4, not -1"),
        (NewFrame(PARTITIONS, POSITIONS, 0, b""), "partitions 0 to 4, not 5"),
        (NewFrame(0, POSITIONS, 0, bytes(MOST_FRAME_BYTES + 1)), "at most 1048576 bytes, not 1048577"),
    ):
        for place in (0, 3):
            frames = numbered(2, range(3))
            frames.insert(place, wrong)
            with pytest.raises(ValueError, match=why):
                log.append(frames)
            assert reader.ends() == dict.fromkeys(ALL, 0)
    log.append(numbered(2, range(1)))
    assert reader.ends() == {**dict.fromkeys(ALL, 0), 2: 1}


def test_a_log_says_how_many_partitions_it_has(implementation: Implementation) -> None:
    with closing(implementation.open()) as log:
        assert log.partitions == PARTITIONS


# Writers


def test_threads_and_their_order(implementation: Implementation, log: Log) -> None:
    """Some share a user of the log, some have their own; somebody reads all the while."""
    writers, batches = 6, 40

    def write(writer: int) -> None:
        random = Random(writer)
        own = implementation.open() if writer % 2 else log
        for number in range(batches):
            partitions = random.sample(sorted(ALL), 2)  # in any order: writers must not wait for each other in a ring
            own.append(
                [
                    NewFrame(p, POSITIONS, number, f"{writer}:{number}:{i}".encode())
                    for i in range(3)
                    for p in partitions
                ]
            )
        if own is not log:
            own.close()

    with following(log) as (follower,), ThreadPoolExecutor(writers) as pool:
        writing = [pool.submit(write, writer) for writer in range(writers)]
        until(lambda: not follower.poll() and all(one.done() for one in writing), 20)
        for one in writing:
            one.result()
        follower.follow(dict(follower.reader.ends()))
    assert len(follower.frames) == writers * batches * 6
    for writer in range(writers):
        for partition in ALL:
            found = [
                tuple(map(int, frame.content.split(b":")))[1:]
                for frame in follower.frames
                if frame.partition == partition and frame.content.startswith(b"%d:" % writer)
            ]
            assert found == sorted(found)


def test_what_was_acknowledged_outlives_the_kill_of_its_writer(implementation: Implementation, log: Log) -> None:
    random = Random(3)
    writers = {str(number): Worker(implementation, 30.0, "append", str(number)) for number in range(5)}
    with working(*writers.values()):
        until(lambda: all(worker.lines or not worker.running() for worker in writers.values()), 20)
        for worker in writers.values():
            time.sleep(random.uniform(0, 0.1))
            worker.kill()
    found = read_all(log)
    for name, worker in writers.items():
        assert worker.lines
        taken = len(worker.lines)
        sent = [frame for number in range(taken + 1) for frame in batch_of(name, number, PARTITIONS)]
        for partition, frames in found.items():
            own = [frame.content for frame in frames if frame.content.startswith(f"{name}:".encode())]
            expected = [frame.content for frame in sent if frame.partition == partition]
            certain = sum(int(content.split(b":")[1]) < taken for content in expected)
            assert own == expected[: len(own)]
            assert len(own) >= certain


# Reading


def test_any_offset_can_be_sought_again(log: Log, reader: LogReader) -> None:
    frames = numbered(1, range(30))
    log.append(frames)
    log.append(numbered(3, range(4)))
    for offset in (0, 7, 29, 30, 3, 3):
        reader.seek(1, offset)
        assert read(reader, 30 - offset) == [at(frame, frame.received_ms) for frame in frames[offset:]]
    reader.seek(1, 20)
    reader.seek(1, 28)  # the last counts
    reader.seek(3, 2)
    assert [(frame.partition, frame.offset) for frame in read(reader, 4)] == [(1, 28), (1, 29), (3, 2), (3, 3)]
    assert reader.poll(0) == []


def test_a_partition_delivers_nothing_before_it_is_sought(log: Log, reader: LogReader) -> None:
    for partition in ALL:
        log.append(numbered(partition, range(3)))
    assert reader.poll(0.1) == []
    reader.seek(4, 1)
    assert [(frame.partition, frame.offset) for frame in read(reader, 2)] == [(4, 1), (4, 2)]
    assert reader.poll(0.1) == []


def test_only_what_is_assigned_can_be_sought(log: Log, reader: LogReader) -> None:
    with pytest.raises(ValueError, match="partition 5"):
        reader.seek(PARTITIONS, 0)
    with log.reader() as another, pytest.raises(ValueError, match="partition 0"):
        another.seek(0, 0)


def test_a_poll_is_bounded_and_a_backlog_is_read_to_its_end(
    implementation: Implementation, log: Log, reader: LogReader
) -> None:
    small, large = numbered(0, range(3_000)), numbered(1, range(14), MOST_FRAME_BYTES)
    log.append(small)
    for frame in large:
        log.append([frame])
    reader.seek(0, 0)
    reader.seek(1, 0)
    polls: list[list[Frame]] = []
    while sum(map(len, polls)) < 3_014:
        polls.append(reader.poll(10))
        assert polls[-1]
    assert max(map(len, polls)) <= implementation.most_poll_frames * 2
    assert max(sum(len(frame.content) for frame in poll) for poll in polls) <= implementation.most_poll_bytes * 2
    for partition, sent in ((0, small), (1, large)):
        found = [frame for poll in polls for frame in poll if frame.partition == partition]
        assert found == [at(frame, offset) for offset, frame in enumerate(sent)]


def test_ends_are_behind_the_last_frame_of_what_is_assigned(log: Log) -> None:
    log.append([*numbered(0, range(3)), *numbered(4, range(1))])
    with log.reader() as reader:
        assert reader.ends() == {}
        until(lambda: not reader.poll(0.1) and reader.assigned == ALL, 10)
        assert reader.ends() == {0: 3, 1: 0, 2: 0, 3: 0, 4: 1}
        log.append(numbered(4, range(2)))
        assert reader.ends() == {0: 3, 1: 0, 2: 0, 3: 0, 4: 3}
    assert reader.assigned == frozenset()


def test_a_poll_waits_as_long_as_told_and_costs_nothing(implementation: Implementation) -> None:
    with closing(implementation.open(hurried=False)) as log, reading(log) as reader:
        for partition in ALL:
            reader.seek(partition, 0)
        begin, worked = time.monotonic(), time.process_time()
        assert reader.poll(0) == []
        assert time.monotonic() - begin < 0.25
        for timeout_s in (0.05, 0.7):
            begin = time.monotonic()
            assert reader.poll(timeout_s) == []
            assert timeout_s - 0.02 <= time.monotonic() - begin < timeout_s + 0.25
        assert time.process_time() - worked < 0.06


def test_a_frame_wakes_who_waits_for_it(implementation: Implementation) -> None:
    late: list[float] = []

    def append_later(number: int) -> float:
        time.sleep(0.05 + 0.06 * number)  # not in step with anything
        log.append(numbered(2, range(number, number + 1)))
        return time.monotonic()

    with (
        closing(implementation.open(hurried=False)) as log,
        reading(log) as reader,
        ThreadPoolExecutor(1) as pool,
    ):
        reader.seek(2, 0)
        for number in range(6):
            appending = pool.submit(append_later, number)
            assert [frame.offset for frame in reader.poll(10)] == [number]
            late.append(time.monotonic() - appending.result())
    assert sorted(late)[len(late) // 2] < implementation.wake_s / 2
    assert max(late) < implementation.wake_s * 2


# Trimming


def test_what_is_trimmed_is_gone_and_the_rest_stays(log: Log, reader: LogReader) -> None:
    log.append([*numbered(1, range(10)), *numbered(2, range(3))])
    reader.trim(1, 6)
    reader.trim(1, 4)  # already gone
    reader.seek(1, 6)
    reader.seek(2, 0)
    assert [(frame.partition, frame.offset) for frame in read(reader, 7)] == [
        *((1, offset) for offset in range(6, 10)), *((2, offset) for offset in range(3))
    ]  # fmt: skip
    log.append(numbered(1, range(10, 12)))
    assert [frame.offset for frame in read(reader, 2)] == [10, 11]
    reader.trim(1, 12)
    assert reader.ends()[1] == 12
    log.append(numbered(1, range(12, 13)))
    assert [(frame.offset, frame.content) for frame in read(reader, 1)] == [(12, b"12")]
    reader.trim(1, 1_000)  # more than there is: what comes later stays
    log.append(numbered(1, range(13, 15)))
    assert [frame.offset for frame in read(reader, 2)] == [13, 14]
    assert reader.ends()[1] == 15


def test_frames_that_are_not_there_cannot_be_sought(log: Log, reader: LogReader) -> None:
    log.append(numbered(1, range(10)))
    reader.trim(1, 6)
    for offset in (0, 5, 11, 1_000):
        with pytest.raises(LogError, match=r"partition 1 .*: restore") as trouble:
            poll_on(reader, seek=(1, offset))
        assert not trouble.value.passing
    reader.seek(1, 8)
    assert [frame.offset for frame in read(reader, 2)] == [8, 9]


def test_a_reader_whose_frames_were_trimmed_hears_of_it_and_misses_none_of_the_others(
    log: Log, reader: LogReader
) -> None:
    for partition in (0, 1, 2):
        log.append(numbered(partition, range(10)))
        reader.seek(partition, 0)
    reader.trim(1, 6)
    frames: list[Frame] = []
    with pytest.raises(LogError, match="partition 1 ") as trouble:
        poll_on(reader, frames)
    assert not trouble.value.passing
    reader.seek(1, 6)
    frames += read(reader, 24 - len(frames))
    for partition, first in ((0, 0), (1, 6), (2, 0)):
        assert [frame.offset for frame in frames if frame.partition == partition] == list(range(first, 10))


def test_a_reader_behind_a_partition_that_was_trimmed_to_its_end_hears_of_it(log: Log, reader: LogReader) -> None:
    log.append(numbered(1, range(10)))
    reader.seek(1, 3)
    reader.trim(1, 10)
    with pytest.raises(LogError, match="partition 1 ") as trouble:
        poll_on(reader)
    assert not trouble.value.passing


def test_a_full_log_refuses_until_it_is_trimmed(implementation: Implementation, reader: LogReader) -> None:
    small = implementation.open_small(10_000)
    if small is None:
        pytest.skip("no bound")
    with closing(small):
        small.append(numbered(1, range(3), 3_000))
        for _ in range(2):
            with pytest.raises(LogError, match="full") as trouble:
                small.append(numbered(1, range(3, 4), 3_000))
            assert trouble.value.passing
        assert reader.ends()[1] == 3
        small.append(numbered(0, range(3), 3_000))
        reader.trim(1, 1)
        small.append(numbered(1, range(3, 4), 3_000))
        reader.seek(1, 1)
        assert [frame.content.rstrip() for frame in read(reader, 3)] == [b"1", b"2", b"3"]


# Trouble


def test_a_log_out_of_reach_says_so_and_comes_back_by_itself(implementation: Implementation, log: Log) -> None:
    log.append(numbered(0, range(1)))
    with following(log) as (follower,), closing(implementation.open()) as new:
        settle([follower], implementation.settle_s)
        follower.follow({0: 1})
        reader = follower.reader
        with implementation.outage():
            for user in (log, log, new):
                with pytest.raises(LogError, match=implementation.far) as trouble:
                    user.append(numbered(0, range(1, 2)))
                assert trouble.value.passing
            for _ in range(3):
                assert follower.poll() == []
            for ask in (reader.ends, lambda: reader.seek(0, 0), lambda: reader.trim(0, 0), log.reader):
                if ask == log.reader or reader.assigned:
                    with pytest.raises(LogError, match=implementation.far) as trouble:
                        ask()
                    assert trouble.value.passing
        log.append(numbered(0, range(1, 2)))
        new.append(numbered(0, range(2, 3)))
        follower.follow({0: 3})
        assert [frame.content for frame in follower.frames] == [b"0", b"1", b"2"]


def test_an_appender_that_is_cut_off_goes_on_by_itself(implementation: Implementation, log: Log) -> None:
    """At least once: what was refused is sent again."""
    log.append(numbered(0, range(1)))
    for number in (1, 2):
        implementation.cut(log)
        try:
            log.append(numbered(0, range(number, number + 1)))
        except LogError as trouble:
            assert trouble.passing  # noqa: PT017 - it need not be raised
            log.append(numbered(0, range(number, number + 1)))
    found = [int(frame.content) for frame in read_all(log)[0]]
    assert sorted(set(found)) == [0, 1, 2]
    assert found == sorted(found)
