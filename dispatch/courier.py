"""Courier: claims what is due, sends it, settles how it went; over and over.

Receivers that fail, and those that have never yet been reached, are served by a courier of their own, one delivery
at a time, so that those who hang never hold the threads that the others need; and no owner holds more than a share
of them. A claim is a lease: what a courier had in hands when it was killed is due again when the lease ends, and is
then sent once more under the same id.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any, NamedTuple

import psycopg

from dispatch.channels import Channel
from dispatch.channels.answers import Answer, Later, Refused, Sent
from dispatch.retry import after
from ledger import deliveries, subscriptions
from ledger.database import connect
from ledger.deliveries import Attempt, Claimed, File
from ledger.subscriptions import Health

_log = logging.getLogger("warnloop.dispatch")


@dataclass(frozen=True, slots=True)
class Lane:
    """Which deliveries a courier takes.

    Attributes
    ----------
    failing : bool
        Those of subscriptions whose last attempts failed or that were never reached, or those of all others.
    threads : int
        How many are sent at the same time, at most.
    at_once : int
        How many of them to one subscription.
    share : int
        How many of them to one owner's subscriptions: so no owner takes all threads.
    lease_s : float
        How long a claim lasts; longer than any channel may take [s].
    """

    failing: bool = False
    threads: int = 64
    at_once: int = 4
    share: int = 16
    lease_s: float = 120.0


LANES = (Lane(), Lane(failing=True, at_once=1))


@dataclass(frozen=True, slots=True)
class Settings:
    """How couriers work.

    Attributes
    ----------
    database : str
        URL.
    patience : timedelta
        A subscription that has failed for this long without a success is disabled.
    poll_s : float
        How often to look for what has become due [s].
    """

    database: str
    patience: timedelta = timedelta(days=5)
    poll_s: float = 0.2


class Tried(NamedTuple):
    """An attempt that was made."""

    claimed: Claimed
    began_at: datetime
    took_s: float
    answer: Answer


_OUTCOMES: Mapping[type[Any], str] = {Sent: "sent", Later: "later", Refused: "refused"}


@dataclass(slots=True)
class Courier:
    """Works on one lane until it is told to stop.

    Attributes
    ----------
    channels : mapping
        Channels by name.
    settled : callable
        Told channel, outcome and duration [s] of every attempt that was noted.
    step : callable
        Told the name of every step when it is done.
    jitter : callable
        Draws a number in [0, 1).
    """

    settings: Settings
    channels: Mapping[str, Channel]
    lane: Lane = LANES[0]
    settled: Callable[[str, str, float], None] = lambda *_: None
    step: Callable[[str], None] = lambda _: None
    jitter: Callable[[], float] = random.random
    _tried: SimpleQueue[Tried | None] = field(default_factory=SimpleQueue)
    _flying: int = 0
    _unsettled: list[Tried] = field(default_factory=list)

    def wake(self) -> None:
        """Let it look at once for what is due; from any thread."""
        self._tried.put(None)

    def work(self, connection: psycopg.Connection, stop: Event, well: Callable[[], None] = lambda: None) -> None:
        """Work until `stop` is set; what is in hands then is still sent and settled.

        Called again after an error, it goes on with what was in hands.

        Parameters
        ----------
        well : callable
            Called whenever the database has done what it was asked for.

        Raises
        ------
        DatabaseError
        """
        with ThreadPoolExecutor(self.lane.threads, thread_name_prefix="send") as threads:
            try:
                while not stop.is_set():
                    for claimed in self._turn(connection, claiming=True):
                        threads.submit(self._send, claimed)
                    well()
                    self._gather(self.settings.poll_s)
                while self._flying or self._unsettled:
                    self._gather(self.settings.poll_s)
                    self._turn(connection, claiming=False)
            finally:
                threads.shutdown(wait=True)

    def _gather(self, timeout_s: float) -> None:
        """Wait until an attempt ends, or somebody calls, or the time is up; take all that have ended."""
        try:
            tried = self._tried.get(timeout=timeout_s)
            while True:
                if tried is not None:
                    self._flying -= 1
                    self._unsettled.append(tried)
                tried = self._tried.get_nowait()
        except Empty:
            return

    def _turn(self, connection: psycopg.Connection, *, claiming: bool) -> Sequence[Claimed]:
        """Settle what was tried and claim what is due, in one transaction."""
        lane, tried = self.lane, self._unsettled
        free = lane.threads - self._flying if claiming else 0
        if not tried and not free:
            return ()
        claimed: Sequence[Claimed] = ()
        with deliveries.turn(connection) as cursor:
            noted = self._settle(cursor, tried) if tried else set()
            if free:
                lease = timedelta(seconds=lane.lease_s)
                claimed = deliveries.claim(
                    cursor, most=free, at_once=lane.at_once, share=lane.share, failing=lane.failing, lease=lease
                )
        if tried:
            self._unsettled = []
            self.step("settle")
        for one in tried:
            if one.claimed.id in noted:
                self.settled(one.claimed.channel, _OUTCOMES[type(one.answer)], one.took_s)
            else:
                _log.warning("推送租约已过期 delivery %s outlived its lease: another courier has it", one.claimed.id)
        self._flying += len(claimed)
        if claimed:
            self.step("claim")
        return claimed

    def _settle(self, cursor: Any, tried: Sequence[Tried]) -> set[Any]:
        noted = deliveries.settle(cursor, [self._attempt(one) for one in tried])
        of: dict[Any, list[Tried]] = {}
        for one in tried:
            if one.claimed.id in noted:
                of.setdefault(one.claimed.subscription_id, []).append(one)
        health = [
            Health(
                id_,
                reached=any(isinstance(one.answer, Sent) for one in some),
                gone=any(isinstance(one.answer, Refused) and one.answer.gone for one in some),
            )
            for id_, some in of.items()
        ]
        for id_ in subscriptions.note_health(cursor, health, self.settings.patience):
            _log.warning("订阅已停用 subscription %s is disabled: its owner is told why", id_)
        return noted

    def _attempt(self, one: Tried) -> Attempt:
        claimed, answer = one.claimed, one.answer
        took_s = 0.0 if isinstance(answer, Later) and answer.hidden else one.took_s
        ended_at = one.began_at + timedelta(seconds=took_s)
        follows = after(claimed.attempts + 1, answer, claimed.first_at or one.began_at, ended_at, self.jitter())
        return Attempt(
            claimed,
            one.began_at,
            round(1_000 * took_s),
            _OUTCOMES[type(answer)],
            answer.status,
            answer.detail[:500],
            follows.state,
            follows.due_at,
        )

    def _send(self, claimed: Claimed) -> None:
        """Make an attempt, in a thread of its own."""
        began_at, began = datetime.now(UTC), time.monotonic()
        try:
            answer = self.channels[claimed.channel].send(claimed, lambda: self._files(claimed))
        except Exception as error:  # noqa: BLE001 - what a channel did not foresee is one delivery's trouble
            _log.exception("推送出错 delivery %s", claimed.id)
            answer = Later(f"程序错误 an error of this program: {type(error).__name__}")
        self.step("send")
        self._tried.put(Tried(claimed, began_at, time.monotonic() - began, answer))

    def _files(self, claimed: Claimed) -> Sequence[File]:
        if claimed.report_id is None:
            return ()
        with connect(self.settings.database) as connection:
            return deliveries.files(connection, claimed.report_id)
