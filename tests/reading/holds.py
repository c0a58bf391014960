"""Holds: rulebook §3, the runs of V01, V02, V03 and V04 of one vehicle."""

from dataclasses import dataclass, field

from .episode import Episode
from .fences import Fence
from .metric import is_night
from .parameters import Set
from .registry import Registry, Row
from .road_lines import Road
from .sight import Sight

CLASSES = {"V01": "LCHBTF", "V02": "LCHBF", "V03": "LC", "V04": "LCHBTF"}
SEVERITY = {"V01": 2, "V02": 2, "V03": 2, "V04": 4}  # at the start; rulebook §6
AT_LEAST = ("V04",)  # kinds whose span is ">=", the others' is ">"


@dataclass(slots=True)
class Place:
    """What the fences say at a fix: each is looked up at every fix."""

    limit: float
    matched: bool
    road_fence: Fence | None
    road: Road | None  # that set the limit
    speed_fence: Fence | None


@dataclass(slots=True)
class Hit:
    """A fix with the condition true, and the limit its speed is held against."""

    t: int
    speed: float
    limit: float
    matched: bool
    fence: Fence | None
    road: Road | None


@dataclass(slots=True)
class Run:
    """ "a maximal sequence of consecutive accepted fixes with the condition true"."""

    first: int
    last: int
    rules: Set  # "a run keeps the parameter set of its first fix"
    fixes: int = 0
    waiting: list[Hit] = field(default_factory=list)  # until it is confirmed
    episode: "Held | None" = None


@dataclass(slots=True)
class Held:
    """An episode with what its severity needs."""

    shown: Episode
    peak: Hit | None = None
    ratios: tuple[float, float] = (0.0, 0.0)  # highest and second highest
    unmatched: bool = False


class Hold:
    """One kind for one vehicle."""

    def __init__(self, kind: str, registry: Registry, episodes: list[Episode]) -> None:
        self.kind = kind
        self.registry = registry
        self.episodes = episodes
        self.run: Run | None = None
        self.latest: Held | None = None  # "the vehicle's latest episode of this kind"

    def take(self, sight: Sight, place: Place | None) -> None:
        """One accepted fix (place: None where the vehicle is unknown)."""
        row = sight.row
        applies = self.registry.applies(self.kind, CLASSES[self.kind], row, sight.t, sight.lon, sight.lat)
        if row is None or place is None or not applies:
            self.run = None
            return
        run, hit = self.run, None
        if run is not None and sight.t - run.last <= run.rules["gap_ms"]:
            hit = self.condition(sight, place, run.rules)
        if run is None or hit is None:  # the run, if any, is over; the fix may be the first of another
            decides = place.speed_fence if self.kind == "V02" else place.road_fence
            rules = self.registry.set(self.kind, row, sight.t, "" if decides is None else decides.id)
            hit = self.condition(sight, place, rules)
            self.run = run = None if hit is None else Run(sight.t, sight.t, rules)
        if run is None or hit is None:
            return
        run.last = sight.t
        run.fixes += 1
        if run.episode is not None:
            self.extend(run.episode, [hit], run)
            return
        run.waiting.append(hit)
        span = sight.t - run.first
        long = span >= run.rules["hold_ms"] if self.kind in AT_LEAST else span > run.rules["hold_ms"]
        if run.fixes >= run.rules["points"] and long:
            self.confirm(run, row)

    def condition(self, sight: Sight, place: Place, rules: Set) -> Hit | None:
        """The table's column "condition"."""
        limit, matched, fence, road = place.limit, place.matched, place.road_fence, place.road
        if self.kind == "V02":
            if place.speed_fence is None:
                return None
            limit, matched, fence, road = place.speed_fence.limit_kmh, True, place.speed_fence, None
        if self.kind == "V03" and not is_night(sight.t):
            return None
        bound = rules["ratio"] * limit + rules["margin_kmh"]
        true = sight.speed >= bound if self.kind == "V04" else sight.speed > bound
        return Hit(sight.t, sight.speed, limit, matched, fence, road) if true else None

    def confirm(self, run: Run, row: Row) -> None:
        """Open an episode, or extend the latest when it lies within `merge`."""
        latest = self.latest
        if latest is None or run.first - latest.shown.ends_ms > run.rules["merge_ms"]:
            lead = self.kind in ("V01", "V03", "V04") and not all(hit.matched for hit in run.waiting)
            severity = min(2, SEVERITY[self.kind]) if lead else SEVERITY[self.kind]
            shown = Episode(self.kind, run.first, run.last, run.last, severity, lead, row)
            self.episodes.append(shown)
            latest = self.latest = Held(shown)
        run.episode = latest
        self.extend(latest, run.waiting, run)
        run.waiting = []

    def extend(self, held: Held, hits: list[Hit], run: Run) -> None:
        """Fixes of a confirmed run join the episode; bars are looked at before a rise."""
        shown = held.shown
        shown.ends_ms = run.last
        for hit in hits:
            if held.peak is None or hit.speed > held.peak.speed:
                held.peak = hit
                shown.measures = {"peak_kmh": hit.speed, "limit_kmh": hit.limit}
                shown.measures |= {} if hit.fence is None else {"fence": hit.fence.id}
                shown.measures |= {} if hit.road is None else {"road": hit.road.id}
            ratio = hit.speed / hit.limit if hit.limit > 0 else float("inf")
            first, second = held.ratios
            held.ratios = (ratio, first) if ratio > first else (first, max(second, ratio))
            held.unmatched = held.unmatched or not hit.matched
        rises = self.kind == "V02" or (self.kind == "V01" and not held.unmatched)
        if rises and held.ratios[1] >= run.rules["severe_ratio"]:
            shown.severity = 3


class Holds:
    """The four kinds of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry = registry
        self.kinds = [Hold(kind, registry, episodes) for kind in CLASSES]

    def take(self, sight: Sight) -> None:
        """One accepted fix."""
        place = None if sight.row is None else self.place(sight, sight.row)
        for hold in self.kinds:
            hold.take(sight, place)

    def place(self, sight: Sight, row: Row) -> Place:
        """Limit and speed fence of a fix."""
        letter, t, lon, lat = row.letter, sight.t, sight.lon, sight.lat
        limit, matched = self.registry.road(row, t, lon, lat, sight.road)
        fences = self.registry.fences
        road = fences.least("road", letter, t, lon, lat)
        zone = fences.least("speed", letter, t, lon, lat) if letter in CLASSES["V02"] else None
        return Place(limit, matched, road, sight.road if road is None else None, zone)
