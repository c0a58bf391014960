"""Reminders: papers that will end soon, told of at a drive near their end (the warnings of V29 and V30)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from .gate import Gate
from .missing import DOCUMENTS, holder_of, serving
from .papers import Holder
from .positions import Fix
from .registry import Registry, Row
from .sight import Pair, Sight, pair_of
from .tally import drives
from .values import shown_moment

DAY_MS = 86_400_000
KEPT = 5  # "A vehicle keeps the last end ... for five of `whose`"


@dataclass(slots=True)
class Warned:
    """One warning."""

    kind: str
    plate: str
    plate_color: int
    t: int
    measures: dict[str, object]

    def shown(self) -> tuple[object, ...]:
        """To be compared."""
        return self.kind, self.plate, self.plate_color, self.t, sorted(self.measures.items())


@dataclass(slots=True)
class Kept:
    """The last ends told of, in the order in which their owners came."""

    ends: dict[str, int] = field(default_factory=dict)

    def tells(self, whose: str, until: float) -> bool:
        """ "Told unless the end kept for its `whose` is its own"; "a sixth takes the place of ... the first"."""
        seconds = int(until // 1000)
        if self.ends.get(whose) == seconds:
            return False
        if whose not in self.ends and len(self.ends) == KEPT:
            del self.ends[next(iter(self.ends))]
        self.ends[whose] = seconds
        return True


class Reminders:
    """The warnings of one vehicle."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.previous: Sight | None = None
        self.documents, self.staff = Kept(), Kept()
        self.found: list[Warned] = []

    def take(self, sight: Sight) -> None:
        """One accepted fix."""
        previous, self.previous = self.previous, sight
        if previous is None or sight.row is None:
            return
        pair = pair_of(previous, sight)
        self.document(pair, sight, sight.row)
        self.qualification(pair, sight, sight.row)

    def warns(self, code: str, pair: Pair, row: Row) -> float | None:
        """Until when a paper that ends is told of; None where the pair is no driving, or the kind does not apply."""
        at = pair.b
        if self.registry.exempt(code, row, at.t, at.lon, at.lat):
            return None
        rules = self.registry.set(code, row, at.t)
        return at.t + rules["warn_days"] * DAY_MS if drives(pair, rules) else None

    def ending(self, table: str, holder: Holder, t: int, sort: str) -> tuple[float, dict[str, object]] | None:
        """End of the papers of a sort without a break from t on, and what is said of the last of them."""
        end = self.registry.papers.unbroken(table, holder, t, sort)
        if end is None:
            return None
        numbers = [one.cells.get("number") for one in self.registry.papers.of(table, holder, sort) if one.end == end]
        number = {"number": numbers[0]} if numbers[0] else {}
        return end, {**number, "ended": "" if end == inf else shown_moment(end)}

    def tell(self, code: str, at: Sight, row: Row, measures: dict[str, object]) -> None:
        """One warning."""
        self.found.append(Warned(code, row.plate, row.plate_color, at.t, measures))

    def document(self, pair: Pair, at: Sight, row: Row) -> None:
        """V29: "one a fix is told, the first in order of sorts whose end is not the last one told of that sort"."""
        horizon = self.warns("V29", pair, row)
        if horizon is None:
            return
        for sort in DOCUMENTS:
            ending = self.ending("documents", holder_of(row), at.t, sort)
            if ending is not None and ending[0] <= horizon and self.documents.tells(sort, ending[0]):
                self.tell("V29", at, row, {"paper": sort, **ending[1]})
                return

    def qualification(self, pair: Pair, at: Sight, row: Row) -> None:
        """V30: "the last of these ends is told"."""
        horizon, driver = self.warns("V30", pair, row), at.driver
        if horizon is None or driver is None or not self.registry.papers.holding("staff", driver, at.t):
            return
        each = (self.ending("qualifications", driver, at.t, sort) for sort in serving(row))
        last = max(filter(None, each), key=lambda ending: ending[0], default=None)
        if last is not None and last[0] <= horizon and self.staff.tells(driver, last[0]):
            self.tell("V30", at, row, last[1])


def reminders(fixes: Iterable[Fix], registry: Registry) -> list[Warned]:
    """Warnings of all vehicles."""
    vehicles: dict[tuple[str, int], tuple[Gate, Reminders]] = {}
    for fix in fixes:
        gate, own = vehicles.setdefault((fix.plate, fix.plate_color), (Gate(), Reminders(registry)))
        found = gate.take(fix)
        if not isinstance(found, str):
            row = registry.row(fix.plate, fix.plate_color, found.t)
            own.take(Sight(found.t, found.lon, found.lat, found.speed, found.driver, row, found.status))
    return [warned for _, own in vehicles.values() for warned in own.found]
