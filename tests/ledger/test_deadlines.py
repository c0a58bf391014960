"""Deadlines against the table of the regulation's §5.3, written out."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.deadlines import LIMITS, Clock, due_at, tightened

NOW = datetime(2026, 11, 28, 0, 30, tzinfo=UTC)
HOURS = {
    ("acknowledge", 4): 2, ("acknowledge", 3): 12, ("acknowledge", 2): 24,
    ("submit", 4): 24, ("submit", 3): 72, ("submit", 2): 168,
    ("review", 4): 48, ("review", 3): 120, ("review", 2): 240,
}  # fmt: skip


def test_the_table() -> None:
    assert {(str(clock), severity) for clock, row in LIMITS.items() for severity in row} == set(HOURS)
    for (clock, severity), hours in HOURS.items():
        assert due_at(Clock(clock), severity, NOW) == NOW + timedelta(hours=hours)


def test_where_nothing_is_waited_for_nothing_is_due() -> None:
    assert due_at(None, 4, NOW) is None
    assert tightened(None, None, 4, NOW) is None


@pytest.mark.parametrize("severity", [0, 1, 5])
def test_other_severities_have_none(severity: int) -> None:
    with pytest.raises(ValueError, match="no deadlines"):
        due_at(Clock.SUBMIT, severity, NOW)


@pytest.mark.parametrize(
    ("left_h", "severity", "hours"),
    [(20, 4, 2), (1, 4, 1), (-3, 4, -3), (2, 4, 2), (20, 3, 12)],
    ids=["sooner", "as it was", "overdue stays overdue", "equal", "serious"],
)
def test_a_rise_brings_it_nearer_but_never_into_the_past(left_h: int, severity: int, hours: int) -> None:
    due = tightened(NOW + timedelta(hours=left_h), Clock.ACKNOWLEDGE, severity, NOW)
    assert due == NOW + timedelta(hours=hours)
