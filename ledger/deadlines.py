"""Deadlines: how long whoever owes the next move of a case has for it. Pure; overdue is worked out when read.

Source: regulation §5.3; counties may want their own.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

LEAST_SEVERITY = 2
"""Violations below it have no case."""


class Clock(StrEnum):
    """What is waited for: the company's acknowledgement, its rectification, a decision of the authority."""

    ACKNOWLEDGE = "acknowledge"
    SUBMIT = "submit"
    REVIEW = "review"


def _by_severity(general: timedelta, serious: timedelta, severe: timedelta) -> Mapping[int, timedelta]:
    return MappingProxyType({2: general, 3: serious, 4: severe})


LIMITS: Mapping[Clock, Mapping[int, timedelta]] = MappingProxyType(
    {
        Clock.ACKNOWLEDGE: _by_severity(timedelta(hours=24), timedelta(hours=12), timedelta(hours=2)),
        Clock.SUBMIT: _by_severity(timedelta(days=7), timedelta(days=3), timedelta(hours=24)),
        Clock.REVIEW: _by_severity(timedelta(days=10), timedelta(days=5), timedelta(days=2)),
    }
)
"""Time for each step, by severity."""


def due_at(clock: Clock | None, severity: int, since: datetime) -> datetime | None:
    """When a step that runs since then is due; None where nothing is waited for.

    Raises
    ------
    ValueError
        Violations of this severity have no case.
    """
    if clock is None:
        return None
    try:
        return since + LIMITS[clock][severity]
    except KeyError:
        raise ValueError(f"a violation of severity {severity} has no deadlines") from None


def tightened(due: datetime | None, clock: Clock | None, severity: int, at: datetime) -> datetime | None:
    """When a step is due after its violation rose to a severity.

    At the new severity's time from now, and never later than before. Nobody becomes overdue by the rise itself.
    """
    fresh = due_at(clock, severity, at)
    return fresh if due is None or fresh is None else min(due, fresh)
