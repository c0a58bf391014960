"""The truth: what was planted where, and when.

``begin_ms`` and ``end_ms`` are those of the act on the road. A detector that sees
samples finds its first and last fix up to two samples later or earlier, three
where a fix is lost; the label says how much that is as ``tolerance_ms``. V07 is in buckets of ten minutes;
V14, V15 and V17 belong to whole days.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from ingest.fleet.columns import CLASSES, Floats, Ints, Mask
from ingest.fleet.dirt import SILENCE_S
from ingest.fleet.plan import DAY_S, NEVER, Plan
from ingest.fleet.roster import Roster
from ingest.fleet.shift import HOUR, Shift
from ingest.fleet.shifts import SHIFTS
from ingest.fleet.tracks import STEP_S, Tracks

_Part = tuple[Ints, Floats, Floats]
_DAYS = ("V14", "V15", "V17")


@dataclass(frozen=True)
class Label:
    """A planted violation or a near miss, as it is written.

    Parameters
    ----------
    plate, plate_color : str, int
        The vehicle.
    kind : str
        "V01" and so on.
    begin_ms, end_ms, tolerance_ms : int
        From, to, and how far off a detector may be [ms].
    detail : str
        The shift.
    lawful : bool
        Whether it is a near miss.
    implies : tuple of str
        Kinds that come with it.
    """

    plate: str
    plate_color: int
    kind: str
    begin_ms: int
    end_ms: int
    tolerance_ms: int
    detail: str
    lawful: bool
    implies: tuple[str, ...]


def label_line(label: Label) -> str:
    """A label as a line of NDJSON; ``lawful`` and ``implies`` only where they say something."""
    fields = {name: value for name, value in asdict(label).items() if value not in (False, ())}
    return json.dumps(fields, ensure_ascii=False) + "\n"


@dataclass
class Truth:
    """Labels of some vehicles, (l,).

    Parameters
    ----------
    row : ndarray
        Which of the vehicles.
    begin, end : ndarray
        From, to [s since the run's first Beijing midnight].
    """

    row: Ints
    begin: Floats
    end: Floats

    @classmethod
    def joined(cls, parts: list[_Part]) -> Truth:
        """All parts as one."""
        if not parts:
            return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
        rows, begins, ends = zip(*parts, strict=True)
        return cls(np.concatenate(rows), np.concatenate(begins), np.concatenate(ends))

    def labels(self, roster: Roster, who: Ints, valid: Mask, zero_ms: int) -> list[Label]:
        """The labels of the valid vehicles among ``who``, by vehicle and time."""
        found = []
        for j in np.lexsort((self.begin, who[self.row])):
            vehicle = int(who[self.row[j]])
            spec = SHIFTS[roster.shift[vehicle]]
            begin, end = (round(float(x)) * 1000 for x in (self.begin[j], self.end[j]))
            if not valid[self.row[j]]:
                continue
            if spec.kind in _DAYS:
                begin = begin // (DAY_S * 1000) * DAY_S * 1000
                end = begin + DAY_S * 1000
            tolerance = 600_000 if spec.kind == "V07" else 3000 * int(roster.every[vehicle])
            found.append(
                Label(
                    plate(roster, vehicle),
                    int(roster.color[vehicle]),
                    spec.kind,
                    begin + zero_ms,
                    end + zero_ms,
                    tolerance,
                    spec.name,
                    spec.lawful,
                    spec.implies,
                )
            )
        return found


def _last(plan: Plan, rows: Ints) -> Ints:
    """The latest leg of each vehicle."""
    return np.asarray((plan.begin[:, rows] != NEVER).sum(axis=0) - 1)


def _burst(spec: Shift, tracks: Tracks, track: Ints, plan: Plan, rows: Ints) -> tuple[Floats, Floats]:
    """When the burst is above its threshold."""
    start = plan.begin[0, rows].astype(np.float64)
    pace, by, ramp = plan.pace[0, rows], plan.fast_by[rows].astype(np.float64), plan.fast_ramp[rows]
    where = plan.home[rows] + pace * (plan.fast_begin[rows] + ramp)
    limit = tracks.limit[tracks.base[track] + (where / STEP_S).astype(np.int64)]
    above = {"V03": 0.8 + 3.0 / limit, "V04": np.full(len(rows), 1.5)}.get(spec.kind, 1.0 + 3.0 / limit)
    part = np.clip((above / 0.98 - pace) / np.maximum(by, 1e-6), 0.0, 1.0) * ramp
    return start + plan.fast_begin[rows] + part, start + plan.fast_end[rows] + ramp - part


def _spans(spec: Shift, tracks: Tracks, track: Ints, plan: Plan, rows: Ints) -> list[_Part]:
    """Labels of the vehicles of one shift."""
    last = _last(plan, rows)
    start, stop = plan.begin[0, rows].astype(np.float64), plan.end[last, rows].astype(np.float64)
    if spec.boost[0] > 0:
        return [(rows, *_burst(spec, tracks, track, plan, rows))]
    if spec.need in ("core", "clip"):
        found = []
        for k in range(int(last.max()) + 1):
            begun, edge = plan.begin[k, rows].astype(np.float64), tracks.core[track]
            if k % 2:
                edge = (plan.far[rows].astype(np.float64) + plan.home[rows])[:, None] - edge[:, ::-1]
            after = plan.ramp[rows, None] / 2 + (edge - plan.home[rows, None]) / plan.pace[k, rows, None]
            found.append((rows, begun + after[:, 0], begun + after[:, 1]))
        return found
    if spec.kind == "V06":
        start = np.maximum(start, np.floor(start / DAY_S) * DAY_S + np.where(start % DAY_S > DAY_S / 2, 22 * HOUR, 0))
    if spec.kind == "V07":
        start = plan.begin[7, rows] + (8 * HOUR - 7 * spec.leg_s)
    if spec.fault == "silent":
        start, stop = start + SILENCE_S[0], start + SILENCE_S[1]
    if spec.exact_s and spec.lawful:
        stop = start + spec.exact_s
    return [(rows, start, stop)]


def truth(roster: Roster, tracks: Tracks, plan: Plan, who: Ints) -> Truth:
    """Labels of the planned shifts of some vehicles; row indexes ``who`` and the plan's columns."""
    parts: list[_Part] = []
    shift = roster.shift[who]
    for number, spec in enumerate(SHIFTS):
        rows = np.flatnonzero((shift == number) & (plan.begin[0] != NEVER)) if spec.kind else np.zeros(0, np.int64)
        if rows.size:
            parts += _spans(spec, tracks, roster.track[who[rows]].astype(np.int64), plan, rows)
    return Truth.joined(parts)


def plate(roster: Roster, vehicle: int) -> str:
    """Plate of a vehicle: no province's letter, class, number."""
    return f"测{CLASSES[roster.cls[vehicle]]}{roster.number[vehicle]:05d}"
