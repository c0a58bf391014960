"""Parts of a pair: rulebook §4, "in this order"."""

from dataclasses import dataclass

from .parameters import Set
from .sight import Pair, Sight

DRIVE = "drive"
GAP_DRIVE = "gap-drive"
STOP = "stop"
UNKNOWN = "unknown"


@dataclass(slots=True)
class Part:
    """[start, end) of one pair. `dm` is the pair's D for drive and gap-drive, else 0."""

    what: str
    start: int
    end: int
    dm: int
    sets: Sight  # the fix whose parameters a counter takes that begins here

    @property
    def ms(self) -> int:
        """How long it lasts."""
        return self.end - self.start


def parts_of(pair: Pair, rules: Set) -> list[Part]:
    """The parts in time order; "A part of length 0 is no part"."""
    a, b = pair.a, pair.b
    if pair.dt <= rules["short_ms"]:
        drives = a.speed >= rules["drive_kmh"]
    elif pair.dt <= rules["long_ms"]:
        drives = pair.dm >= rules["moved_dm"] and 360 * pair.dm >= rules["drive_kmh"] * pair.dt
    else:
        return gap_parts(pair, rules)
    return [Part(DRIVE if drives else STOP, a.t, b.t, pair.dm if drives else 0, a)]


def gap_parts(pair: Pair, rules: Set) -> list[Part]:
    """ "Δt > 300 000 (a gap)"."""
    a, b = pair.a, pair.b
    if pair.jumps:
        return [Part(UNKNOWN, a.t, b.t, 0, a)]
    if pair.dm < rules["near_dm"]:
        return [Part(STOP, a.t, b.t, 0, a)]
    gap_drive = min(pair.dt, int(rules["gap_ms_per_dm"] * pair.dm))
    rest = pair.dt - gap_drive
    what = STOP if rest >= rules["long_rest_ms"] else UNKNOWN
    both = [
        Part(what, a.t, a.t + rest, 0, a),
        Part(GAP_DRIVE, a.t + rest, b.t, pair.dm, b),
    ]
    return [part for part in both if part.ms > 0]
