"""Stream: what happens, as it happens, to whoever watches (server-sent events).

A client is told by pulling: it knows the last feed number that it has been told, and asks for what follows. Nothing
is queued for it, so that a slow one holds up nobody; one that does not read is dropped and may resume.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from anyio import move_on_after, to_thread
from starlette.exceptions import HTTPException
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
from ledger.warned import Asked

log = logging.getLogger("warnloop.stream")

T = TypeVar("T")

LOOK_S = 0.2
"""How often it is looked for news [s]."""

POSITIONS_S = 1.0
"""How often positions are told [s]."""

BEAT_S = 15.0
"""How often a stream shows that it lives [s]."""

CHECK_S = 2.0
"""How often it is seen whether a session or a key still lets its holder look, before more is told [s]."""

CHECKED_S = 1.0
"""How long that is believed for the other streams of the same session or key [s]."""

UNCHECKED_S = 30.0
"""A stream ends when that could not be seen for so long [s]."""

OF_SESSION, OF_TENANT, OF_CENTRE = 10, 50, 100
"""Streams at a time of one session or key, of one tenant, and of the centre or its operators."""

DROP_S = 30.0
"""A client that takes nothing for so long is dropped [s]."""

AT_ONCE = 100
"""Feed numbers that are told at once: a block, so that all who catch up share what is read."""

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
        principal = self.caller.principal
        of_tenant = OF_TENANT if principal.tenant else OF_CENTRE
        with self.state.places.take({("stream", self._whose): OF_SESSION, ("stream", principal): of_tenant}):
            await self._tell(receive, send)

    @property
    def _whose(self) -> str:
        """The session or the key."""
        return self.caller.token or self.connection.headers["authorization"]

    async def _tell(self, receive: Receive, send: Send) -> None:
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
        good_at = time.monotonic()
        positions_at = 0.0
        while not gone.done() and not self.state.stopping.is_set():
            now = time.monotonic()
            try:
                if now - good_at >= CHECK_S:
                    if not await self._still_good(good_at + UNCHECKED_S):
                        return
                    good_at = time.monotonic()
                if live.feed_number > watch.number:
                    if told := await self._in_thread(self._news):
                        yield told
                    if live.feed_number > watch.number:
                        continue
                if watch.round is not None and now >= positions_at:
                    yield await self._in_thread(self._positions)
                    positions_at = now + POSITIONS_S
                if now >= beat_at:
                    yield b": \n\n"
                    beat_at = now + BEAT_S
            except DatabaseError as error:
                log.warning("%s", error)
                if time.monotonic() - good_at >= UNCHECKED_S:
                    return
                yield b": \n\n"
                await asyncio.sleep(1.0)
            await asyncio.wait([gone], timeout=LOOK_S)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self.state.watching)

    async def _still_good(self, until: float) -> bool:
        """Whether the stream may go on; not where that is not known by then [s, monotonic]."""
        with move_on_after(max(until - time.monotonic(), CHECK_S)):
            return await self._in_thread(self._is_good)
        return False

    def _news(self) -> bytes:
        """What the feed holds behind the last number; moves it on.

        Raises
        ------
        DatabaseError
        """
        watch, newest = self.watch, self.state.live.feed_number
        after = watch.number
        upto = after - after % AT_ONCE + AT_ONCE
        if upto <= newest:
            after = upto - AT_ONCE
        else:
            upto = newest
        key = ("news", watch.principal, after, upto)
        read: list[tuple[int, bytes]] = self.state.told.get(key, KEPT_S, lambda: self._read(after, upto))
        told = b"".join(event for number, event in read if number > watch.number)
        watch.number = upto
        return told

    def _read(self, after: int, upto: int) -> list[tuple[int, bytes]]:
        """Events behind a number, with their numbers, in order."""
        directory, metrics = self.state.live.directory, self.state.metrics
        with self.state.watching_pool.connection() as connection:
            shown = Shown(connection, self.watch.principal)
            rows = shown.events(after, upto)
            ids = list({row["id"] for row in rows})
            page = shown.page(Wanted(ids=ids), len(ids)) if ids else []
            issued = shown.issued(after, upto)
            warned = {row["id"]: row for row in shown.warned(after, upto)}
            warnings = shown.warnings(Asked(ids=list(warned)), len(warned)) if warned else []
        cards = {card["id"]: card for card in views.violations(page, directory, time.time_ns() // 1_000_000)}
        told = [(row["number"], *views.happened(row, cards[row["id"]])) for row in rows if row["id"] in cards]
        told += [(row["number"], "report", views.issued(row, directory)) for row in issued]
        for card in views.warnings(warnings, directory):
            row = warned[card["id"]]
            told.append((row["number"], "warning", {"number": row["number"], "at": row["at"], "warning": card}))
        for _, event, _ in told:
            metrics.stream_events.labels(event).inc()
        told.sort(key=lambda one: one[0])
        return [(number, _event(event, data, number)) for number, event, data in told]

    def _positions(self) -> bytes:
        watch = self.watch
        assert watch.round is not None  # noqa: S101 - asked before
        after = watch.round
        key = ("positions", watch.principal, after)

        def make() -> tuple[int, bytes]:
            picture = self.state.live.picture(watch.principal, after)
            return picture.round, _event("positions", picture.told())

        made: tuple[int, bytes] = self.state.told.get(key, POSITIONS_S / 2, make)
        watch.round = made[0]
        return made[1]

    def _is_good(self) -> bool:
        """Whether the session or the key still lets its holder look.

        Raises
        ------
        DatabaseError
        """

        def look() -> bool:
            try:
                with self.state.watching_pool.connection() as connection:
                    caller = caller_of(self.connection, connection)
            except Problem:
                return False
            return caller is not None and caller.principal == self.caller.principal and READER.allows(caller)

        good: bool = self.state.told.get(("good", self._whose), CHECKED_S, look)
        return good


async def _gone(receive: Receive) -> None:
    with suppress(HTTPException):  # a body that is too slow or too large
        while (await receive())["type"] != "http.disconnect":
            pass


def _event(name: str, data: Any, number: int | None = None) -> bytes:
    """One event as it is sent."""
    head = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (head, name.encode(), msgspec.json.encode(data))
