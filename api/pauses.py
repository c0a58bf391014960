"""Pauses: bounded patience with what is out of reach."""

import logging
import time
from threading import Event

from ingest.log import LogError
from ledger.database import DatabaseError

SHORTEST_S, LONGEST_S = 0.5, 15.0
"""Pauses before another try double from the one to the other [s]."""

_log = logging.getLogger("warnloop")


class Pauses:
    """Waits between tries, longer and longer, until it is enough.

    Parameters
    ----------
    patience_s : float
        How long something may be out of reach [s].
    stop : Event
        Ends a pause early.
    """

    def __init__(self, patience_s: float, stop: Event | None = None) -> None:
        self.patience_s, self.stop = patience_s, stop or Event()
        self._pause_s = SHORTEST_S
        self._since: float | None = None

    def well(self) -> None:
        """Note that it works."""
        self._since, self._pause_s = None, SHORTEST_S

    def bear(self, error: DatabaseError | LogError) -> None:
        """Wait before another try.

        Raises
        ------
        DatabaseError, LogError
            The error, if waiting does not help or has lasted long enough.
        """
        now = time.monotonic()
        self._since = self._since or now
        left_s = self._since + self.patience_s - now
        if not error.passing or left_s <= 0:
            raise error
        pause_s = min(self._pause_s, left_s)
        _log.warning("%s; 等待重试 trying again in %.1f s, giving up in %.0f s", error, pause_s, left_s)
        self.stop.wait(pause_s)
        self._pause_s = min(2 * self._pause_s, LONGEST_S)
