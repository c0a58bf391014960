"""Spans: a condition that holds over consecutive fixes, confirmed by points, time and distance; warnings before one.

What every kind that uses it shares: fixes are a vehicle's accepted ones, in order. A *run* is a maximal sequence of
them with the condition true and each Δt ≤ ``gap_ms``; a fix after a longer Δt begins another run. The run's distance
is ΣD of the pairs between its fixes. It is confirmed at its first fix where it has ≥ ``points`` fixes, a distance ≥
``far_dm`` and t − t_first ≥ ``hold_ms`` (a kind may say: >; a kind may say: points or distance). `begins_ms` =
t_first, `raised_ms` = that fix, `ends_ms` = last fix of the run so far. If, at confirmation, t_first − `ends_ms` of
the vehicle's latest episode of the kind ≤ ``merge_ms``, that episode is extended instead: its `begins_ms`,
`raised_ms`, place, severity and fence stay. Unconfirmed runs neither extend nor bridge. A fix at which the vehicle is
not registered in a class of the kind, or is exempt, has the condition false. Numbers of the condition are those that
hold at each fix; ``points``, ``far_dm``, ``hold_ms``, ``gap_ms``, ``merge_ms`` are those of the run's first fix. An
episode that no later fix can extend is over: told at the first fix at which that is so, or where another is raised;
not at the end of input.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.enrich import Enriched
from detectors.found import ENDED, EPISODE, RAISED, SHOWN, STANDS, WARNED, Found, show
from detectors.kind import State
from detectors.limits import Limits
from detectors.verbs import FORGET_MS
from ingest.batch import Bool, Float64, Int8, Int32, Int64
from ingest.kernel import kernel

SPANNED = np.dtype(
    [
        *SHOWN,
        ("mark", "u1"),
        ("fence", "i4"),
        ("road", "i4"),
        ("route", "i4"),
        ("distance_dm", "i4"),
        ("highest", "i4"),
    ],
    align=True,
)
"""An episode of a span: its mark, the fence, road and route of its first fix, the distance of its confirmed runs, the
highest value in them. Of a warning: the fence ahead, and its distance."""

SPAN = np.dtype(
    [
        *EPISODE,
        ("known", "u1"),
        ("over", "u1"),
        ("touched", "u1"),
        ("warned", "u1"),
        ("confirmed", "u1"),
        ("run_mark", "u1"),
        ("mark", "u1"),
        ("set", "i4"),
        ("points", "i4"),
        ("run_dm", "i4"),
        ("run_highest", "i4"),
        ("run_fence", "i4"),
        ("run_road", "i4"),
        ("run_route", "i4"),
        ("distance_dm", "i4"),
        ("highest", "i4"),
        ("fence", "i4"),
        ("road", "i4"),
        ("route", "i4"),
        ("warned_fence", "i4"),
        ("first_ms", "i8"),
        ("first_lon", "f8"),
        ("first_lat", "f8"),
    ],
    align=True,
)
"""What a span remembers: the latest episode (if `known`) and whether it was told to be `over`, the fence that was
warned of, then the present run (`points` 0 if none)."""


@kernel
def _write(found: Any, vehicle: int, own: Any) -> None:
    """Write the vehicle's latest episode as it stands."""
    show(found, vehicle, own)
    found.mark = own.mark
    found.fence = own.fence
    found.road = own.road
    found.route = own.route
    found.distance_dm = own.distance_dm
    found.highest = own.highest


@kernel
def _touch(own: Any) -> None:
    """Let places of a state that was zeros mean none."""
    if own.touched == 0:
        own.touched = 1
        own.run_fence = -1
        own.run_road = -1
        own.run_route = -1
        own.fence = -1
        own.road = -1
        own.route = -1
        own.warned_fence = -1


@kernel
def _span(
    vehicle: Int32,
    slot: Int32,
    time_ms: Int64,
    dt_ms: Int64,
    distance_dm: Int64,
    lon: Float64,
    lat: Float64,
    when: Bool,
    severity: Int8,
    mark: Int8,
    fence: Int32,
    road: Int32,
    route: Int32,
    value: Int64,
    ahead: Int32,
    ahead_dm: Int64,
    sets: Int32,
    points: Int64,
    far_dm: Int64,
    hold_ms: Int64,
    gap_ms: Int64,
    merge_ms: Int64,
    merge_most_ms: int,
    exceed: bool,
    either: bool,
    nothing: State,
    state: State,
    found: Found,
) -> int:
    """Carry runs and episodes through a batch, by vehicle; returns how many rows of `found` it wrote.

    They are two a fix at most: an episode that is over because another is raised or a warning, and one more.
    """
    count = 0
    changed = False
    for row in range(len(vehicle)):
        if slot[row] < 0:
            continue
        own = state[slot[row]]
        fact = STANDS
        if own.points > 0 and (not when[row] or dt_ms[row] > gap_ms[own.set, own.run_mark]):
            own.points = 0
        if when[row]:
            if own.points == 0:
                _touch(own)
                own.set = sets[row]
                own.run_mark = mark[row]
                own.run_fence = fence[row]
                own.run_road = road[row]
                own.run_route = route[row]
                own.run_dm = 0
                own.run_highest = -1
                own.first_ms = time_ms[row]
                own.first_lon = lon[row]
                own.first_lat = lat[row]
                own.confirmed = 0
            else:
                own.run_dm += distance_dm[row]
            own.points += 1
            own.run_highest = max(own.run_highest, value[row])
            if not own.confirmed:
                held = time_ms[row] - own.first_ms - hold_ms[own.set, own.run_mark]
                many, far = own.points >= points[own.set], own.run_dm >= far_dm[own.set]
                if (held > 0 if exceed else held >= 0) and ((many or far) if either else (many and far)):
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
                        own.severity = severity[row]
                        own.mark = own.run_mark
                        own.fence = own.run_fence
                        own.road = own.run_road
                        own.route = own.run_route
                        own.distance_dm = 0
                        own.highest = -1
                    own.over = 0
                    own.distance_dm += own.run_dm
            else:
                own.distance_dm += distance_dm[row]
            if own.confirmed:
                own.ends_ms = time_ms[row]
                own.highest = max(own.highest, own.run_highest)
                changed = True
        out_of_reach = own.points == 0 or own.first_ms - own.ends_ms > merge_ms[own.set]
        if own.known and not own.over and out_of_reach and time_ms[row] - own.ends_ms > merge_most_ms:
            own.over = 1
            fact = ENDED
        if own.warned and (when[row] or ahead[row] == -1):
            own.warned = 0
            own.warned_fence = -1
        if ahead[row] >= 0 and not when[row] and (not own.warned or own.warned_fence != ahead[row]):
            _touch(own)
            own.warned = 1
            own.warned_fence = ahead[row]
            found[count].vehicle = vehicle[row]
            found[count].fact = WARNED
            found[count].begins_ms = time_ms[row]
            found[count].raised_ms = time_ms[row]
            found[count].ends_ms = time_ms[row]
            found[count].lon = lon[row]
            found[count].lat = lat[row]
            found[count].severity = 0
            found[count].lead = 0
            found[count].mark = 0
            found[count].fence = ahead[row]
            found[count].road = -1
            found[count].route = -1
            found[count].distance_dm = ahead_dm[row]
            found[count].highest = -1
            count += 1
        if fact != STANDS or (changed and (row + 1 == len(vehicle) or vehicle[row + 1] != vehicle[row])):
            _write(found[count], vehicle[row], own)
            found[count].fact = fact
            count += 1
            changed = False
        bygone = not own.known or (own.over and time_ms[row] - own.ends_ms > FORGET_MS)
        if bygone and own.points == 0 and own.touched and not own.warned:
            state[slot[row]] = nothing[0]
    return count


def span(
    batch: Enriched,
    when: Bool,
    limits: Limits,
    state: State,
    *,
    severity: Int8,
    fence: Int32 | None = None,
    road: Int32 | None = None,
    route: Int32 | None = None,
    value: Int64 | None = None,
    mark: Int8 | None = None,
    holds: tuple[str, ...] = ("hold_ms",),
    gaps: tuple[str, ...] = ("gap_ms",),
    exceed: bool = False,
    either: bool = False,
    ahead: tuple[Int32, Int64] | None = None,
) -> Found:
    """Carry a condition over consecutive fixes through a batch.

    Parameters
    ----------
    batch : Enriched, (n,)
        Accepted fixes, by vehicle, then time.
    when : bool, (n,)
        The condition.
    limits : Limits
        ``points``, ``far_dm`` (each 0 where it is not asked for), ``merge_ms``, and those of `holds` and `gaps`.
    state : structured array of ``SPAN``, (slots,)
        Changed in place.
    severity : uint8, (n,)
        Of an episode that is raised at the fix.
    fence, road, route : int32, (n,)
        What the condition goes by, -1 for none; an episode shows those of its first fix.
    value : int64, (n,)
        Its highest over the episode's confirmed runs is shown.
    mark : uint8, (n,)
        Which of `holds` and `gaps` counts: of a run, that of its first fix.
    exceed : bool
        The time must be exceeded, not only reached.
    either : bool
        Points or distance are enough, each alone.
    ahead : fence and distance, int32 (n,) and int64 (n,)
        Warns of the fence where the condition is false: once, until the condition is true, or no fence (-1) or
        another one is ahead; where nothing is known (-2) that stays as it is. Distance [dm].

    Returns
    -------
    Found of ``SPANNED``, (m,)
    """
    n = len(batch)
    merge_ms = limits.parameter("merge_ms")
    found: NDArray[np.void] = np.empty(2 * n, SPANNED)
    none = np.full(n, -1, np.int32)
    ahead_fence, ahead_dm = (np.full(n, -2, np.int32), np.zeros(n, np.int64)) if ahead is None else ahead
    count = _span(
        batch.vehicle,
        limits.slot,
        batch.time_ms,
        batch.dt_ms,
        batch.distance_dm,
        batch.lon,
        batch.lat,
        when,
        severity,
        np.zeros(n, np.uint8) if mark is None else mark,
        none if fence is None else fence,
        none if road is None else road,
        none if route is None else route,
        np.full(n, -1, np.int64) if value is None else value,
        ahead_fence,
        ahead_dm,
        limits.index,
        limits.parameter("points", 0.0).astype(np.int64),
        limits.parameter("far_dm", 0.0).astype(np.int64),
        np.stack([limits.parameter(name, 0.0).astype(np.int64) for name in holds], axis=1),
        np.stack([limits.parameter(name).astype(np.int64) for name in gaps], axis=1),
        merge_ms,
        int(merge_ms.max()),
        exceed,
        either,
        np.zeros(1, SPAN),
        state,
        found,
    )
    return found[:count]


def way_measures(row: Any) -> dict[str, object]:
    """Distance of the confirmed runs [m]."""
    return {"distance_m": int(row["distance_dm"]) / 10}
