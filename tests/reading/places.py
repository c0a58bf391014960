"""Places: V10, V18, V20, V21, V22 and V24 of one vehicle, what each says of a fix; `spans` holds them together."""

from collections.abc import Iterable
from math import isinf

from .episode import Episode
from .fences import Fence
from .metric import DAY, ZONE, is_night
from .missing import COUNTIES
from .papers import Paper
from .parameters import Set
from .registry import Registry, Row
from .routes import Route, from_lines
from .sight import Pair, Sight, pair_of
from .spans import Run, Span, Truth


def holding(registry: Registry, kinds: Iterable[str], sight: Sight, row: Row) -> list[Fence]:
    """Fences of these kinds around a fix, for its class and time, in the order of the file."""
    t, lon, lat = sight.t, sight.lon, sight.lat
    return [f for f in registry.fences.fences if f.kind in kinds and f.applies(row.letter, t) and f.holds(lon, lat)]


def first(fences: list[Fence]) -> Fence:
    """ "The one with the least limit, none is 0, of equal ones the first in the file"."""
    return min(fences, key=lambda fence: 0 if isinf(fence.limit_kmh) else fence.limit_kmh)


def permits(registry: Registry, sight: Sight, row: Row, sort: str) -> list[Paper]:
    """Permits of a sort that hold at a fix."""
    return registry.papers.holding("permits", (row.plate, row.plate_color), sight.t, sort)


def unpassed(registry: Registry, fences: list[Fence], sight: Sight, row: Row, sort: str) -> list[Fence]:
    """Fences "for which the vehicle has no pass": none "whose `fence` is that fence's id or empty"."""
    passes = {permit.cells.get("fence", "") for permit in permits(registry, sight, row, sort)}
    return [] if "" in passes else [fence for fence in fences if fence.id not in passes]


def assigned(registry: Registry, sight: Sight, row: Row) -> list[Route] | None:
    """The lines of all assignments that hold; None where there is none, or one without a line ("nothing is known")."""
    held = registry.papers.holding("assignments", (row.plate, row.plate_color), sight.t)
    names = {paper.cells["route"] for paper in held}
    lines = [route for route in registry.routes if route.id in names and route.holds(sight.t)]
    return lines if lines and names == {route.id for route in lines} else None


class NoNight(Span):
    """V10."""

    code, classes, severity = "V10", "LC", 3

    def judge(self, sight: Sight, row: Row) -> Truth | None:
        """Mountain roads at night."""
        fences = holding(self.registry, ["no_night_road"], sight, row)
        tagged = sight.road is not None and "no_night" in sight.road.tags
        if not is_night(sight.t) or not (fences or tagged):
            return None
        rules = self.registry.set(self.code, row, sight.t, first(fences).id if fences else "")
        if sight.speed < rules["moving_kmh"]:
            return None
        if fences:
            return Truth(rules, {"fence": first(fences).id})
        assert sight.road is not None
        return Truth(rules, {"road": sight.road.id})

    def confirmed(self, run: Run) -> bool:
        """ "Each enough alone, no time"."""
        return run.fixes >= run.rules["points"] or run.dm >= run.rules["far_dm"]


class OffRoute(Span):
    """V18."""

    code, classes, severity = "V18", "LBH", 2

    def judge(self, sight: Sight, row: Row) -> Truth | None:
        """ "The distance from the nearest of those lines"."""
        lines = assigned(self.registry, sight, row)
        if lines is None or permits(self.registry, sight, row, "detour"):
            return None
        rules = self.registry.set(self.code, row, sight.t)
        near = rules[{"L": "near_coach_dm", "B": "near_bus_dm", "H": "near_hazmat_dm"}[row.letter]]
        far = {id(route): from_lines(sight.lon, sight.lat, route.lines) for route in lines}
        nearest = min(lines, key=lambda route: far[id(route)])
        off = far[id(nearest)]
        return Truth(rules, {"route": nearest.id}, off, 3 if row.letter == "H" else 2) if off > near else None

    def measure(self, dm: int, off: int) -> dict[str, object]:
        """And the highest distance from the routes."""
        return {**super().measure(dm, off), "off_m": off / 10}


class NoGo(Span):
    """V20."""

    code, classes, severity = "V20", "H", 4

    def judge(self, sight: Sight, row: Row) -> Truth | None:
        """At any speed."""
        fences = holding(self.registry, ["hazmat_no_go"], sight, row)
        fences = unpassed(self.registry, fences, sight, row, "hazmat_pass")
        if not fences:
            return None
        fence = first(fences)
        return Truth(self.registry.set(self.code, row, sight.t, fence.id), {"fence": fence.id})

    def measure(self, dm: int, off: int) -> dict[str, object]:  # noqa: ARG002
        """None."""
        return {}


class Restricted(Span):
    """V21."""

    code, classes, severity = "V21", "H", 3

    def judge(self, sight: Sight, row: Row) -> Truth | None:
        """Closed hours."""
        fences = holding(self.registry, ["hazmat_restricted"], sight, row)
        fences = unpassed(self.registry, fences, sight, row, "restricted_hours")
        if not fences:
            return None
        fence = first(fences)
        rules = self.registry.set(self.code, row, sight.t, fence.id)
        if sight.speed < rules["moving_kmh"] or not within(sight.t, rules):
            return None
        return Truth(rules, {"fence": fence.id})


def within(t: int, rules: Set) -> bool:
    """ "Where `from_ms` > `to_ms` the window goes over midnight; equal ones are no window"."""
    clock, begin, end = (t + ZONE) % DAY, rules["from_ms"], rules["to_ms"]
    return begin <= clock < end if begin <= end else clock >= begin or clock < end


class Closed(Span):
    """V24."""

    code, classes, severity = "V24", "LCHB", 4

    def judge(self, sight: Sight, row: Row) -> Truth | None:
        """From the notice on."""
        fences = holding(self.registry, ["closure"], sight, row)
        fences = unpassed(self.registry, fences, sight, row, "closure_pass")
        if not fences:
            return None
        rules = self.registry.set(self.code, row, sight.t, first(fences).id)
        fences = [fence for fence in fences if sight.t >= fence.valid_from + rules["notice_ms"]]
        return Truth(rules, {"fence": first(fences).id}) if fences and sight.speed >= rules["moving_kmh"] else None


class Abroad(Span):
    """V22."""

    code, classes, severity = "V22", "LCHBTF", 2

    def judge(self, sight: Sight, row: Row) -> Truth | None:
        """Outside its area, without detour or charter there."""
        area = set(filter(None, COUNTIES.split(row.area)))
        counties = {fence.id for fence in self.registry.fences.fences if fence.kind == "county"}
        if not area or area - counties or permits(self.registry, sight, row, "detour"):
            return None
        here = holding(self.registry, ["county"], sight, row)
        if any(fence.id in area for fence in here):
            return None
        county = first(here).id if here else None
        for charter in self.registry.papers.holding("charters", (row.plate, row.plate_color), sight.t):
            names = set(filter(None, COUNTIES.split(charter.cells.get("counties", ""))))
            if not names or county in names:
                return None
        local = row.letter in "BT"
        rules = dict(self.registry.set(self.code, row, sight.t)) | {"local": local}
        return Truth(rules, {"area": "beyond" if local else "away"})

    def gap_of(self, run: Run) -> float:
        """By the class at the run's first fix."""
        return run.rules["gap_ms" if run.rules["local"] else "away_gap_ms"]

    def confirmed(self, run: Run) -> bool:
        """ "With the time to be exceeded"."""
        return run.last - run.first > run.rules["hold_ms" if run.rules["local"] else "away_ms"]


class Places:
    """The six kinds of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.previous: Sight | None = None
        kinds = (NoNight, OffRoute, NoGo, Restricted, Closed, Abroad)
        self.kinds: list[Span] = [kind(registry, episodes) for kind in kinds]

    def take(self, sight: Sight) -> None:
        """One accepted fix."""
        pair: Pair | None = None if self.previous is None else pair_of(self.previous, sight)
        self.previous = sight
        for kind in self.kinds:
            kind.take(sight, pair)
