"""State: what one application holds; there is none besides."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Annotated, Any

import psycopg
from anyio import CapacityLimiter
from fastapi import Depends, Request

from api.live import Live
from api.places import Places
from api.web_metrics import WebMetrics
from ledger.pool import Pool

UPLOADS = 4
"""Files that are taken in at once: each may take 10 MiB."""

WATCHING = 4
"""Threads that look for what streams are to tell, and connections they have: requests have others."""

MOST_KEPT = 256
"""Answers that are kept."""


@dataclass(slots=True)
class State:
    """What the routes of one application share.

    Attributes
    ----------
    watching_pool, watching : Pool, CapacityLimiter
        Connections and threads of streams, so that requests need not wait for them.
    stopping : Event
        Set when streams are to end.
    streams : int
        Clients that watch.
    places : Places
        Streams and uploads, by whose they are.
    kept, told : Kept
        What requests, and what streams, were answered.
    """

    pool: Pool
    watching_pool: Pool
    live: Live
    metrics: WebMetrics = field(default_factory=WebMetrics)
    stopping: Event = field(default_factory=Event)
    streams: int = 0
    uploads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(UPLOADS))
    watching: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(WATCHING))
    places: Places = field(default_factory=Places)
    kept: "Kept" = field(default_factory=lambda: Kept())
    told: "Kept" = field(default_factory=lambda: Kept())


@dataclass(slots=True)
class Kept:
    """Answers that many ask for at once, kept for a moment."""

    _held: dict[Any, tuple[float, Any]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: Any, seconds: float, make: Callable[[], Any]) -> Any:
        """The answer of a key, made anew where the one there is older."""
        now = time.monotonic()
        found = self._held.get(key)
        if found is not None and found[0] > now:
            return found[1]
        made = make()
        with self._lock:
            self._held = {one: held for one, held in self._held.items() if held[0] > now}
            while len(self._held) >= MOST_KEPT:
                del self._held[next(iter(self._held))]
            self._held[key] = (time.monotonic() + seconds, made)
        return made


def state_of(request: Request) -> State:
    """The state of the application that is asked."""
    state = request.app.state.held
    assert isinstance(state, State)  # noqa: S101 - put there by `make_app`
    return state


Held = Annotated[State, Depends(state_of)]


def _connection(request: Request, held: Held) -> Iterator[psycopg.Connection]:
    """A connection until the route is done; the answer is sent without it."""
    with ExitStack() as lent:
        request.state.lent = lent
        yield lent.enter_context(held.pool.connection())


def give_back(request: Request) -> None:
    """Give the connection of a request back before it is done: what it waits for now needs none."""
    lent: ExitStack = request.state.lent
    lent.close()


Db = Annotated[psycopg.Connection, Depends(_connection, scope="function")]
