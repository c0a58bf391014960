"""Verbs: the stateful loops that kinds share. Most kinds are a mask and a verb."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, RISEN, SHOWN, STANDS, Found, show
from detectors.kind import Severity, State
from detectors.limits import Limits
from ingest.batch import Bool, Float64, Int32, Int64
from ingest.kernel import kernel
from ingest.moment import DAY_MS

HELD = np.dtype([*SHOWN, ("peak_kmh", "f8"), ("limit_kmh", "f8"), ("fence", "i4"), ("road", "i4")], align=True)
"""An episode of a hold: the highest speed, with the limit and the fence or road that set it, at that fix."""

HOLD = np.dtype(
    [
        *EPISODE,
        ("known", "u1"),
        ("over", "u1"),
        ("barred", "u1"),
        ("confirmed", "u1"),
        ("unmatched", "u1"),
        ("set", "i4"),
        ("points", "i4"),
        ("fence", "i4"),
        ("road", "i4"),
        ("highest_fence", "i4"),
        ("highest_road", "i4"),
        ("highest_kmh", "f8"),
        ("highest_limit_kmh", "f8"),
        ("highest_ratio", "f8"),
        ("second_highest_ratio", "f8"),
        ("first_ms", "i8"),
        ("first_lon", "f8"),
        ("first_lat", "f8"),
        ("first_ratio", "f8"),
        ("second_ratio", "f8"),
        ("peak_kmh", "f8"),
        ("limit_kmh", "f8"),
    ],
    align=True,
)
"""What a hold remembers: the latest episode (if `known`) and whether it was told to be `over`, then the
present run (`points` 0 if none)."""

FORGET_MS = DAY_MS
"""An episode that is over is forgotten so long after its end, where there is no run: nothing in this registry could
extend it, and no other registry merges from farther apart [ms]. A run that was not confirmed is forgotten at once."""


@kernel
def _join(
    own: Any, ratio: float, second_ratio: float, peak_kmh: float, limit_kmh: float, fence: int, road: int
) -> None:
    """Let fixes join the episode: their two highest ratios and their peak."""
    if ratio > own.highest_ratio:
        own.second_highest_ratio = max(own.highest_ratio, second_ratio)
        own.highest_ratio = ratio
    else:
        own.second_highest_ratio = max(own.second_highest_ratio, ratio)
    if peak_kmh > own.highest_kmh:
        own.highest_kmh = peak_kmh
        own.highest_limit_kmh = limit_kmh
        own.highest_fence = fence
        own.highest_road = road


@kernel
def _write(found: Any, vehicle: int, own: Any) -> None:
    """Write the vehicle's latest episode as it stands."""
    show(found, vehicle, own)
    found.peak_kmh = own.highest_kmh
    found.limit_kmh = own.highest_limit_kmh
    found.fence = own.highest_fence
    found.road = own.highest_road


@kernel
def _hold(
    vehicle: Int32,
    time_ms: Int64,
    dt_ms: Int64,
    lon: Float64,
    lat: Float64,
    speed_kmh: Float64,
    limit_kmh: Float64,
    fence: Int32,
    road: Int32,
    when: Bool,
    unmatched: Bool,
    sets: Int32,
    ratio: Float64,
    margin_kmh: Float64,
    points: Int64,
    hold_ms: Int64,
    gap_ms: Int64,
    merge_ms: Int64,
    merge_most_ms: int,
    severe_ratio: Float64,
    reach: bool,
    severity: int,
    slot: Int32,
    nothing: State,
    state: State,
    found: Found,
) -> int:
    """Carry runs and episodes through a batch, by vehicle; returns how many rows of `found` it wrote.

    They are two a fix at most: an episode that is over only because another is raised, and one more.
    """
    count = 0
    changed = False
    for row in range(len(vehicle)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        fact = STANDS
        above = False
        if own.points > 0:
            bound = ratio[own.set] * limit_kmh[row] + margin_kmh[own.set]
            above = when[row] and (speed_kmh[row] >= bound if reach else speed_kmh[row] > bound)
            if not above or dt_ms[row] > gap_ms[own.set]:
                own.points = 0
        if own.points == 0:
            bound = ratio[sets[row]] * limit_kmh[row] + margin_kmh[sets[row]]
            above = when[row] and (speed_kmh[row] >= bound if reach else speed_kmh[row] > bound)
        if above:
            share = speed_kmh[row] / limit_kmh[row] if limit_kmh[row] > 0.0 else 0.0
            if own.points == 0:
                own.set = sets[row]
                own.first_ms = time_ms[row]
                own.first_lon = lon[row]
                own.first_lat = lat[row]
                own.first_ratio = 0.0
                own.peak_kmh = -1.0
                if not own.known:
                    own.highest_fence = -1
                    own.highest_road = -1
                own.confirmed = 0
                own.unmatched = 0
            own.points += 1
            if own.confirmed:
                own.ends_ms = time_ms[row]
                own.barred |= unmatched[row]
                _join(own, share, 0.0, speed_kmh[row], limit_kmh[row], fence[row], road[row])
            else:
                if share > own.first_ratio:
                    own.second_ratio = own.first_ratio
                    own.first_ratio = share
                elif share > own.second_ratio:
                    own.second_ratio = share
                if speed_kmh[row] > own.peak_kmh:
                    own.peak_kmh = speed_kmh[row]
                    own.limit_kmh = limit_kmh[row]
                    own.fence = fence[row]
                    own.road = road[row]
                own.unmatched |= unmatched[row]
                held = time_ms[row] - own.first_ms
                if own.points >= points[own.set] and (held >= hold_ms[own.set] if reach else held > hold_ms[own.set]):
                    own.confirmed = 1
                    if not own.known or own.first_ms - own.ends_ms > merge_ms[own.set]:
                        if own.known and not own.over:
                            _write(found[count], vehicle[row], own)
                            found[count].fact = ENDED
                            count += 1
                        fact = RAISED
                        own.known = 1
                        own.begins_ms = own.first_ms
                        own.raised_ms = time_ms[row]
                        own.lon = own.first_lon
                        own.lat = own.first_lat
                        own.highest_ratio = 0.0
                        own.highest_kmh = -1.0
                        own.lead = own.unmatched
                        own.barred = 0
                        own.severity = min(severity, 2) if own.lead else severity
                    own.over = 0
                    own.ends_ms = time_ms[row]
                    own.barred |= own.unmatched
                    first, second = own.first_ratio, own.second_ratio
                    _join(own, first, second, own.peak_kmh, own.limit_kmh, own.fence, own.road)
            if own.confirmed:
                changed = True
                if own.second_highest_ratio >= severe_ratio[own.set] and not own.barred and own.severity < 3:
                    own.severity = 3
                    if fact == STANDS:
                        fact = RISEN
        out_of_reach = own.points == 0 or own.first_ms - own.ends_ms > merge_ms[own.set]
        if own.known and not own.over and out_of_reach and time_ms[row] - own.ends_ms > merge_most_ms:
            own.over = 1
            fact = ENDED
        if fact != STANDS or (changed and (row + 1 == len(vehicle) or vehicle[row + 1] != vehicle[row])):
            _write(found[count], vehicle[row], own)
            found[count].fact = fact
            count += 1
            changed = False
        bygone = not own.known or (own.over and time_ms[row] - own.ends_ms > FORGET_MS)
        if bygone and own.points == 0 and own.first_ms != 0:
            state[slot[row]] = nothing[0]
    return count


def hold(
    batch: Enriched,
    when: Bool,
    limits: Limits,
    state: State,
    *,
    severity: Severity,
    limit_kmh: Float64 | None = None,
    fence: Int32 | None = None,
    road: Int32 | None = None,
    unmatched: Bool | None = None,
    reach: bool = False,
) -> Found:
    """Speed above a bound, held: runs of fixes, confirmed by points and time, merged when close.

    Parameters
    ----------
    batch : Enriched, (n,)
        Accepted fixes, by vehicle, then time.
    when : bool, (n,)
        Where the rule applies at all (class, place, hour).
    limits : Limits
        ``points``, ``hold_ms``, ``gap_ms``, ``merge_ms``; with a limit also ``ratio`` and
        ``margin_kmh``: the bound is ratio × limit + margin; ``severe_ratio``, where the second
        highest ratio of speed to limit makes an episode serious. A run keeps the set of its first fix.
    limit_kmh : float64, (n,)
        [km/h]; None for a rule about being somewhere at any speed.
    fence, road : int32, (n,)
        What set the limit: a fence or a road line; -1 for none.
    unmatched : bool, (n,)
        Fixes whose limit is a guess: an episode confirmed with one is a lead, one that joins later
        bars a rise of severity.
    reach : bool
        Bound and time need only be reached; else they must be exceeded.

    Returns
    -------
    Found of ``HELD``, (m,)
        An episode is over at the first fix from which on nothing can extend it: no set merges from
        so far, and neither does the run that is going on. At the latest where another is raised.

    Source: rulebook §3, §6.
    """
    n = len(batch)
    merge_ms = limits.parameter("merge_ms")
    found: NDArray[np.void] = np.empty(2 * n, HELD)
    count = _hold(
        batch.vehicle,
        batch.time_ms,
        batch.dt_ms,
        batch.lon,
        batch.lat,
        batch.speed_kmh,
        np.zeros(n) if limit_kmh is None else limit_kmh,
        np.full(n, -1, np.int32) if fence is None else fence,
        np.full(n, -1, np.int32) if road is None else road,
        when,
        np.zeros(n, np.bool_) if unmatched is None else unmatched,
        limits.index,
        limits.parameter("ratio", 0.0),
        limits.parameter("margin_kmh", 0.0),
        limits.parameter("points"),
        limits.parameter("hold_ms"),
        limits.parameter("gap_ms"),
        merge_ms,
        int(merge_ms.max()),
        limits.parameter("severe_ratio", np.inf),
        reach or limit_kmh is None,
        int(severity),
        limits.slot,
        np.zeros(1, HOLD),
        state,
        found,
    )
    return found[:count]


def speed_measures(row: Any) -> dict[str, object]:
    """Peak speed and the limit at that fix [km/h]."""
    return {"peak_kmh": float(row["peak_kmh"]), "limit_kmh": float(row["limit_kmh"])}


def no_measures(row: Any) -> dict[str, object]:  # noqa: ARG001 - one signature for all kinds
    """Nothing beyond the columns all episodes have."""
    return {}


def speed_facts(measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, float]:
    """What was allowed, the bound that had to be broken, and by how much the peak is above them [km/h]."""
    peak, limit = measures["peak_kmh"], measures["limit_kmh"]
    allowed = parameters["ratio"] * limit
    return {
        "allowed_kmh": allowed,
        "bound_kmh": allowed + parameters["margin_kmh"],
        "over_kmh": peak - limit,
        "over_ratio": peak / limit - 1 if limit > 0 else np.nan,
        "over_allowed_kmh": peak - allowed,
    }
