"""Detectors, measured: all kinds of the stream over columns in memory, on one core; what each kind takes."""

import gc
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.traffic import MIX, Net, Traffic, write_registry
from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Detect, Kind, State
from detectors.limits import Limits
from detectors.prepare import prepare
from ingest.batch import Batch
from ingest.gate import STATE, gate
from ingest.registry import Registry, read_registry

VEHICLES, FEW = 800_000, 10_000
SIZES = (5_000, 20_000, 100_000, 500_000)
FIXES, TIMES = 500_000, 5
"""Measured at each size, and how often: the median counts. All vehicles have reported before and are known."""

WARM_ROUNDS = 3


class Clock:
    """Seconds that each kind's own function took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, code: str, detect: Detect) -> Detect:
        """The same function, its time taken."""

        def run(batch: Enriched, limits: Limits, state: State) -> Found:
            begin = time.perf_counter()  # asks no kernel, unlike the process's own time
            found = detect(batch, limits, state)
            self.seconds[code] += time.perf_counter() - begin
            return found

        return run

    def kinds(self) -> dict[str, Kind]:
        """The catalogue, its functions timed."""
        return {code: replace(kind, detect=self.timed(code, kind.detect)) for code, kind in CATALOGUE.items()}


def memory_mb() -> float:
    """Most memory that the process has held [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def judged(engine: Engine, batches: list[Batch]) -> float:
    """Seconds that an engine takes for batches."""
    gc.collect()
    begin = time.process_time()
    for batch in batches:
        engine.detect(batch)
    return time.process_time() - begin


def warmed(registry: Registry, net: Net, clock: Clock) -> tuple[Engine, Traffic]:
    """An engine that knows every vehicle, and the traffic that goes on."""
    engine, traffic = Engine(registry, clock.kinds()), Traffic(net)
    for _ in range(WARM_ROUNDS):
        engine.detect(traffic.round())
    clock.seconds.clear()
    return engine, traffic


def by_size(engine: Engine, traffic: Traffic, clock: Clock) -> dict[int, float]:
    """Nanoseconds a fix by size of batch; prints the share of each kind at the largest."""
    cost = {}
    for size in SIZES:
        clock.seconds.clear()
        took, fixes, each = 0.0, 0, []
        for _ in range(TIMES):
            batches = list(traffic.batches(FIXES, size))
            seconds, many = judged(engine, batches), sum(map(len, batches))
            took, fixes = took + seconds, fixes + many
            each.append(seconds / many * 1e9)
        cost[size] = sorted(each)[TIMES // 2]
        rates = " ".join(f"{1e6 / one:,.0f}" for one in sorted(each, reverse=True))
        print(
            f"  batches of {size:>7,}  {1e9 / cost[size]:>11,.0f} fixes/s  {cost[size]:6.0f} ns a fix"
            f"  (thousands a second, {TIMES} times: {rates})",
            flush=True,
        )
    print("  of these, at the largest:")
    for code, seconds in sorted(clock.seconds.items(), key=lambda one: -one[1]):
        print(f"    {code} {seconds / fixes * 1e9:6.1f} ns  {100 * seconds / took:4.1f} %  {CATALOGUE[code].en}")
    rest = took - sum(clock.seconds.values())
    print(f"    gate, lookups and parameters {rest / fixes * 1e9:6.1f} ns  {100 * rest / took:4.1f} %")
    return cost


def lookups(engine: Engine, traffic: Traffic) -> None:
    """Points a second through zones, road lines and counties."""
    known = np.zeros(len(traffic.road), STATE)
    for _ in range(3):
        accepted, _ = gate(traffic.round(), known)
    lookup, registry = engine.lookup, engine.registry
    entry = registry.entry(accepted.vehicle, accepted.time_ms)
    kind = registry.entries.kind[entry]
    matching = engine.states["road"].copy()
    index = lookup.road_match.index(entry, accepted.time_ms)
    place = accepted.lon, accepted.lat, accepted.time_ms, kind
    best = defaultdict[str, float](lambda: np.inf)
    for _ in range(3):
        for name in ("road", "speed", "hazmat_no_go", "station", "parking", "closure", "county"):
            begin = time.process_time()
            lookup.zones.least(name, *place)
            best[name] = min(best[name], time.process_time() - begin)
        begin = time.process_time()
        on = lookup.roads.match(accepted, kind, index, matching)
        best["road lines"] = min(best["road lines"], time.process_time() - begin)
    n = len(accepted)
    print(f"{n:,} points, {(on >= 0).mean():.0%} on a road line: {n / sum(best.values()):,.0f} points/s through all")
    print("  " + ", ".join(f"{name} {seconds / n * 1e9:.0f} ns" for name, seconds in best.items()))


def state(engine: Engine) -> None:
    """Bytes of state: of a vehicle of each class, and in use."""
    states, vehicles = engine.states, len(engine.registry.vehicles)
    print(f"state in use {states.bytes_held(vehicles) / vehicles:,.0f} B a vehicle")
    for idle, what in ((True, "nothing in sparse kinds"), (False, "something in every kind")):
        every = {letter: states.bytes_of(letter, idle=idle) for letter in MIX}
        mean = sum(every[letter] * number for letter, number in MIX.items()) / sum(MIX.values())
        sizes = ", ".join(f"{letter} {size:,}" for letter, size in every.items())
        print(f"  {what}: in the mix {mean:,.0f} B a vehicle; by class {sizes}")


def main() -> None:
    """Measure all; vehicles and few may be given."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    counts = [int(word) for word in sys.argv[1:]] or [FEW, VEHICLES]
    prepare(CATALOGUE)
    costs = []
    for vehicles in counts:
        with tempfile.TemporaryDirectory() as name:
            net = write_registry(Path(name) / "registry", vehicles)
            begin, before = time.process_time(), memory_mb()
            registry = read_registry(Path(name) / "registry")
            read = time.process_time() - begin
        clock = Clock()
        begin = time.process_time()
        engine, traffic = warmed(registry, net, clock)
        warm = time.process_time() - begin
        held = memory_mb() - before
        print(f"{vehicles:,} vehicles: registry read in {read:.1f} s, {held:,.0f} MB with it; warmed in {warm:.1f} s")
        costs.append(by_size(engine, traffic, clock))
        lookups(engine, traffic)
        state(engine)
        print(f"most memory {memory_mb():,.0f} MB", flush=True)
        del engine, traffic, registry
        gc.collect()
    if len(costs) == 2:
        shown = ", ".join(f"{size:,}: {costs[1][size] / costs[0][size]:.2f}" for size in SIZES)
        print(f"cost of a fix, {counts[1]:,} vehicles to {counts[0]:,}, by size of batch: {shown}")


if __name__ == "__main__":
    main()
