"""Days: V14, V15, V17 of rulebook §5 and V13, judged when all is read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import nan

from .episode import Episode
from .gate import Accepted, qualified
from .metric import DAY, HOUR, decimetres, jumps
from .papers import Holder, Paper
from .positions import Fix
from .registry import Registry, Row
from .tally import day_of

SCHEDULES = ("waybills", "charters", "assignments", "roster", "duties")
FLAWS = ("time", "place", "speed", "heading", "altitude")


@dataclass(slots=True)
class Sheet:
    """One day of one vehicle."""

    received: int = 0
    unqualified: int = 0
    flaws: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FLAWS, 0))
    continuous: int = 0
    incomplete: int = 0
    drifts: int = 0
    accepted: bool = False


class Days:
    """The sheets of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode], holder: tuple[str, int]) -> None:
        self.registry, self.episodes, self.holder = registry, episodes, holder
        self.sheets: dict[int, Sheet] = {}
        self.located: Accepted | None = None
        self.heard: list[int] = []

    def sheet(self, t: int) -> Sheet:
        """Of the day that t lies in."""
        return self.sheets.setdefault(day_of(t), Sheet())

    def receive(self, fix: Fix) -> None:
        """One fix, "whatever the gate said of it", before the gate has seen it."""
        moments = (fix.time, fix.received, None if self.located is None else self.located.t)
        t = next((moment for moment in moments if moment is not None), None)
        if t is None:
            return
        sheet = self.sheet(t)
        sheet.received += 1
        fast = fix.speed_kmh is not None and fix.speed_kmh > 160
        if fast or qualified(fix) is None:
            sheet.unqualified += 1
            for flaw in flaws_of(fix):
                sheet.flaws[flaw] += 1

    def locate(self, fix: Fix, located: Accepted, accepted: bool) -> None:
        """One located fix: "it belongs to the day of its later fix"; D is the real distance."""
        self.heard.append(located.t if fix.received is None else fix.received)
        a, self.located = self.located, located
        sheet = self.sheet(located.t)
        sheet.accepted = sheet.accepted or accepted
        if a is None:
            return
        dt = located.t - a.t
        dm = decimetres(a.lon, a.lat, located.lon, located.lat)
        if jumps(dm, dt):
            sheet.drifts += 1
        elif dt > 300_000 and dm > 20_000:
            sheet.incomplete += dm
        else:
            sheet.continuous += dm

    def row_of(self, kind: str, day: int, classes: str) -> Row | None:
        """ "class, registration and parameters are those of the day's last millisecond"."""
        last = day + DAY - 1
        row = self.registry.row(*self.holder, last)
        return row if self.registry.applies(kind, classes, row, last, nan, nan) else None

    def add(self, kind: str, day: int, row: Row, measures: dict[str, object], severity: int = 1) -> None:
        """ "`begins_ms` = 00:00, `raised_ms` = `ends_ms` = 24:00"."""
        self.episodes.append(Episode(kind, day, day + DAY, day + DAY, severity, False, row, measures))

    def close(self, day: int, sheet: Sheet) -> None:
        """V14, V15 and V17 of one day."""
        if (row := self.row_of("V14", day, "LCH")) is not None:
            rules = self.registry.set("V14", row, day + DAY - 1)
            way = sheet.continuous + sheet.incomplete
            if way >= rules["least_dm"] and sheet.continuous < rules["complete_ratio"] * way:
                measures = {"distance_m": way / 10, "incomplete_m": sheet.incomplete / 10}
                self.add("V14", day, row, {**measures, "continuous_ratio": sheet.continuous / way})
        if (row := self.row_of("V15", day, "LCH")) is not None:
            rules = self.registry.set("V15", row, day + DAY - 1)
            if sheet.drifts >= rules["drift_points"]:
                self.add("V15", day, row, {"drift_pairs": sheet.drifts})
        if (row := self.row_of("V17", day, "LCHBTF")) is not None:
            rules = self.registry.set("V17", row, day + DAY - 1)
            n, bad = sheet.received, sheet.unqualified
            if n >= rules["received_points"] and bad > rules["unqualified_most_ratio"] * n:
                flaws = {f"{flaw}_flaws": count for flaw, count in sheet.flaws.items()}
                self.add("V17", day, row, {"received": n, "unqualified": bad, **flaws, "unqualified_ratio": bad / n})


def flaws_of(fix: Fix) -> list[str]:
    """What is wrong with an unqualified fix; it may be several things."""
    found = []
    if fix.time is None or (fix.received is not None and fix.time > fix.received + 60_000):
        found.append("time")
    if fix.lon is None or fix.lat is None or not (73.55 <= fix.lon <= 135.0833 and 3.85 <= fix.lat <= 53.55):
        found.append("place")
    if fix.speed_kmh is None or not 0 <= fix.speed_kmh <= 160:
        found.append("speed")
    if fix.heading_deg is not None and not 0 <= fix.heading_deg <= 360:
        found.append("heading")
    if fix.altitude_m is not None and not -200 <= fix.altitude_m <= 6500:
        found.append("altitude")
    return found


class Absence:
    """V13, over all vehicles."""

    def __init__(self, registry: Registry, vehicles: list[Days]) -> None:
        self.registry = registry
        self.heard = [moment for one in vehicles for moment in one.heard]
        self.days = sorted({day for one in vehicles for day in one.sheets})
        self.active = [one for one in vehicles if any(sheet.accepted for sheet in one.sheets.values())]

    def close(self, one: Days) -> None:
        """All days of one vehicle; "Days on which nothing was received are not judged"."""
        in_a_row: dict[int, int] = {}
        for day in filter(self.whole, self.days):
            row = one.row_of("V13", day, "LCHBTF")
            if row is None or not self.accused(one, row, day):
                continue
            in_a_row[day] = in_a_row.get(day - DAY, 0) + 1
            rules = self.registry.set("V13", row, day + DAY - 1)
            one.add("V13", day, row, {"days": in_a_row[day]}, 2 if in_a_row[day] >= rules["graver_points"] else 1)

    def whole(self, day: int) -> bool:
        """ "before the day's 01:00 (that day or earlier) ... at its 23:00 or later (that day or later)"."""
        return bool(self.heard) and min(self.heard) < day + HOUR and max(self.heard) >= day + 23 * HOUR

    def accused(self, one: Days, row: Row, day: int) -> bool:
        """Scheduled, registered all day, not laid up, and not a word."""
        first = self.registry.row(*one.holder, day)
        if first is None or (day in one.sheets and one.sheets[day].received):
            return False
        if any(within(paper, day) > 0 for paper in self.registry.papers.of("status", one.holder)):
            return False
        rules = self.registry.set("V13", row, day + DAY - 1)
        heard = sum(day in other.sheets and other.sheets[day].accepted for other in self.active)
        if heard < rules["heard_ratio"] * len(self.active):
            return False
        return any(within(paper, day) >= rules["scheduled_ms"] for paper in self.schedule(one.holder))

    def schedule(self, holder: Holder) -> Iterator[Paper]:
        """All rows of a vehicle that may send it out."""
        for table in SCHEDULES:
            yield from self.registry.papers.of(table, holder)


def within(paper: Paper, day: int) -> float:
    """How long it holds within a day."""
    return max(0, min(paper.end, day + DAY) - max(paper.begin, day))
