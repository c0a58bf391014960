"""Days: V07, V12, V14, V15 and V17 read plainly from the rulebook, for checking the fleet's labels.

Built on the independent reading's gate and distances; shares nothing with the
generator or the detectors. Gap-drive, yard moves and short stops do not enter
V07, so its drive is a matter of single pairs, but for short yard moves, which
the fleet does not make.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from tests.reading.gate import DRIFT, UNQUALIFIED, Accepted, Gate
from tests.reading.metric import decimetres, jumps
from tests.reading.positions import Fix

DAY = 86_400_000
BUCKET = 600_000


def day_of(t: int) -> int:
    """The Beijing day of a time."""
    return (t + 8 * 3_600_000) // DAY


def found(received: Iterable[Fix], registry: Path) -> set[tuple[str, str, int]]:
    """(plate, kind, Beijing day) of every such episode of fixes in order of receipt."""
    rows = (registry / "vehicles.csv").read_text(encoding="utf-8").splitlines()[1:]
    classes = {row.split(",")[0]: row.split(",")[2] for row in rows}
    fixes: dict[str, list[Fix]] = defaultdict(list)
    for fix in received:
        fixes[fix.plate].append(fix)
    result: set[tuple[str, str, int]] = set()
    for plate, own in fixes.items():
        result |= {(plate, kind, day) for kind, day in _vehicle(own, classes[plate])}
    return result


def _vehicle(own: list[Fix], letter: str) -> Iterator[tuple[str, int]]:
    gate = Gate()
    accepted: list[Accepted] = []
    located: list[Accepted] = []
    taken: dict[int, int] = defaultdict(int)
    bad: dict[int, int] = defaultdict(int)
    for fix in own:
        got = gate.take(fix)
        assert fix.received is not None
        day = day_of(fix.received if fix.time is None else fix.time)
        taken[day] += 1
        bad[day] += got == UNQUALIFIED
        if isinstance(got, Accepted):
            accepted.append(got)
            located.append(got)
        elif got == DRIFT:
            assert fix.time is not None
            assert fix.lon is not None
            assert fix.lat is not None
            located.append(Accepted(fix.time, fix.lon, fix.lat, 0.0, None))
    yield from (("V17", day) for day, n in taken.items() if n >= 20 and bad[day] * 20 > n)
    if letter in "LCH":
        yield from _tracks(located)
        yield from (("V07", day) for day in _cumulative(accepted))
    if letter in "LCHF":
        for a, b in pairwise(accepted):
            dm = _dm(a, b)
            least = (1_200_000, 50_000) if letter == "H" else (1_800_000, 200_000)
            if not jumps(dm, b.t - a.t) and b.t - a.t >= least[0] and dm > least[1]:
                yield "V12", day_of(b.t)


def _dm(a: Accepted, b: Accepted) -> int:
    return decimetres(a.lon, a.lat, b.lon, b.lat)


def _tracks(located: list[Accepted]) -> Iterator[tuple[str, int]]:
    whole: dict[int, int] = defaultdict(int)
    gaps: dict[int, int] = defaultdict(int)
    drifts: dict[int, int] = defaultdict(int)
    for a, b in pairwise(located):
        dm, dt, day = _dm(a, b), b.t - a.t, day_of(b.t)
        if jumps(dm, dt):
            drifts[day] += 1
        else:
            (gaps if dt > 300_000 and dm > 20_000 else whole)[day] += dm
    for day in set(whole) | set(gaps):
        total = whole[day] + gaps[day]
        if total >= 100_000 and whole[day] * 100 < 95 * total:
            yield "V14", day
    yield from (("V15", day) for day, n in drifts.items() if n >= 5)


def _cumulative(accepted: list[Accepted]) -> set[int]:
    buckets: dict[int, int] = defaultdict(int)
    days = set()
    for a, b in pairwise(accepted):
        dt = b.t - a.t
        dm = _dm(a, b)
        drive = a.speed >= 5 if dt <= 60_000 else dt <= 300_000 and dm >= 1_000 and 360 * dm >= 5 * dt
        if drive:
            for bucket in range(a.t // BUCKET, b.t // BUCKET + 1):
                buckets[bucket] += min(b.t, (bucket + 1) * BUCKET) - max(a.t, bucket * BUCKET)
            last = b.t // BUCKET
            if sum(buckets.get(k, 0) for k in range(last - 143, last + 1)) > 28_800_000:
                days.add(day_of(b.t))
    return days


def labelled(labels: Path) -> set[tuple[str, str, int]]:
    """The same of the labels."""
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    kinds = ("V07", "V12", "V14", "V15", "V17")
    return {(row["plate"], row["kind"], day_of(row["begin_ms"])) for row in rows if row["kind"] in kinds}
