"""Stays: V19 and V25 of one vehicle that stands in one place (docstring of `detectors.stays`)."""

from dataclasses import dataclass, field

from .episode import Episode
from .fences import Fence
from .metric import decimetres
from .parameters import Set
from .places import assigned, first, holding
from .registry import Registry, Row
from .routes import from_lines
from .sight import Pair, Sight, pair_of
from .tally import day_of

DOORS = 0b11111 << 13
IGNITION, LOADED = 1 << 0, 1 << 8
ON_ITS_LINE = 5_000  # dm
L_MAY = ("approved_stop", "station", "rest_area", "parking")
H_MAY = ("approved_parking", "parking", "rest_area", "shipper", "consignee")
C_MAY = ("approved_stop", "rest_area", "parking")


def given(sight: Sight, bits: int) -> bool:
    """A given `status` has one of these bits set."""
    return sight.status is not None and sight.status & bits != 0


def beside(registry: Registry, kinds: tuple[str, ...], sight: Sight, row: Row, near: float) -> bool:
    """A fence of these kinds, for its class and time, "holds the fix or has its boundary at <= near"."""
    for fence in registry.fences.fences:
        if fence.kind in kinds and fence.applies(row.letter, sight.t):
            rings = [ring for rings in fence.polygons for ring in rings]
            if fence.holds(sight.lon, sight.lat) or from_lines(sight.lon, sight.lat, rings) <= near:
                return True
    return False


@dataclass(slots=True)
class Stay:
    """ "Its length is t_last - t_first. A stay keeps the numbers of its first fix"."""

    first: int
    rules: Set
    letter: str
    last: int = 0
    counts: bool = True  # at all fixes so far
    seen: bool = False  # V19: of class H or a door open; V25: a door open
    town: Fence | None = None
    episode: Episode | None = None
    station: Fence | None = None
    near: bool = False  # V25: the station left last is near


class Stays:
    """Stays of one kind of one vehicle."""

    code = ""
    classes = ""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes
        self.stay: Stay | None = None

    def take(self, sight: Sight, pair: Pair | None) -> None:
        """One accepted fix and the pair that ends there."""
        row, stay = sight.row, self.stay
        if row is None or not self.applies(sight, row):
            still = False
        else:
            still = sight.speed < self.registry.set(self.code, row, sight.t)["still_kmh"]
        goes_on = still and stay is not None and pair is not None and pair.dm < stay.rules["still_dm"]
        if stay is not None and not goes_on:
            self.over(stay, sight)
            stay = self.stay = None
        if still and row is not None:
            if stay is None:
                rules = self.registry.set(self.code, row, sight.t)
                stay = self.stay = Stay(sight.t, rules, row.letter)
                self.begin(stay, sight)
            stay.last = sight.t
            self.stand(stay, sight, row)
        self.after(sight)

    def applies(self, sight: Sight, row: Row) -> bool:
        """ "Not registered in a class of the kind, or is exempt": not still."""
        return row.letter in self.classes and not self.registry.exempt(self.code, row, sight.t, sight.lon, sight.lat)

    def over(self, stay: Stay, sight: Sight) -> None:
        """Its first fix after."""

    def begin(self, stay: Stay, sight: Sight) -> None:
        """Its first fix."""

    def stand(self, stay: Stay, sight: Sight, row: Row) -> None:
        """A fix of it."""
        raise NotImplementedError

    def after(self, sight: Sight) -> None:
        """Any fix."""


class Parked(Stays):
    """V19."""

    code, classes = "V19", "LH"

    def stand(self, stay: Stay, sight: Sight, row: Row) -> None:
        """Raised, and risen."""
        stay.counts = stay.counts and self.counts(sight, row)
        stay.seen = stay.seen or row.letter == "H" or given(sight, DOORS)
        if row.letter == "H" and stay.town is None:
            towns = holding(self.registry, ["built_up"], sight, row)
            stay.town = first(towns) if towns else None
        limit = stay.rules["parked_ms" if stay.letter == "H" else "stop_ms"]
        if stay.episode is None and stay.counts and sight.t - stay.first > limit:
            stay.episode = Episode(self.code, stay.first, sight.t, sight.t, 2, not stay.seen, row)
            self.episodes.append(stay.episode)
        episode = stay.episode
        if episode is not None:
            episode.ends_ms = sight.t
            episode.measures["stood_s"] = (sight.t - stay.first) / 1000
            if stay.town is not None and not episode.lead:
                episode.severity = 4
                episode.measures["fence"] = stay.town.id

    def counts(self, sight: Sight, row: Row) -> bool:
        """Whether a fix counts."""
        near = self.registry.set(self.code, row, sight.t)["near_dm"]
        if row.letter == "L":
            lines = assigned(self.registry, sight, row)
            if lines is None or (sight.status is not None and not given(sight, IGNITION)):
                return False
            here = [line for route in lines for line in route.lines]
            if from_lines(sight.lon, sight.lat, here) > ON_ITS_LINE:
                return False
            return not beside(self.registry, L_MAY, sight, row, near)
        holder = (row.plate, row.plate_color)
        loaded = given(sight, LOADED) or self.registry.papers.holding("waybills", holder, sight.t)
        return bool(loaded) and not beside(self.registry, H_MAY, sight, row, near)


@dataclass(slots=True)
class Stop:
    """One counted stop."""

    stay: Stay
    door: bool


@dataclass(slots=True)
class Today:
    """One Beijing day."""

    day: int
    left: Sight | None = None  # the last fix inside a station, and which
    station: Fence | None = None
    stops: list[Stop] = field(default_factory=list)
    episode: Episode | None = None


class Boarding(Stays):
    """V25."""

    code, classes = "V25", "LC"

    def __init__(self, registry: Registry, episodes: list[Episode], holder: tuple[str, int]) -> None:
        super().__init__(registry, episodes)
        self.holder = holder
        self.today = Today(0)

    def take(self, sight: Sight, pair: Pair | None) -> None:
        """A new day counts no stop of the one before."""
        if day_of(sight.t) != self.today.day:
            self.today = Today(day_of(sight.t))
            self.stay = None
        super().take(sight, pair)

    def begin(self, stay: Stay, sight: Sight) -> None:
        """ "The last accepted fix of the same Beijing day inside a `station` fence <= `far_dm` away"."""
        left = self.today.left
        if left is not None:
            stay.near = decimetres(left.lon, left.lat, sight.lon, sight.lat) <= stay.rules["far_dm"]
            stay.station = self.today.station

    def stand(self, stay: Stay, sight: Sight, row: Row) -> None:
        """ "All of whose fixes count"."""
        stay.seen = stay.seen or given(sight, DOORS)
        here, near = (
            holding(self.registry, ["station"], sight, row),
            self.registry.set(self.code, row, sight.t)["near_dm"],
        )
        if here or beside(self.registry, C_MAY, sight, row, near):
            stay.counts = False

    def after(self, sight: Sight) -> None:
        """Stations that the vehicle was in, of any class that it had then."""
        if sight.row is not None:
            stations = holding(self.registry, ["station"], sight, sight.row)
            if stations:
                self.today.left, self.today.station = sight, first(stations)

    def over(self, stay: Stay, sight: Sight) -> None:
        """A stop is counted "at the first fix after it"."""
        rules, today, length = stay.rules, self.today, stay.last - stay.first
        least = rules["least_ms" if stay.seen else "unseen_ms"]
        if not (stay.counts and stay.near and least <= length <= rules["most_ms"]):
            return
        today.stops.append(Stop(stay, stay.seen))
        doors = sum(stop.door for stop in today.stops)
        begun = today.stops[0].stay
        if today.episode is None and len(today.stops) >= rules["points"]:
            row = sight.row or self.registry.row(*self.holder, stay.last)
            assert row is not None
            today.episode = Episode(self.code, begun.first, sight.t, stay.last, 2, doors < rules["points"], row)
            self.episodes.append(today.episode)
        episode = today.episode
        if episode is not None:
            episode.ends_ms = stay.last
            episode.measures["stops"] = min(255, len(today.stops))
            assert begun.station is not None
            episode.measures["fence"] = begun.station.id
            if doors >= rules["severe_points"] and not episode.lead:
                episode.severity = 3


class Standing:
    """The two kinds of one vehicle."""

    def __init__(self, registry: Registry, episodes: list[Episode], holder: tuple[str, int]) -> None:
        self.previous: Sight | None = None
        self.kinds: list[Stays] = [Parked(registry, episodes), Boarding(registry, episodes, holder)]

    def take(self, sight: Sight) -> None:
        """One accepted fix."""
        pair: Pair | None = None if self.previous is None else pair_of(self.previous, sight)
        self.previous = sight
        for kind in self.kinds:
            kind.take(sight, pair)
