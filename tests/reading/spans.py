"""Spans: a condition that holds over consecutive fixes (docstring of `detectors.spans`), of one kind and vehicle."""

from dataclasses import dataclass, field

from .episode import Episode
from .parameters import Set
from .registry import Registry, Row
from .sight import Pair, Sight


@dataclass(slots=True)
class Truth:
    """The condition is true at a fix: the parameters that hold there, and what is shown of it."""

    rules: Set
    shown: dict[str, object] = field(default_factory=dict)  # by an episode whose first fix this is
    off: int = 0  # dm; the highest is shown
    severity: int = 0  # by an episode that this fix raises


@dataclass(slots=True)
class Run:
    """ "A maximal sequence of them with the condition true and each Δt <= `gap_ms`"."""

    first: int
    last: int
    rules: Set
    shown: dict[str, object]
    fixes: int = 1
    dm: int = 0
    off: int = 0
    episode: Episode | None = None


class Span:
    """One kind of one vehicle; what the kinds differ in is told by `judge`, `confirmed` and `measure`."""

    code = ""
    classes = ""
    severity = 0

    def __init__(self, registry: Registry, episodes: list[Episode]) -> None:
        self.registry, self.episodes = registry, episodes
        self.run: Run | None = None
        self.latest: Episode | None = None
        self.dm: dict[int, int] = {}  # of confirmed runs, by the begin of their episode
        self.off: dict[int, int] = {}

    def judge(self, sight: Sight, row: Row) -> Truth | None:
        """The condition at a fix of a class of the kind."""
        raise NotImplementedError

    def confirmed(self, run: Run) -> bool:
        """ ">= `points` fixes, a distance >= `far_dm` and t - t_first >= `hold_ms`"."""
        rules = run.rules
        enough = run.fixes >= rules.get("points", 1) and run.dm >= rules.get("far_dm", 0)
        return enough and run.last - run.first >= rules.get("hold_ms", 0)

    def gap_of(self, run: Run) -> float:
        """Of the run's first fix."""
        return run.rules["gap_ms"]

    def measure(self, dm: int, off: int) -> dict[str, object]:  # noqa: ARG002
        """What is shown of the episode's confirmed runs."""
        return {"distance_m": dm / 10}

    def applies(self, sight: Sight, row: Row) -> bool:
        """ "Not registered in a class of the kind, or is exempt": false."""
        return row.letter in self.classes and not self.registry.exempt(self.code, row, sight.t, sight.lon, sight.lat)

    def take(self, sight: Sight, pair: Pair | None) -> None:
        """One accepted fix and the pair that ends there."""
        truth = self.judge(sight, sight.row) if sight.row is not None and self.applies(sight, sight.row) else None
        if truth is None:
            self.run = None
            return
        run = self.run
        if run is None or pair is None or pair.dt > self.gap_of(run):
            run = self.run = Run(sight.t, sight.t, truth.rules, truth.shown, off=truth.off)
        else:
            run.last, run.fixes, run.dm, run.off = sight.t, run.fixes + 1, run.dm + pair.dm, max(run.off, truth.off)
            if run.episode is not None:
                self.join(run, run.episode, pair.dm, truth.off)
                return
        if self.confirmed(run):
            self.confirm(run, sight, truth)

    def confirm(self, run: Run, sight: Sight, truth: Truth) -> None:
        """Open an episode, or extend the latest: its "`begins_ms`, `raised_ms`, place, severity and fence stay"."""
        latest = self.latest
        if latest is None or run.first - latest.ends_ms > run.rules["merge_ms"]:
            assert sight.row is not None
            severity = truth.severity or self.severity
            latest = Episode(self.code, run.first, sight.t, sight.t, severity, False, sight.row, dict(run.shown))
            self.latest = latest
            self.episodes.append(latest)
        run.episode = latest
        self.join(run, latest, run.dm, run.off)

    def join(self, run: Run, episode: Episode, dm: int, off: int) -> None:
        """A confirmed run goes on."""
        episode.ends_ms = run.last
        begin = episode.begins_ms
        self.dm[begin] = self.dm.get(begin, 0) + dm
        self.off[begin] = max(self.off.get(begin, 0), off)
        episode.measures |= self.measure(self.dm[begin], self.off[begin])
