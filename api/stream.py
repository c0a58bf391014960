"""Stream: what happens, as it happens, to whoever watches (server-sent events).

A client is told by pulling: it knows the last feed number that it has been told, and asks for what follows. Nothing
is queued for it, so that a slow one holds up nobody; one that does not read is dropped and may resume.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
from anyio import to_thread
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api import views
from api.auth import Caller, caller_of
from api.permissions import READER
from api.problems import Problem
from api.state import State
from ledger.database import DatabaseError
from ledger.principal import Principal
from ledger.shown import Shown, Wanted

log = logging.getLogger("warnloop.stream")

LOOK_S = 0.2
"""How often it is looked for news [s]."""

POSITIONS_S = 1.0
"""How often positions are told [s]."""

BEAT_S = 15.0
"""How often an idle stream shows that it lives, and it is seen whether its session still does [s]."""

DROP_S = 30.0
"""A client that takes nothing for so long is dropped [s]."""

AT_ONCE = 100
"""Feed numbers that are told at once."""

KEPT_S = 5.0
"""How long what one client was told is kept for others of the same view [s]."""


@dataclass(slots=True)
class Watch:
    """What one client has been told.

    Attributes
    ----------
    number : int
        Last feed number.
    round : int
        Of the positions; -1 for none, None where they are not wanted.
    """

    principal: Principal
    number: int
    round: int | None = -1


class Stream(Response):
    """The answer to a client that watches."""

    media_type = "text/event-stream"

    def __init__(self, state: State, caller: Caller, connection: HTTPConnection, watch: Watch) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self.state, self.caller, self.connection, self.watch = state, caller, connection, watch

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Tell until the client goes, or must go."""
        gone = asyncio.ensure_future(_gone(receive))
        self.state.streams += 1
        try:
            await self._send(send, {"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for part in self._parts(gone):
                await self._send(send, {"type": "http.response.body", "body": part, "more_body": True})
            await self._send(send, {"type": "http.response.body", "body": b""})
        except TimeoutError:
            self.state.metrics.streams_dropped.inc()
            log.info("a client of the stream was dropped: it did not read")  # the server cuts what is left unfinished
        finally:
            self.state.streams -= 1
            gone.cancel()

    @staticmethod
    async def _send(send: Send, message: dict[str, Any]) -> None:
        async with asyncio.timeout(DROP_S):
            await send(message)

    async def _parts(self, gone: "asyncio.Future[None]") -> AsyncIterator[bytes]:
        """What the client is sent, piece by piece."""
        watch, live = self.watch, self.state.live
        hello = {"number": watch.number, "now_ms": time.time_ns() // 1_000_000}
        yield b"retry: 2000\n\n" + _event("hello", hello)
        beat_at = time.monotonic() + BEAT_S
        positions_at = 0.0
        while not gone.done() and not self.state.stopping.is_set():
            now = time.monotonic()
            try:
                if live.feed_number > watch.number:
                    if told := await to_thread.run_sync(self._news):
                        yield told
                    if live.feed_number > watch.number:
                        continue
                if watch.round is not None and now >= positions_at:
                    yield await to_thread.run_sync(self._positions)
                    positions_at = now + POSITIONS_S
                if now >= beat_at:
                    if not await to_thread.run_sync(self._is_good):
                        return
                    yield b": \n\n"
                    beat_at = now + BEAT_S
            except DatabaseError as error:
                log.warning("%s", error)
                yield b": \n\n"
                await asyncio.sleep(1.0)
            await asyncio.wait([gone], timeout=LOOK_S)

    def _news(self) -> bytes:
        """What the feed holds behind the last number; moves it on.

        Raises
        ------
        DatabaseError
        """
        watch = self.watch
        upto = min(self.state.live.feed_number, watch.number + AT_ONCE)
        key = ("news", watch.principal, watch.number, upto)
        told: bytes = self.state.kept.get(key, KEPT_S, lambda: self._read(watch.number, upto))
        watch.number = upto
        return told

    def _read(self, after: int, upto: int) -> bytes:
        directory, metrics = self.state.live.directory, self.state.metrics
        with self.state.pool.connection() as connection:
            shown = Shown(connection, self.watch.principal)
            rows = shown.events(after, upto)
            ids = list({row["id"] for row in rows})
            page = shown.page(Wanted(ids=ids), len(ids)) if ids else []
            issued = shown.issued(after, upto)
        cards = {card["id"]: card for card in views.violations(page, directory, time.time_ns() // 1_000_000)}
        told = [(row["number"], *views.happened(row, cards[row["id"]])) for row in rows if row["id"] in cards]
        told += [(row["number"], "report", views.issued(row, directory)) for row in issued]
        for _, event, _ in told:
            metrics.stream_events.labels(event).inc()
        return b"".join(_event(event, data, number) for number, event, data in sorted(told, key=lambda one: one[0]))

    def _positions(self) -> bytes:
        watch = self.watch
        assert watch.round is not None  # noqa: S101 - asked before
        after = watch.round
        key = ("positions", watch.principal, after)

        def make() -> tuple[int, bytes]:
            picture = self.state.live.picture(watch.principal, after)
            return picture.round, _event("positions", picture.told())

        made: tuple[int, bytes] = self.state.kept.get(key, POSITIONS_S / 2, make)
        watch.round = made[0]
        return made[1]

    def _is_good(self) -> bool:
        """Whether the session or the key still lets its holder look."""
        try:
            with self.state.pool.connection() as connection:
                caller = caller_of(self.connection, connection)
        except Problem:
            return False
        return caller is not None and caller.principal == self.caller.principal and READER.allows(caller)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(name: str, data: Any, number: int | None = None) -> bytes:
    """One event as it is sent."""
    head = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (head, name.encode(), msgspec.json.encode(data))
