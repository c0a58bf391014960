"""V34: a bus drives past a stop of its trip."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.reminders import moment_text
from detectors.stops import SKIPPED, SKIPS, skipped
from detectors.why import Why, Words

NAMED = np.dtype([*SKIPPED.descr, ("stop_name", "U48"), ("trip_name", "U48"), ("route", "U48")])
"""A skipped stop with the names that the timetable has for it."""

_STOPS = (
    {"stop": "A", "name": "甲站", "lon": "87.3", "lat": "43.99"},
    {"stop": "B", "name": "乙站", "lon": "87.3001", "lat": "44.01"},
    {"stop": "C", "name": "丙站", "lon": "87.3", "lat": "44.04"},
)
_TRIP = {
    "stops": _STOPS,
    "trips": ({"trip": "T", "route": "1"},),
    "stop_times": (
        {"trip": "T", "order": "1", "stop": "A", "arrives": "07:55"},
        {"trip": "T", "order": "2", "stop": "B", "arrives": "08:02"},
        {"trip": "T", "order": "3", "stop": "C", "arrives": "08:10"},
    ),
}
_BACK = {
    **_TRIP,
    "stop_times": (
        {"trip": "T", "order": "1", "stop": "C", "arrives": "07:55"},
        {"trip": "T", "order": "2", "stop": "B", "arrives": "08:02"},
        {"trip": "T", "order": "3", "stop": "A", "arrives": "08:10"},
    ),
}
_LATE = {
    **_TRIP,
    "stop_times": (
        {"trip": "T", "order": "1", "stop": "A", "arrives": "07:45"},
        {"trip": "T", "order": "2", "stop": "B", "arrives": "07:50"},
        {"trip": "T", "order": "3", "stop": "C", "arrives": "08:10"},
    ),
}
_DISPATCHED = {**_TRIP, "permits": ({"permit": "dispatch", "valid_from": "2026-03-02"},)}
_ON_REQUEST = {
    **_TRIP,
    "stop_times": (*_TRIP["stop_times"][:1], {**_TRIP["stop_times"][1], "request": "1"}, _TRIP["stop_times"][2]),
}

_BENT_LAT = (*(44.0 + 0.001 * step for step in range(10)), 44.01002, *(44.0 + 0.001 * step for step in range(11, 14)))
_BENT_LON = (87.3,) * 11 + (87.3005,) * 3


def _measures(row: Any) -> dict[str, object]:
    """Which stop of which trip, how late the bus was there, how near it passed [m], and its lesser speed [km/h]."""
    return {
        "stop": str(row["stop_name"]),
        "trip": str(row["trip_name"]),
        "route": str(row["route"]),
        "due": moment_text(int(row["due_ms"])),
        "late_s": (int(row["begins_ms"]) - int(row["due_ms"])) // 1000,
        "distance_m": round(float(row["off_m"]), 1),
        "least_kmh": round(float(row["speed_kmh"]), 1),
    }


@kind(
    code="V34",
    zh="甩站越站",
    en="A stop was driven past",
    classes="B",
    severity=Severity.GENERAL,
    clause="《城市公共汽车和电车客运管理规定》第三十三条（条款号待核实） "
    "(Urban Bus and Trolleybus Passenger Transport Rules art. 33, number unverified)",
    limits={
        "pass_m": 30.0,
        "serve_m": 80.0,
        "slow_kmh": 5.0,
        "hold_ms": 5_000,
        "gap_ms": 60_000,
        "early_ms": 300_000,
        "late_ms": 900_000,
        "sure_ms": 300_000,
        "sparse_ms": 15_000,
        "brake_mps2": 2.5,
        "pull_mps2": 1.5,
        "most_kmh": 60.0,
    },
    state=SKIPS,
    measures=_measures,
    why=Why(
        measured=Words(
            "班次 {trip}（线路 {route}）应于 {due} 停靠站点 {stop}；车辆晚 {late_s}（负值为早）从距站点 {distance_m} 处"
            "经过，前后两个定位点车速不低于 {least_kmh}，未见停站。",
            "Trip {trip} (route {route}) was due at stop {stop} at {due}; the bus passed {late_s} late (negative: "
            "early) at {distance_m} from it, at {least_kmh} or more at the fixes before and behind it, and no stop was "
            "seen.",
        ),
        limit=Words(
            "时刻表规定该班次停靠此站。行驶方向与班次一致，行驶轨迹距站点不超过 {pass_m}，而站点 {serve_m} 以内没有低"
            "于 {slow_kmh} 且可能持续 {hold_ms} 的停车、没有车门开启，即构成；首末站、招呼站不计。",
            "The timetable has this trip serve the stop. Driving by in the trip's direction within {pass_m} of it "
            "without a stop below {slow_kmh} that may have lasted {hold_ms}, and without an open door, within "
            "{serve_m} of it, is enough; the first and the last stop, and those on request, do not count.",
        ),
        clears=Words(
            "在站点 {serve_m} 以内停车不少于 {hold_ms}，或开启车门；或当时持有有效的调度指令、绕行许可，即不构成。",
            "A stop of {hold_ms}, or an open door, within {serve_m} of the stop; or a dispatch order or a permit for "
            "a detour that was valid then.",
        ),
        sure=Words(
            "定位间隔不超过 {sparse_ms}，与时刻表相差不超过 {sure_ms}，且其间的距离和车速排除了停站的可能。",
            "Fixes are no more than {sparse_ms} apart and within {sure_ms} of the timetable; distances and speeds "
            "between them leave no time for a stop.",
        ),
        doubt=Words(
            "可能的原因：定位间隔超过 {sparse_ms}；或与时刻表相差超过 {sure_ms}，车辆可能执行的是其他班次。",
            "It may be that fixes are more than {sparse_ms} apart, or that the bus, more than {sure_ms} off the "
            "timetable, was on another trip.",
        ),
    ),
    tables=("permits",),
    examples=(
        Example("past at 40 km/h", {"speed_kmh": (40,) * 14}, every_s=10, raised=(11,), papers=_TRIP),
        Example("past it where the way bends, once", {"speed_kmh": (40,) * 14, "lat": _BENT_LAT, "lon": _BENT_LON},
                every_s=10, raised=(11,), papers=_TRIP),
        Example("a stop of 20 s", {"speed_kmh": (40,) * 9 + (30, 0, 0, 20, 40, 40, 40)}, every_s=10, raised=(),
                papers=_TRIP),
        Example("slow for 3 s only", {"speed_kmh": (36,) * 109 + (4,) * 3 + (36,) * 20}, every_s=1, raised=(122,),
                papers=_TRIP),
        Example("slow for 5 s", {"speed_kmh": (36,) * 109 + (4,) * 6 + (36,) * 20}, every_s=1, raised=(), papers=_TRIP),
        Example("the other way", {"speed_kmh": (40,) * 14}, every_s=10, raised=(), papers=_BACK),
        Example("on request", {"speed_kmh": (40,) * 14}, every_s=10, raised=(), papers=_ON_REQUEST),
        Example("by order", {"speed_kmh": (40,) * 14}, every_s=10, raised=(), papers=_DISPATCHED),
        Example("a door was open", {"speed_kmh": (40,) * 14, "status": (3,) * 10 + (0x2003,) + (3,) * 3}, every_s=10,
                raised=(), papers=_TRIP),
        Example("30 s apart, time for a stop", {"speed_kmh": (30,) * 8}, every_s=30, raised=(), papers=_TRIP),
        Example("30 s apart, no time for one", {"speed_kmh": (50,) * 8}, every_s=30, raised=(3,), papers=_TRIP),
        Example("twelve minutes late, a lead", {"speed_kmh": (40,) * 14}, every_s=10, raised=(11,), papers=_LATE),
        Example("no timetable", {"speed_kmh": (40,) * 14}, every_s=10, raised=()),
    ),
)  # fmt: skip
def bus_skipped_stop(batch: Enriched, limits: Limits, state: State) -> Found:
    """A bus passes a stop of its trip, in the trip's direction, and did not stop there.

    Fixes are the vehicle's accepted ones. Parameters are those of b of the pair (a, b) that is looked at, unless said
    otherwise.

    **Plane.** Around a stop, east = (lon − lon_stop) · cos(lat_stop) · M and north = (lat − lat_stop) · M [m], with
    M = 6 371 008.8 · π / 180 a degree, in doubles. For a pair the *share* of the way nearest to the stop is
    −(A·W)/(W·W), where A is a's place and W the way from a to b (0 where W has no length); the way's distance from the
    stop is that of the point at the share cut to [0, 1].

    **Due.** For b, the calls (a trip at a stop) of the vehicle's trips of any service day whose departure lies in
    [t_b − ``late_ms``, t_b + ``early_ms``] (these two count for 7 200 000 at most), without the first and the last of
    the trip and those on request (of the stop or of the call). A call without a time departs, in equal steps by place
    in the trip between the departure of the timed call before it and the arrival of the one behind it, rounded down
    to ms. The direction of a call is the way from the stop before it in the trip to the one behind it, in the plane
    of its own stop's latitude.

    **Passing.** A pair with 0 < Δt ≤ ``gap_ms`` and D > 0 that does not jump passes a stop with a due call if
    0 < share ≤ 1, the way's distance ≤ ``pass_m``, and the way and the call's direction have a scalar product > 0. Of
    several due calls at one stop the one whose departure is nearest to t_pass = t_a + ⌊share · Δt⌋ counts (of equal
    ones as in `schedule_irregularity`). Only where the kind applies to b, and no ``dispatch`` and no ``detour`` permit
    holds for the vehicle at t_b.

    **Where it may have stopped.** *Slow* is below ``slow_kmh``. `halt` is the latest of these, nothing at first:

    - first fix, Δt > ``gap_ms`` or a jump: nothing is pending any more; `halt` is the pair's whole way (nothing, for a
      vehicle's first fix); all fixes before count no longer as moving. Then, as for any fix, the next line.
    - a door is open at b (status given, any of its bits 13-17), or b is slow and the last fix that was not slow lies
      ≥ ``hold_ms`` before t_b, or there is none: `halt` is b's place.
    - neither, b not slow, a slow, and the last fix that was not slow lies ≥ ``hold_ms`` before t_b or there is none:
      `halt` is a's place.
    - neither, neither slow: if a stop takes no longer than Δt, `halt` is the pair's whole way. A stop takes
      ``hold_ms`` + 1000 · (v_a/β + v_b/α + max(0, D/10 − v_a²/2β − v_b²/2α)/v_max) ms; speeds in m/s (km/h ÷ 3.6),
      β ``brake_mps2`` and α ``pull_mps2``, 0.1 at least, v_max the greatest of ``most_kmh``, v_a, v_b, 1 km/h.

    **Judged**, at each b, in this order. If a stop is pending: where `halt` was set at this fix (not by the first line
    above) and lies within the ``serve_m`` (of the passing's b) of it, it is served; else, where b lies farther from it
    than that, it is skipped: raised at b. Then the stops that the pair passes, by share, then by the timetable's order
    of the trips and of the calls in them: where `halt` lies within ``serve_m``, it is served and whatever was pending
    is dropped; else it is skipped at once if b lies farther from it than ``serve_m``, or becomes the one that is
    pending, in the place of any other, which is dropped. Another passing of the very call (stop, trip, departure) that
    became pending last, or was skipped at once, is passed over: a way that bends passes a stop twice. At a fix at which
    the kind does not apply all is forgotten; the pair behind it is one like others.

    `begins_ms` = `ends_ms` = t_pass, `raised_ms` = t_b of the fix at which it is raised, over at once; the place is
    the stop's. Severity 2; a lead where t_pass and the call's departure differ by more than ``sure_ms``, or the
    passing pair has Δt > ``sparse_ms``. ``late_s`` = ⌊(t_pass − departure)/1000⌋, ``distance_m`` the way's distance,
    ``least_kmh`` the lesser speed of the passing pair's fixes.

    Parameters
    ----------
    batch : Enriched, (n,)
    limits : Limits
    state : structured array of ``SKIPS``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``NAMED``, (m,)

    Source: regulation §4, V34.
    """
    when = (batch.paper("permits", "dispatch") < 0) & (batch.paper("permits", "detour") < 0)
    rows = skipped(batch, when, limits, state)
    timetable = batch.around.registry.timetable
    found: Found = np.zeros(len(rows), NAMED)
    for name in SKIPPED.names or ():
        found[name] = rows[name]
    for one, stop, trip in zip(found, rows["stop"].tolist(), rows["trip"].tolist(), strict=True):
        if stop in timetable.stop_of:
            one["stop_name"] = timetable.stop_of[stop].name or timetable.stop_of[stop].id
        if trip in timetable.trip_of:
            one["trip_name"], one["route"] = timetable.trip_of[trip]
    return found
