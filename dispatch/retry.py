"""Retry: what follows an attempt. Pure: the clock and the dice are handed in."""

from datetime import datetime, timedelta
from typing import NamedTuple

from dispatch.channels.answers import Answer, Later, Refused, Sent

FOR_LONG = timedelta(hours=72)
"""A delivery is given up when an attempt fails this long after the first, not before."""

FIRST_S, LONGEST_S, LEAST_S = 10.0, 4 * 3600.0, 1.0
"""Bounds of the pause: of the first one, of all, and the least [s]."""

MOST_WAIT_S = 24 * 3600.0
"""Longest pause that a receiver may ask for [s]."""


class Next(NamedTuple):
    """What a delivery is from now on: ``due`` at a time, or for good ``sent`` or ``dead``."""

    state: str
    due_at: datetime | None = None


def after(attempts: int, answer: Answer, first_at: datetime, now: datetime, jitter: float) -> Next:
    """When to try again, or that there is no more trying.

    The pause is drawn evenly between nothing and a bound that doubles with each attempt (full jitter), so that
    receivers that come back are not overrun; and it is no shorter than what the receiver asks for.

    Parameters
    ----------
    attempts : int
        How many there were, this one included.
    first_at, now : datetime
        When the first attempt began, and when this one ended.
    jitter : float
        In [0, 1).
    """
    match answer:
        case Sent():
            return Next("sent")
        case Refused():
            return Next("dead")
        case Later(retry_after_s=asked_s):
            if now - first_at >= FOR_LONG:
                return Next("dead")
            bound_s = min(LONGEST_S, FIRST_S * 2.0 ** min(attempts - 1, 30))
            pause_s = max(LEAST_S, bound_s * jitter)
            if asked_s is not None:
                pause_s += min(max(asked_s, 0.0), MOST_WAIT_S)
            return Next("due", now + timedelta(seconds=pause_s))
