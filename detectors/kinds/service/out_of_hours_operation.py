"""V23: a scheduled vehicle is driven outside the hours of its timetable."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.reminders import moment_text
from detectors.tallies import COUNTED, TALLY, tally
from detectors.why import Why, Words
from ingest.batch import Bool, Int64
from ingest.timetable import day_of

_TRIPS = {
    "stops": (
        {"stop": "A", "lon": "87.3", "lat": "44.0"},
        {"stop": "B", "lon": "87.3", "lat": "44.1"},
    ),
    "trips": ({"trip": "T", "route": "1"},),
    "stop_times": (
        {"trip": "T", "order": "1", "stop": "A", "arrives": "09:00"},
        {"trip": "T", "order": "2", "stop": "B", "arrives": "09:30"},
    ),
}
_SUNDAYS = {**_TRIPS, "trips": ({"trip": "T", "route": "1", "days": "7"},)}
_ORDERED = {**_TRIPS, "permits": ({"permit": "dispatch", "valid_to": "2026-03-02"},)}
_LATE = {
    **_TRIPS,
    "stop_times": (
        {"trip": "T", "order": "1", "stop": "A", "arrives": "23:00"},
        {"trip": "T", "order": "2", "stop": "B", "arrives": "24:10"},
    ),
}


def _measures(row: Any) -> dict[str, object]:
    """What was driven outside the hours, and the day's first departure and last arrival."""
    return {
        "distance_m": int(row["distance_dm"]) / 10,
        "drive_s": int(row["drive_ms"]) / 1000,
        "first_departure": moment_text(int(row["who"])),
        "last_arrival": moment_text(int(row["ended_ms"])),
    }


@kind(
    code="V23",
    zh="非营运时段运行",
    en="Driven outside the hours of service",
    classes="BL",
    severity=Severity.NOTICE,
    clause="《城市公共汽车和电车客运管理规定》第二十七条（条款号待核实）；《道路旅客运输及客运站管理规定》"
    "（条款号待核实） (Urban Bus and Trolleybus Passenger Transport Rules art. 27, number unverified; Road Passenger "
    "Transport and Stations Rules, number unverified)",
    limits={**COUNTED, "open_dm": 20_000, "before_ms": 1_800_000, "after_ms": 3_600_000},
    state=TALLY,
    sparse=True,
    measures=_measures,
    why=Why(
        measured=Words(
            "当日时刻表首班发车 {first_departure}，末班到达 {last_arrival}；在此营运时段以外行驶 {distance_m}，历时 "
            "{drive_s}。",
            "The vehicle's first departure of the day is at {first_departure}, its last arrival at {last_arrival}; "
            "outside these hours it was driven for {distance_m} in {drive_s}.",
        ),
        limit=Words(
            "营运时段取自时刻表：首班发车前 {before_ms} 至末班到达后 {after_ms}；一日内在此以外行驶超过 {open_dm} "
            "即构成。",
            "The hours come from the timetable: from {before_ms} before the first departure to {after_ms} behind the "
            "last arrival; more than {open_dm} of driving outside them in one day is enough.",
        ),
        clears=Words(
            "在营运时段以外行驶不超过 {open_dm}；或持有当时有效的调度指令（补录亦可），即不构成。",
            "No more than {open_dm} outside the hours; or a dispatch order that was valid then, also where it is "
            "handed in later.",
        ),
        sure=Words(
            "该车当日在时刻表中有班次；只计前后两个定位点均在营运时段以外的行驶，数据中断超过 {gap_ms} 的未计入。",
            "The timetable has trips for the vehicle on that day; only driving between two fixes outside the hours "
            "counts, gaps of data above {gap_ms} are left out.",
        ),
    ),
    tables=("permits",),
    examples=(
        Example("two kilometres too early", {"speed_kmh": (40,) * 10}, every_s=30, raised=(7,), papers=_TRIPS),
        Example("out to the first trip", {"speed_kmh": (40,) * 10}, every_s=30, raised=(), start="08:30:00",
                papers=_TRIPS),
        Example("home from the last", {"speed_kmh": (40,) * 10}, every_s=30, raised=(), start="10:25:30",
                papers=_TRIPS),
        Example("on after an hour", {"speed_kmh": (40,) * 10}, every_s=30, raised=(8,), start="10:30:00",
                papers=_TRIPS),
        Example("no trips that day", {"speed_kmh": (40,) * 10}, every_s=30, raised=(), papers=_SUNDAYS),
        Example("by order", {"speed_kmh": (40,) * 10}, every_s=30, raised=(), papers=_ORDERED),
        Example("home behind midnight", {"speed_kmh": (40,) * 40}, every_s=120, raised=(38,), start="23:59:00",
                papers=_LATE),
        Example("no timetable", {"speed_kmh": (40,) * 10}, every_s=30, raised=()),
    ),
)  # fmt: skip
def out_of_hours_operation(batch: Enriched, limits: Limits, state: State) -> Found:
    """More than 2 km driven in one Beijing day outside the hours of the vehicle's trips.

    The condition at a fix of time t, on Beijing day d: the kind applies; the vehicle has a trip on service day d; for
    none of the service days s = d − 2 to d + 1 on which it has trips lies t in [first(s) − ``before_ms``, last(s) +
    ``after_ms``], where first(s) is the earliest departure from a first stop and last(s) the latest arrival at a last
    stop of its trips of s; and no ``dispatch`` permit holds for it at t. Both parameters are those of the fix. A
    vehicle without a trip on d, or without a timetable, raises nothing.

    Which pairs count, begin, raise and end: see `tallies.tally` (channel 1, ``open_dm``). Severity 1, never a lead.
    ``first_departure`` and ``last_arrival`` are first(d) and last(d), d being the day of the first counted b.

    Parameters
    ----------
    batch : Enriched, (n,)
    limits : Limits
        See `tallies.tally`.
    state : structured array of ``TALLY``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``TALLIED``, (m,)

    Source: regulation §4, V23.
    """
    n = len(batch)
    outside: Bool = np.zeros(n, np.bool_)
    first: Int64 = np.zeros(n, np.int64)
    last: Int64 = np.zeros(n, np.int64)
    timetable = batch.around.registry.timetable
    before_ms, after_ms = (limits.at(name) for name in ("before_ms", "after_ms"))
    own = timetable.rows(batch.vehicle)
    runs = np.flatnonzero(limits.applies & (own >= 0))
    day = day_of(batch.time_ms[runs])
    for one in np.unique(day).tolist():
        at = runs[day == one]
        row, time_ms = own[at], batch.time_ms[at]
        spans = [timetable.served(service) for service in range(one - 2, one + 2)]
        within = np.zeros(len(at), np.bool_)
        for begin, end in spans:
            within |= (time_ms >= begin[row] - before_ms[at]) & (time_ms <= end[row] + after_ms[at])
        first[at], last[at] = spans[2][0][row], spans[2][1][row]
        outside[at] = ~within & (first[at] <= last[at])
    outside &= batch.paper("permits", "dispatch") < 0
    what = outside.astype(np.uint8)
    return tally(batch, what, limits, state, grade=what, ended_ms=last, whose=first).found
