"""Signals: the first SIGINT or SIGTERM asks for an end in order, the second ends at once."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


@contextmanager
def until_signalled(stop: Event) -> Iterator[None]:
    """Set an event at the first signal, for the length of a block."""

    def on_signal(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            sys.exit(128 + number)
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
