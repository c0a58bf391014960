"""Second pass: which fixes enter it, where both readings' streams seldom come."""

import numpy as np
import pytest

from detectors.second import entering
from ingest.batch import MISSING_MS, Batch, no_fixes
from ingest.gate import Verdict

DAY_MS = 86_400_000
NOON_MS = 1_772_424_000_000

A, N, B, L, U = Verdict.ACCEPTED, Verdict.NO_FIX, Verdict.BACKFILL, Verdict.LATE, Verdict.UNCONFIRMED


def batch(*fixes: tuple[int, int], received_ms: int = MISSING_MS) -> Batch:
    """Fixes by vehicle and time since noon [ms]."""
    columns = {name: np.zeros(len(fixes), column.dtype) for name, column in no_fixes().columns().items()}
    columns["vehicle"] = np.array([vehicle for vehicle, _ in fixes], np.int32)
    columns["time_ms"] = np.array([NOON_MS + time_ms for _, time_ms in fixes])
    columns["received_ms"] = np.full(len(fixes), received_ms)
    return Batch(**columns)


@pytest.mark.parametrize(
    ("fixes", "verdicts", "enter"),
    [
        pytest.param([(0, 0), (1, 10_000), (1, 20_000)], [U, U, A], [1, 2], id="confirmed by its own vehicle only"),
        pytest.param([(1, 10_000), (1, 20_000), (0, 0)], [U, A, U], [0, 1], id="the last of a vehicle is not"),
        pytest.param([(0, 0), (0, 10_000), (0, 20_000)], [U, L, A], [0, 1, 2], id="a late one between"),
        pytest.param([(0, 10_000), (0, 0), (0, 20_000)], [U, A, A], [1, 2], id="one before it does not confirm it"),
        pytest.param([(0, 0), (0, 3_600_000)], [U, A], [0, 1], id="an hour later"),
        pytest.param([(0, 0), (0, 3_600_001)], [U, A], [1], id="more than an hour later"),
        pytest.param([(0, 0), (0, 0)], [N, A], [1], id="of one time the one with a position"),
        pytest.param([(0, 0), (0, 0)], [B, A], [0], id="of one time the first"),
        pytest.param([(0, 5_000), (0, 0)], [A, N], [1, 0], id="one without a position is heard"),
        pytest.param([(1, 0), (0, 0)], [A, A], [0, 1], id="of one time, in order of arrival"),
        pytest.param([(0, 0), (0, 1_000), (0, 2_000)], [Verdict.UNQUALIFIED, Verdict.DUPLICATE, A], [2], id="refused"),
        pytest.param([], [], [], id="nothing"),
    ],
)
def test_what_enters(fixes: list[tuple[int, int]], verdicts: list[Verdict], enter: list[int]) -> None:
    assert entering(batch(*fixes), np.array(verdicts, np.uint8)).tolist() == enter


@pytest.mark.parametrize(("days", "enters"), [(7, True), (8, False)])
def test_seven_days_back(days: int, enters: bool) -> None:
    """Days are Beijing's; a fix arrives at its receipt, or when its vehicle was last located."""
    ago = -days * DAY_MS
    late = np.array([B], np.uint8)
    assert entering(batch((0, ago), received_ms=NOON_MS + 11 * 3_600_000), late).tolist() == [0] * enters
    both = entering(batch((0, 0), (0, ago - 4 * 3_600_000)), np.array([A, L], np.uint8))
    assert both.tolist() == [1, 0] if enters else [0]
    assert entering(batch((0, ago)), late).tolist() == [0]
