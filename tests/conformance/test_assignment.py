"""How readers share the partitions of a log, held against each implementation alike."""

import signal
import time
from contextlib import ExitStack, closing
from random import Random

import pytest

from ingest.log import Log
from tests.conformance.following import (
    ALL,
    EACH,
    Follower,
    Worker,
    balanced,
    follow,
    following,
    in_turns,
    numbered,
    settle,
    working,
)
from tests.conformance.implementations import PARTITIONS, Implementation

pytestmark = EACH


def test_readers_share_and_take_over(implementation: Implementation, log: Log) -> None:
    """One has all; a second one joins; one leaves, at once; what came meanwhile is read by somebody, once."""
    frames = [numbered(partition, range(20)) for partition in ALL]
    for one in frames:
        log.append(one)
    with following(log, 3) as (a, b, c):
        assert a.assigned == frozenset()  # before the first poll
        settle([a], implementation.settle_s)
        assert a.assigned == ALL
        a.follow(dict.fromkeys(ALL, 20))
        begin = time.monotonic()
        while time.monotonic() - begin < 0.6:  # a does not poll: nothing of it moves
            b.poll()
        assert (a.assigned, b.assigned) == (ALL, frozenset())
        a.reader.seek(0, 20)
        assert a.reader.ends() == dict.fromkeys(ALL, 20)
        settle([a, b], implementation.settle_s)
        settle([a, b, c], implementation.settle_s)
        shares = [one.assigned for one in (a, b, c)]
        for partition in ALL:
            log.append(numbered(partition, range(20, 25)))
        follow([a, b, c], dict.fromkeys(ALL, 25))
        assert all(one.frames for one in (a, b, c))
        assert [one.assigned for one in (a, b, c)] == shares  # nothing moves without a reason
        a.reader.close()
        assert a.assigned == frozenset()
        settle([b, c], implementation.release_s)
        b.reader.close()
        settle([c], implementation.release_s)
        for partition in ALL:
            log.append(numbered(partition, range(25, 30)))
        c.follow(dict.fromkeys(ALL, 30))


def test_a_reader_that_dies_is_replaced(implementation: Implementation, log: Log) -> None:
    other = Worker(implementation, 30.0, "read")
    with working(other), following(log) as (follower,):
        settle([follower], 20, lambda: [other.assigned])
        assert other.assigned
        its = min(other.assigned)
        log.append(numbered(its, range(3)))
        other.kill()
        settle([follower], implementation.release_s)
        follower.follow({its: 3})


def test_a_reader_that_hangs_is_replaced_and_takes_part_again(implementation: Implementation) -> None:
    patience_s = implementation.short_patience_s
    with closing(implementation.open(patience_s=patience_s)) as log:
        other = Worker(implementation, patience_s, "read")
        with working(other), following(log) as (follower,):
            settle([follower], 20, lambda: [other.assigned])
            said = len(other.lines)
            other.send(signal.SIGSTOP)
            waited_s = settle([follower], patience_s + implementation.release_s)
            assert waited_s > patience_s - 0.6, "its last beat was a little while ago"
            other.send(signal.SIGCONT)
            settle([follower], implementation.settle_s, lambda: [other.assigned])
            assert other.lines[said] == "", "it first finds itself with nothing"


def test_what_was_lost_and_won_again_is_not_taken_for_what_stayed(implementation: Implementation) -> None:
    """A reader does not poll for too long; another one takes all, reads on and leaves."""
    patience_s = implementation.short_patience_s
    with closing(implementation.open(patience_s=patience_s)) as log, following(log, 2) as (a, b):
        settle([a], implementation.settle_s)
        settle([b], patience_s + implementation.settle_s)
        log.append(numbered(3, range(4)))
        b.follow({3: 4})
        b.reader.close()
        assert a.assigned == ALL  # it does not know
        assert a.poll(implementation.settle_s) == []
        assert a.assigned == frozenset()
        settle([a], implementation.settle_s)
        log.append(numbered(3, range(4, 6)))
        a.follow({3: 6})


def test_a_reader_whose_connection_is_cut_takes_part_again(implementation: Implementation, log: Log) -> None:
    with following(log, 2) as (a, b):
        settle([a, b], implementation.settle_s)
        implementation.cut(a.reader)
        begin = time.monotonic()
        while time.monotonic() - begin < 0.2:
            b.poll()
        before = a.assigned
        a.poll(0)
        assert a.troubles or a.assigned == before
        settle([a, b], implementation.settle_s)
        log.append([frame for partition in ALL for frame in numbered(partition, range(2))])
        follow([a, b], dict.fromkeys(ALL, 2))


def test_more_readers_than_partitions(implementation: Implementation, log: Log) -> None:
    with following(log, PARTITIONS + 2) as followers:
        settle(followers, implementation.settle_s)
        idle = next(one for one in followers if not one.assigned)
        begin = time.monotonic()
        assert idle.reader.poll(0.3) == []  # waits nevertheless
        assert time.monotonic() - begin > 0.25
        busy = [one for one in followers if one.assigned]
        for one in busy[:2]:
            one.reader.close()
        settle([one for one in followers if one not in busy[:2]], implementation.release_s)


@pytest.mark.parametrize("seed", [1, 2])
def test_whoever_comes_and_goes_each_frame_is_read_once(implementation: Implementation, seed: int) -> None:
    """Readers join, leave, are cut off and hang at random, while frames arrive."""
    random, patience_s = Random(seed), implementation.short_patience_s
    progress: dict[int, int] = {}
    ends = dict.fromkeys(ALL, 0)
    with closing(implementation.open(patience_s=patience_s)) as log, ExitStack() as stack:
        awake: list[Follower] = []
        hung: list[Follower] = []

        def join() -> None:
            follower = Follower(log, progress)
            stack.callback(follower.reader.close)
            awake.append(follower)

        join()
        finish = time.monotonic() + 1.7
        while time.monotonic() < finish:
            event = random.random()
            if event < 0.04 and len(awake) + len(hung) < 8:
                join()
            elif event < 0.07 and len(awake) > 1:
                awake.pop(random.randrange(len(awake))).reader.close()
            elif event < 0.08:
                implementation.cut(random.choice(awake).reader)
            elif event < 0.10 and len(awake) > 1:
                hung.append(awake.pop(random.randrange(len(awake))))
            elif event < 0.11 and hung:
                awake.insert(0, hung.pop(random.randrange(len(hung))))
                awake[0].poll(0.002)  # what it lost it must not count any more
            elif event < 0.3:
                partition = random.randrange(PARTITIONS)
                log.append(numbered(partition, range(ends[partition], ends[partition] + 3)))
                ends[partition] += 3
            in_turns(awake, 0.002)
        for one in hung:
            one.poll()  # what it lost it must not count any more
        awake += hung
        settle(awake, implementation.settle_s)
        follow(awake, ends)
        assert balanced(one.assigned for one in awake)
