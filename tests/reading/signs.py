"""Signs of tampering: V16 of one vehicle."""

from dataclasses import dataclass

from .episode import Episode
from .gate import Accepted
from .metric import decimetres, jumps
from .offline import name_owner
from .parameters import Set
from .registry import Registry
from .sight import Sight

SIGNS = ("no_position", "speeds_differ", "frozen", "two_places")


@dataclass(slots=True)
class Run:
    """A run of fixes that show one sign."""

    first: int
    last: int
    lon: float
    lat: float
    fixes: int = 1
    returns: int = 0
    came_back: bool = False  # an accepted fix came since its last
    compared: bool = False
    sure: bool = False


@dataclass(slots=True)
class Blind:
    """A run without positions that lasted, and where the vehicle was seen before it."""

    first: int
    lon: float
    lat: float


class Signs:
    """V16."""

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes
        self.at: Sight | None = None  # the latest accepted fix
        self.differ: Run | None = None
        self.frozen: Run | None = None
        self.blind: Run | None = None
        self.twice: Run | None = None
        self.before: Blind | None = None
        self.latest: Episode | None = None

    def rules(self, at: Sight) -> Set:
        """ "At every fix those of the vehicle's latest accepted fix"."""
        return self.registry.set("V16", at.row, at.t)

    def on(self, at: Sight) -> bool:
        """ "The vehicle is of class L C H F at its latest accepted fix"."""
        return self.registry.applies("V16", "LCHF", at.row, at.t, at.lon, at.lat)

    def accepted(self, b: Sight, recorder: float | None) -> None:
        """One accepted fix."""
        a, self.at, self.blind = self.at, b, None
        if not self.on(b):
            self.differ = self.frozen = self.twice = None
            return
        rules = self.rules(b)
        if self.twice is not None:
            self.twice.came_back = True
        if a is not None and b.t - a.t > rules["gap_ms"]:
            self.differ = self.frozen = None
        if recorder is None or abs(b.speed - recorder) <= rules["differ_kmh"]:
            self.differ = None
        else:
            run = self.differ = follow(self.differ, b)
            run.sure = run.sure or (run.fixes >= rules["differ_points"] and b.t - run.first >= rules["differ_ms"])
            self.tell("speeds_differ", run, b, rules)
        if recorder is None or recorder <= rules["moving_kmh"]:
            self.frozen = None
        else:
            still = self.frozen is not None and (self.frozen.lon, self.frozen.lat) == (b.lon, b.lat)
            run = self.frozen = follow(self.frozen if still else None, b)
            run.sure = run.sure or b.t - run.first >= rules["frozen_ms"]
            self.tell("frozen", run, b, rules)

    def unlocated(self, fix: Accepted, recorder: float | None) -> None:
        """One fix refused as `no_fix`."""
        at, run = self.at, self.blind
        if at is None or at.row is None or not self.on(at):
            return
        if run is not None and fix.t <= run.last:
            return  # "one not later than the run's last is passed over"
        rules = self.rules(at)
        ignition = fix.status is not None and fix.status & 1 == 1
        moving = recorder is not None and recorder > rules["moving_kmh"]
        hole = any(self.registry.fences.holding("coverage_hole", at.row.letter, at.t, at.lon, at.lat))
        if not ignition or not moving or hole:
            self.blind = None
            return
        if run is None or fix.t - run.last > rules["gap_ms"]:
            run = self.blind = Run(fix.t, fix.t, at.lon, at.lat)
        run.last = fix.t
        if not run.compared and fix.t - run.first > rules["blind_ms"]:
            run.compared, before = True, self.before
            run.sure = (
                before is not None
                and run.first - before.first <= rules["repeat_ms"]
                and decimetres(before.lon, before.lat, at.lon, at.lat) >= rules["away_dm"]
            )
            self.before = Blind(run.first, at.lon, at.lat)
        self.tell("no_position", run, at, rules)

    def drift(self, fix: Accepted) -> None:
        """One fix refused as `drift`."""
        at, self.blind = self.at, None
        if at is None or not self.on(at):
            return
        rules = self.rules(at)
        if decimetres(at.lon, at.lat, fix.lon, fix.lat) < rules["apart_dm"]:
            return
        run = self.twice
        if (
            run is not None
            and fix.t - run.last <= rules["return_ms"]
            and not jumps(decimetres(run.lon, run.lat, fix.lon, fix.lat), fix.t - run.last)
        ):
            run.returns += run.came_back
        else:
            run = self.twice = Run(fix.t, fix.t, fix.lon, fix.lat)
        run.last, run.lon, run.lat, run.came_back = fix.t, fix.lon, fix.lat, False
        run.sure = run.sure or (run.returns >= rules["return_points"] and fix.t - run.first >= rules["twice_ms"])
        self.tell("two_places", run, at, rules)

    def tell(self, sign: str, run: Run, at: Sight, rules: Set) -> None:
        """ "At every fix of a sure run"."""
        if not run.sure or at.row is None:
            return
        found = self.latest
        if found is None or run.first - found.ends_ms > rules["merge_ms"]:
            found = self.latest = Episode("V16", run.first, run.last, run.last, 2, True, at.row)
            found.measures = {"sign": sign, "signs": sign}
            self.episodes.append(found)
        found.ends_ms = max(found.ends_ms, run.last)
        shown = {sign, *str(found.measures["signs"]).split(", ")}
        found.measures["signs"] = ", ".join(one for one in SIGNS if one in shown)
        name_owner(self.registry, found)


def follow(run: Run | None, b: Sight) -> Run:
    """The run with one fix more, or one that begins there."""
    if run is None:
        return Run(b.t, b.t, b.lon, b.lat)
    run.last, run.fixes = b.t, run.fixes + 1
    return run
