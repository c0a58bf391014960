"""Reminders: papers that will end soon are told of once, at the first drive near their end."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import WARNED, Found
from detectors.kind import State
from detectors.tallies import TALLIED, Rows
from ingest.batch import Bool, Int8, Int32, Int64
from ingest.kernel import kernel
from ingest.moment import BEIJING
from ingest.papers import Papers

KEPT = 5

REMINDED = np.dtype([("whose", "u4", (KEPT,)), ("until_s", "u4", (KEPT,)), ("next", "u1")], align=True)
"""The papers that a vehicle was last warned of: whose (0: none), and when they end [s of the epoch]."""


@kernel
def _remind(row: Int64, whose: Int64, until_s: Int64, slot: Int32, state: State, told: Int64) -> int:
    """Choose the papers that are told of, one a fix at most; returns how many."""
    count = 0
    for at in range(len(row)):
        if count > 0 and row[told[count - 1]] == row[at]:
            continue
        own = state[slot[row[at]]]
        place = -1
        for known in range(KEPT):
            if own.whose[known] == whose[at]:
                place = known
        if place >= 0 and own.until_s[place] == until_s[at]:
            continue
        if place < 0:
            place = own.next
            own.next = (own.next + 1) % KEPT
        own.whose[place] = whose[at]
        own.until_s[place] = until_s[at]
        told[count] = at
        count += 1
    return count


def remind(
    batch: Enriched,
    row: Int64,
    whose: Int64,
    until_ms: Int64,
    slot: Int32,
    state: State,
    *,
    code: Int8,
    detail: Int8 | None = None,
    who: Int64 | None = None,
) -> Rows:
    """Tell of papers that will end, each end once; one a fix at most.

    A vehicle keeps the last end [s, cut] it was told of for five of `whose`; a sixth takes the place of the one that
    came first. A candidate is told unless the end kept for its `whose` is its own, or one was told at this fix.

    Parameters
    ----------
    batch : Enriched, (n,)
    row : int64, (k,)
        Fixes that have a candidate, in order; a fix may have several.
    whose : int64, (k,)
        From 1 and below 2^32.
    until_ms : int64, (k,)
        When the papers end [ms].
    slot : int32, (n,)
        See `Limits`; not -1 at these rows.
    state : structured array of ``REMINDED``, (vehicles of the kind,)
    code, detail : uint8, (k,)
    who : int64, (k,), optional

    Returns
    -------
    Rows of ``TALLIED``, (m,)
        Facts WARNED: all times and the place are those of the fix, severity is 0, ``ended_ms`` the coming end.
    """
    chosen = np.empty(len(row), np.int64)
    count = _remind(row, whose, until_ms // 1000, slot, state, chosen)
    told = chosen[:count]
    at = row[told]
    found: NDArray[np.void] = np.zeros(count, TALLIED)
    found["vehicle"], found["fact"] = batch.vehicle[at], WARNED
    for name in ("begins_ms", "raised_ms", "ends_ms"):
        found[name] = batch.time_ms[at]
    found["lon"], found["lat"] = batch.lon[at], batch.lat[at]
    found["ended_ms"], found["code"] = until_ms[told], code[told]
    if detail is not None:
        found["detail"] = detail[told]
    if who is not None:
        found["who"] = who[told]
    return Rows(found, at)


def numbered(found: Found, which: Bool, papers: Papers, sort: str, holder: Int64) -> None:
    """Write the number of the paper of this sort and holder, (m,), that ended at ``ended_ms``, where there is one."""
    rows = np.flatnonzero(which & (found["ended_ms"] != 0))
    if len(rows):
        ended = found["ended_ms"][rows]
        paper = papers.latest(holder[rows], ended - 1, sort)
        fits = (paper >= 0) & (papers.to_ms[paper] == ended)
        found["number"][rows[fits]] = papers.column("number", str, np.object_)[paper[fits]].astype("U24")


def moment_text(time_ms: int) -> str:
    """A moment by Beijing clocks, cut to seconds."""
    return f"{datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def tally_measures(row: Any) -> dict[str, object]:
    """Distance [m] and time [s] driven in the channel that raised it, not of a warning; number and end of the paper.

    The latter two only where there are such; a number is cut to 24 characters.
    """
    found: dict[str, object] = {}
    if row["fact"] != WARNED:
        found |= {"distance_m": int(row["distance_dm"]) / 10, "drive_s": int(row["drive_ms"]) / 1000}
    if row["number"]:
        found["number"] = str(row["number"])
    if row["ended_ms"]:
        found["ended"] = moment_text(int(row["ended_ms"]))
    return found


def paper_facts(measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG001
    """What is said where there is no paper, it has no number, or its validity no begin."""
    return {
        "number": measures.get("number", "unnumbered"),
        "ended": measures.get("ended", "unnumbered"),
        "since": measures.get("since", "ever"),
    }
