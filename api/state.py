"""State: what one application holds; there is none besides."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Annotated, Any

import psycopg
from anyio import CapacityLimiter
from fastapi import Depends, Request

from api.live import Live
from api.web_metrics import WebMetrics
from ledger.pool import Pool

UPLOADS = 4
"""Files that are taken in at once: each may take 10 MiB."""


@dataclass(slots=True)
class State:
    """What the routes of one application share.

    Attributes
    ----------
    stopping : Event
        Set when streams are to end.
    streams : int
        Clients that watch.
    """

    pool: Pool
    live: Live
    metrics: WebMetrics = field(default_factory=WebMetrics)
    stopping: Event = field(default_factory=Event)
    streams: int = 0
    uploads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(UPLOADS))
    kept: "Kept" = field(default_factory=lambda: Kept())


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
            self._held[key] = (time.monotonic() + seconds, made)
        return made


def state_of(request: Request) -> State:
    """The state of the application that is asked."""
    state = request.app.state.held
    assert isinstance(state, State)  # noqa: S101 - put there by `make_app`
    return state


Held = Annotated[State, Depends(state_of)]


def _connection(held: Held) -> Iterator[psycopg.Connection]:
    """A connection until the route is done; the answer is sent without it."""
    with held.pool.connection() as connection:
        yield connection


Db = Annotated[psycopg.Connection, Depends(_connection, scope="function")]
