"""Missing papers: V26-V31 of one vehicle, what each says of a fix; `tally` adds up the driving."""

import re
from collections.abc import Mapping
from math import isinf

from .episode import Episode
from .loads import TOLD, Loads
from .papers import Paper
from .registry import Registry, Row
from .sight import Pair, Sight, pair_of
from .tally import NOTHING, Day, Mark, Tally
from .values import shown_moment

DOCUMENTS = ("operation_permit", "annual_review", "inspection", "compulsory_insurance", "carrier_insurance")
COUNTIES = re.compile(r"[\s,;，；、]+")
DAY_MS = 86_400_000


def said_of(paper: Paper | None) -> dict[str, object]:
    """Number and end of a paper, "where there are such"."""
    if paper is None:
        return {}
    number = {"number": paper.cells["number"]} if paper.cells.get("number") else {}
    return {**number, "ended": shown_moment(paper.end)}


def holder_of(row: Row) -> tuple[str, int]:
    """Whose the papers of a vehicle are."""
    return row.plate, row.plate_color


def serving(row: Row) -> str:
    """Sorts of qualifications that serve a class: "for L and for C both L and C serve"."""
    return "LC" if row.letter in "LC" else row.letter


class Charter(Tally):
    """V26."""

    share = True
    reasons: Mapping[int, str] = {1: "no_sheet", 2: "off_route"}

    def judge(self, sight: Sight, row: Row) -> Mark:
        """The county of the fix against those of all sheets that hold."""
        papers = self.registry.papers
        if row.letter != "C" or not papers.any("charters"):
            return NOTHING
        sheets = papers.holding("charters", holder_of(row), sight.t)
        if not sheets:
            return Mark(1, 3)
        counties = [fence for fence in self.registry.fences.fences if fence.kind == "county"]
        known = {fence.id for fence in counties}
        named: set[str] = set()
        for sheet in sheets:
            names = set(filter(None, COUNTIES.split(sheet.cells.get("counties", ""))))
            if not names or names - known:
                return NOTHING
            named |= names
        here = [f for f in counties if f.applies(row.letter, sight.t) and f.holds(sight.lon, sight.lat)]
        county = min(here, key=lambda fence: 0 if isinf(fence.limit_kmh) else fence.limit_kmh, default=None)
        return Mark(3 if county is not None and county.id in named else 2, 3)

    def show(self, day: Day) -> None:
        """The way inside, and "the sheet that holds longest at `ends_ms`"."""
        super().show(day)
        episode = day.episode
        if episode is None:
            return
        episode.measures["inside_m"] = day.dm[3] / 10
        if episode.measures["reason"] == "off_route":
            sheets = self.registry.papers.holding("charters", holder_of(episode.row), episode.ends_ms)
            longest = max(sheets, key=lambda sheet: (sheet.end, sheet.begin), default=None)
            if longest is not None and longest.cells.get("number"):
                episode.measures["number"] = longest.cells["number"]


class Waybill(Tally):
    """V27."""

    reasons: Mapping[int, str] = {1: "load_told", 2: "load_guessed"}

    def __init__(self, code: str, registry: Registry, episodes: list[Episode]) -> None:
        super().__init__(code, registry, episodes)
        self.loads = Loads(registry)

    def judge(self, sight: Sight, row: Row | None) -> Mark:
        """Loaded, and no waybill holds."""
        of_class = row is not None and row.letter == "H"
        load = self.loads.take(sight, of_class)
        papers = self.registry.papers
        if row is None or not of_class or not load or not papers.any("waybills"):
            return NOTHING
        if papers.holding("waybills", holder_of(row), sight.t):
            return NOTHING
        return Mark(1 if load == TOLD else 2, 3)


class Status(Tally):
    """V28."""

    def judge(self, sight: Sight, row: Row) -> Mark:
        """Of several rows "the one that ends last, of those the one that began last, of those the later row"."""
        best: Paper | None = None
        for paper in self.registry.papers.holding("status", holder_of(row), sight.t):
            if best is None or (paper.end, paper.begin) >= (best.end, best.begin):
                best = paper
        if best is None:
            return NOTHING
        since = {} if isinf(best.begin) else {"since": shown_moment(best.begin)}
        return Mark(1, 4, {"paper": best.sort, **since})


class Document(Tally):
    """V29."""

    def judge(self, sight: Sight, row: Row) -> Mark:
        """Every sort of document that has expired, graded."""
        papers, holder = self.registry.papers, holder_of(row)
        severe_ms = self.registry.set(self.code, row, sight.t)["severe_days"] * DAY_MS
        expired: list[tuple[int, str, Paper]] = []
        for sort in DOCUMENTS:
            last = papers.latest("documents", holder, sight.t, sort)
            if last is not None and not papers.holding("documents", holder, sight.t, sort):
                grade = 4 if sort == "inspection" and sight.t - last.end > severe_ms else 3
                expired.append((grade, sort, last))
        if not expired:
            return NOTHING
        worst = max(grade for grade, _, _ in expired)
        first = min((one for one in expired if one[0] == worst), key=lambda one: one[2].end)
        return Mark(1, worst, {"paper": first[1], "expired": len(expired), **said_of(first[2])})


class Qualification(Tally):
    """V30."""

    def judge(self, sight: Sight, row: Row) -> Mark:
        """The driver, else the escort."""
        if not self.registry.papers.any("qualifications"):
            return NOTHING
        said = self.driver(sight, row)
        if said is None and self.lacks_escort(sight, row):
            said = {"reason": "no_escort"}
        return NOTHING if said is None else Mark(1, 4 if row.letter == "H" else 3, said)

    def driver(self, sight: Sight, row: Row) -> dict[str, object] | None:
        """What is wrong with the driver's qualification; None where nothing is, or nobody knows the driver."""
        papers, driver, t = self.registry.papers, sight.driver, sight.t
        if driver is None or not papers.holding("staff", driver, t):
            return None
        sorts = serving(row)
        if any(papers.holding("qualifications", driver, t, sort) for sort in sorts):
            return None
        begun = [last for sort in sorts if (last := papers.latest("qualifications", driver, t, sort))]
        if not begun:
            return {"reason": "unqualified"}
        return {"reason": "lapsed", **said_of(max(begun, key=lambda last: last.end))}  # of equal ones the first, L

    def lacks_escort(self, sight: Sight, row: Row) -> bool:
        """ "Goods travel", escorts are rostered at all, and none that is qualified is on this vehicle."""
        papers, t = self.registry.papers, sight.t
        loaded = sight.status is not None and sight.status & 0x100 != 0
        travels = loaded or papers.holding("waybills", holder_of(row), t)
        if row.letter != "H" or not travels or not papers.any("roster", "escort"):
            return False
        aboard = papers.holding("roster", holder_of(row), t, "escort")
        return not any(papers.holding("qualifications", one.cells["staff"], t, "escort") for one in aboard)


class Mismatch(Tally):
    """V31."""

    reasons: Mapping[int, str] = {1: "other_driver", 2: "no_driver"}

    def __init__(self, code: str, registry: Registry, episodes: list[Episode]) -> None:
        super().__init__(code, registry, episodes)
        self.known = False  # "the feed is known to carry them"
        self.driver: str | None = None  # of the accepted fix before

    def judge(self, sight: Sight, row: Row | None) -> Mark:
        """Somebody else, or nobody."""
        self.known = self.known or (sight.driver is not None and sight.driver == self.driver)
        self.driver = sight.driver
        if row is None or row.letter not in "LCH":
            return NOTHING
        if sight.driver is None:
            return Mark(2, 2) if self.known else NOTHING
        rostered = self.registry.papers.holding("roster", holder_of(row), sight.t, "driver")
        other = bool(rostered) and all(one.cells["staff"] != sight.driver for one in rostered)
        return Mark(1, 2) if other else NOTHING


class Missing:
    """The six kinds of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry = registry
        self.previous: Sight | None = None
        self.following = (Waybill("V27", registry, episodes), Mismatch("V31", registry, episodes))
        self.looking = (
            Charter("V26", registry, episodes),
            Status("V28", registry, episodes),
            Document("V29", registry, episodes),
            Qualification("V30", registry, episodes),
        )

    def take(self, sight: Sight) -> None:
        """One accepted fix."""
        pair: Pair | None = None if self.previous is None else pair_of(self.previous, sight)
        self.previous = sight
        for kind in self.following:
            kind.take(sight, pair, kind.judge(sight, self.row(kind.code, sight)))
        for one in self.looking:
            row = self.row(one.code, sight)
            one.take(sight, pair, NOTHING if row is None else one.judge(sight, row))

    def row(self, code: str, sight: Sight) -> Row | None:
        """The vehicle's row; None where it is exempt: "as one of a vehicle of another class"."""
        row = sight.row
        return None if row is None or self.registry.exempt(code, row, sight.t, sight.lon, sight.lat) else row
