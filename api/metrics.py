"""Metrics of ``warnloop detect``: every one there is, with what it means."""

import logging
import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from detectors.engine import Result
from ingest.batch import MISSING_MS, Int64
from ingest.gate import Verdict

_log = logging.getLogger("warnloop.detect")

TELL_S = 60.0
"""How often exemptions are told of in the log, at most [s]."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds of times of work [s]."""

LATENCY = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
"""Bounds of end-to-end latency [s]."""


class Latency(Collector):
    """How old fixes are when they are durable, by whose clock tells their age; whole columns at once."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.bounds = np.array(LATENCY)
        self.counts = {clock: np.zeros(len(LATENCY) + 1, np.int64) for clock in ("device", "receipt")}
        self.sums = dict.fromkeys(self.counts, 0.0)
        registry.register(self)

    def observe(self, clock: str, time_ms: Int64) -> None:
        """Count fixes by their times, (n,) [ms]; those without a time are left out."""
        known = time_ms[time_ms != MISSING_MS]
        age_s: NDArray[np.float64] = np.maximum(time.time() - known / 1000, 0.0)
        self.counts[clock] += np.bincount(np.searchsorted(self.bounds, age_s), minlength=len(self.bounds) + 1)
        self.sums[clock] += float(age_s.sum())

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Give the metric as it stands."""
        name, words = "warnloop_latency_seconds", "Age of fixes when they are durable, by the clock that dates them."
        family = HistogramMetricFamily(name, words, labels=["clock"])
        bounds = [*map(str, LATENCY), "+Inf"]
        for clock, counts in self.counts.items():
            buckets = [(bound, float(total)) for bound, total in zip(bounds, np.cumsum(counts), strict=True)]
            family.add_metric([clock], buckets, self.sums[clock])
        yield family


class Exempted:
    """Fixes at which exemptions kept kinds from being applied: counted by kind, told in the log by exemption."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name, words = "warnloop_exempted_fixes", "Accepted fixes at which an exemption kept a kind from being applied."
        self.fixes = Counter(name, words, ["kind"], registry=registry)
        self._untold: Tally[tuple[str, str]] = Tally()
        self._tell_at = 0.0

    def observe(self, exempted: Mapping[tuple[str, str], int]) -> None:
        """Count fixes by kind and exemption; the log is told at once, then at most every `TELL_S`."""
        for (kind, _), fixes in exempted.items():
            self.fixes.labels(kind).inc(fixes)
        self._untold.update(exempted)
        if self._untold and time.monotonic() >= self._tell_at:
            for (kind, name), fixes in sorted(self._untold.items()):
                _log.info("豁免 exemption %s: %s was not applied at %d fixes", name, kind, fixes)
            self._untold.clear()
            self._tell_at = time.monotonic() + TELL_S


class Metrics:
    """All metrics of one worker."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        # What arrives.
        self.frames = Counter("warnloop_frames", "Frames read from the log, replayed ones included.", registry=registry)
        self.fixes = Counter("warnloop_fixes", "Fixes stored, by the gate's verdict.", ["verdict"], registry=registry)
        self.quarantined = Counter(
            "warnloop_quarantined", "Records that are no fix, by reason.", ["reason"], registry=registry
        )
        self.unregistered = Counter(
            "warnloop_unregistered_fixes", "Accepted fixes of vehicles that nobody has registered.", registry=registry
        )
        self.exempted = Exempted(registry)
        # What is found.
        self.episodes = Counter(
            "warnloop_episodes", "Facts about violations, by kind.", ["kind", "fact"], registry=registry
        )
        # How long it takes.
        self.batch_seconds = Histogram(
            "warnloop_batch_seconds", "A batch, from its frames to durable.", buckets=SECONDS, registry=registry
        )
        self.step_seconds = Histogram(
            "warnloop_step_seconds",
            "Steps of a batch and of a checkpoint.",
            ["step"],
            buckets=SECONDS,
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "warnloop_commit_seconds", "The transaction of a batch.", buckets=SECONDS, registry=registry
        )
        self.latency = Latency(registry)
        self.restore_seconds = Histogram(
            "warnloop_restore_seconds", "A partition, from assigned to caught up.", buckets=SECONDS, registry=registry
        )
        # How it stands.
        self.lag = Gauge("warnloop_lag_frames", "Frames that wait in the log.", ["partition"], registry=registry)
        self.tick = Gauge("warnloop_tick_timestamp_seconds", "Latest tick.", ["partition"], registry=registry)
        self.assigned = Gauge("warnloop_assigned_partitions", "Partitions this worker has.", registry=registry)
        self.vehicles = Gauge("warnloop_vehicles", "Vehicles whose state is held.", registry=registry)
        self.state_bytes = Gauge("warnloop_state_bytes", "State held in memory.", registry=registry)
        self.registry_version = Gauge("warnloop_registry_version", "Newest registry in use.", registry=registry)
        # What went wrong, or is out of the ordinary.
        self.fenced = Counter(
            "warnloop_fenced", "Batches given up because another worker had the partition.", registry=registry
        )
        self.troubles = Counter(
            "warnloop_troubles", "Times the log or the database was out of reach.", registry=registry
        )
        self.checkpoint_bytes = Counter("warnloop_checkpoint_bytes", "State written, packed.", registry=registry)
        self.warmed_up = Counter(
            "warnloop_warmed_up", "Tables of state worked out from stored fixes.", ["table"], registry=registry
        )

    def count(self, time_ms: Int64, logged_ms: Int64, result: Result) -> None:
        """Count the fixes of a batch that is durable, (n,), by their times [ms] and verdicts."""
        for verdict, count in enumerate(np.bincount(result.verdict, minlength=len(Verdict)).tolist()):
            self.fixes.labels(Verdict(verdict).name.lower()).inc(count)
        self.unregistered.inc(result.unregistered)
        self.exempted.observe(result.exempted)
        self.latency.observe("device", time_ms)
        self.latency.observe("receipt", logged_ms)

    def count_records(self, reasons: Iterable[str]) -> None:
        """Count records that are no fix."""
        for reason, count in Tally(reasons).items():
            self.quarantined.labels(reason).inc(count)

    def count_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Count facts about violations, by kind."""
        for kind, fact in facts:
            self.episodes.labels(kind, fact).inc()

    def show_partitions(self, lag: Mapping[int, int], tick_ms: Mapping[int, int]) -> None:
        """Show how far behind each assigned partition is [frames], and its latest tick [ms]."""
        self.lag.clear()
        self.tick.clear()
        for partition, frames in lag.items():
            self.lag.labels(str(partition)).set(frames)
        for partition, moment in tick_ms.items():
            if moment != MISSING_MS:
                self.tick.labels(str(partition)).set(moment / 1000)

    def words(self) -> list[str]:
        """What was done so far, in a few lines."""
        fixes, refused, facts = (_counted(metric) for metric in (self.fixes, self.quarantined, self.episodes))
        rejected = ", ".join(f"{verdict} {count:,}" for verdict, count in fixes.items() if verdict != "accepted")
        found = ", ".join(f"{kind} {fact} {count:,}" for (kind, fact), count in facts.items())
        exempted = ", ".join(f"{kind} {count:,}" for kind, count in _counted(self.exempted.fixes).items())
        kept = ", ".join(f"{reason} {count:,}" for reason, count in refused.items())
        return [
            f"入库 stored {sum(fixes.values()):,} 条定位 fixes · 采信 accepted {fixes.get('accepted', 0):,}",
            f"未采信 refused: {rejected or '-'}",
            f"隔离 quarantined: {kept or '-'}",
            f"违规 violations: {found or '-'}",
            *([f"豁免 exempted fixes: {exempted}"] if exempted else []),
        ]


def _counted(metric: Counter) -> dict[Any, int]:
    """Counts of a metric above 0 by its label, or labels."""
    found: dict[Any, int] = {}
    for sample in next(iter(metric.collect())).samples:
        if sample.name.endswith("_total") and sample.value:
            labels = tuple(sample.labels.values())
            found[labels if len(labels) > 1 else labels[0]] = int(sample.value)
    return found
