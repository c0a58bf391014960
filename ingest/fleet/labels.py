"""The truth: what was planted where, and when.

``begin_ms`` and ``end_ms`` are those of the act on the road. A detector that sees
samples finds its first and last fix up to two samples later or earlier, three
where a fix is lost; the label says how much that is as ``tolerance_ms``. V07 is in buckets of ten minutes;
V13, V14, V15 and V17 belong to whole days.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from ingest.fleet.columns import CLASSES, Floats, Ints, Mask
from ingest.fleet.plan import DAY_S
from ingest.fleet.roster import Roster
from ingest.fleet.shifts import SHIFTS

_Part = tuple[Ints, Floats, Floats]
_DAYS = ("V13", "V14", "V15", "V17")
_TOLERANCE_MS = {"V07": 600_000, "V18": 120_000, "V25": 600_000, "V45": 180_000}


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
        """The valid labels, (l,) of them, of vehicles among ``who``, by vehicle and time."""
        found = []
        for j in np.lexsort((self.begin, who[self.row])):
            vehicle = int(who[self.row[j]])
            spec = SHIFTS[roster.shift[vehicle]]
            begin, end = (round(float(x)) * 1000 for x in (self.begin[j], self.end[j]))
            if not valid[j]:
                continue
            if spec.kind in _DAYS:
                begin = begin // (DAY_S * 1000) * DAY_S * 1000
                end = begin + DAY_S * 1000
            tolerance = _TOLERANCE_MS.get(spec.kind, 3000 * int(roster.every[vehicle]))
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


def plate(roster: Roster, vehicle: int) -> str:
    """Plate of a vehicle: no province's letter, class, number."""
    return f"测{CLASSES[roster.cls[vehicle]]}{roster.number[vehicle]:05d}"
