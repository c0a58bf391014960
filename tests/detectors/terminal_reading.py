"""The rules of `clusters`, `lasting` and `towed` again, fix by fix, with lists instead of loops over columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.geodesy import distance_dm

DAY_MS = 86_400_000
BEIJING_MS = 8 * 3_600_000


@dataclass(frozen=True, slots=True)
class Fix:
    """An accepted fix, and the pair it ends."""

    time: int
    dt: int
    dm: int
    jump: bool
    lon: float
    lat: float
    speed: float
    before_speed: float
    alarm: int
    status: int
    items: int


@dataclass(slots=True)
class Episode:
    """What was found."""

    begins: int
    raised: int
    ends: int
    severity: int
    lead: bool = False
    codes: set[int] = field(default_factory=set)
    times: int = 0

    def told(self) -> tuple[object, ...]:
        return self.begins, self.raised, self.ends, self.severity, self.lead, sum(self.codes), self.times


Codes = Callable[[Fix], set[int]]


def clusters(
    fixes: Iterable[Fix],
    codes: Codes,
    grade: Callable[[int], int],
    p: dict[str, Any],
    alone: Sequence[int] = (),
    doubtful: Sequence[int] = (),
) -> list[Episode]:
    """See `detectors.clusters`."""
    found: list[Episode] = []
    remembered: list[tuple[int, int]] = []
    before: set[int] = set()
    is_open = False
    for fix in fixes:
        remembered = [one for one in remembered if fix.time - one[0] <= p["window_ms"]]
        if is_open and fix.time - found[-1].ends > p["merge_ms"]:
            is_open = False
        told = codes(fix)
        begun = told - before if 0 <= fix.dt <= p["gap_ms"] else told
        before = told
        if told and is_open:
            last = found[-1]
            last.ends = fix.time
            last.codes |= told
            last.times += len(begun)
            if not last.lead:
                last.severity = max(last.severity, *map(grade, told))
        elif begun:
            remembered += [(fix.time, code) for code in sorted(begun)]
            if len(remembered) >= p["alarms"] or begun & set(alone):
                own = {code for _, code in remembered}
                lead = own <= set(doubtful)
                severity = max(map(grade, own))
                found.append(
                    Episode(remembered[0][0], fix.time, fix.time, min(severity, 2) if lead else severity, lead, own)
                )
                found[-1].times = len(remembered)
                remembered, is_open = [], True
    return found


def lasting(
    fixes: Iterable[Fix],
    codes: Codes,
    grade: int,
    p: dict[str, Any],
    watched: int = 0,
    sudden: Callable[[Fix], bool] = lambda _: False,
) -> list[Episode]:
    """See `detectors.lasting`."""
    found: list[Episode] = []
    run: list[Fix] = []
    own: set[int] = set()
    before: set[int] = set()
    confirmed = is_open = False
    severity = 0
    for fix in fixes:
        told = codes(fix)
        sharp = watched in told and watched not in before and 0 < fix.dt <= p.get("pair_ms", 0) and sudden(fix)
        before = told
        if run and (not told or fix.dt > p["gap_ms"]):
            run = []
        if told:
            if not run:
                own, confirmed, severity = set(), False, grade
            run.append(fix)
            own |= told
            if sharp:
                own.add(32)
                severity = max(severity, 3)
            pairs = [b for b in run[1:] if b.dt <= p.get("pair_ms", 0) and b.before_speed >= p.get("drive_kmh", 0.0)]
            lasts = fix.time - run[0].time
            enough = len(run) >= p["points"] and lasts >= p["hold_ms"]
            enough = enough and sum(b.dt for b in pairs) >= p.get("driven_ms", 0)
            if not confirmed and (enough or sharp):
                confirmed = True
                if not is_open or run[0].time - found[-1].ends > p["merge_ms"]:
                    found.append(Episode(run[0].time, fix.time, fix.time, 0))
                    is_open = True
                    today = (fix.time + BEIJING_MS) // DAY_MS
                    days = {(one.raised + BEIJING_MS) // DAY_MS for one in found} & set(range(today - 6, today + 1))
                    if "repeat_days" in p and len(days) >= p["repeat_days"]:
                        own.add(128)
                        severity = max(severity, 3)
            if confirmed:
                if "long_ms" in p and lasts > p["long_ms"] and fix.speed >= p["drive_kmh"]:
                    own.add(64)
                    severity = max(severity, 3)
                last = found[-1]
                last.ends, last.codes, last.severity = fix.time, last.codes | own, max(last.severity, severity)
        going = run and (confirmed or (is_open and run[0].time - found[-1].ends <= p["merge_ms"]))
        if is_open and not going and fix.time - found[-1].ends > p["merge_ms"]:
            is_open = False
    return found


def towed(fixes: Iterable[Fix], p: dict[str, Any]) -> set[int]:
    """Times at which the vehicle is displaced; see `detectors.towed`."""
    found: set[int] = set()
    anchor: Fix | None = None
    for fix in fixes:
        off = fix.status != -1 and fix.status % 2 == 0
        if anchor and (not off or fix.jump or fix.time - anchor.time > p["within_ms"]):
            anchor = None
        if anchor and distance_dm(anchor.lon, anchor.lat, fix.lon, fix.lat) > p["far_dm"]:
            found.add(fix.time)
            anchor = fix
        elif not anchor and off and (fix.speed >= p["drive_kmh"] or fix.dm >= p["shift_dm"]):
            anchor = fix
    return found
