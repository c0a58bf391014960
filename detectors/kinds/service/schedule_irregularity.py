"""V33: a trip was not run as the timetable has it."""

from typing import Any

from detectors.days import Day
from detectors.found import Found
from detectors.instant import NO_STATE, at_once
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.punctuality import Irregularity, irregular
from detectors.reminders import moment_text
from detectors.why import Why, Words

_TRIP = {
    "stops": (
        {"stop": "A", "name": "甲站", "lon": "87.3", "lat": "44.0"},
        {"stop": "B", "name": "乙站", "lon": "87.3001", "lat": "44.01"},
        {"stop": "C", "name": "丙站", "lon": "87.3", "lat": "44.03"},
    ),
    "trips": ({"trip": "T", "route": "1"},),
    "stop_times": (
        {"trip": "T", "order": "1", "stop": "A", "arrives": "08:00"},
        {"trip": "T", "order": "2", "stop": "B", "arrives": "08:02"},
        {"trip": "T", "order": "3", "stop": "C", "arrives": "08:05"},
    ),
}
_SUNDAYS = {**_TRIP, "trips": ({"trip": "T", "route": "1", "days": "7"},)}
_ORDERED = {**_TRIP, "permits": ({"permit": "dispatch", "valid_from": "2026-03-02", "valid_to": "2026-03-02"},)}
_DRIVE = {"speed_kmh": (40,) * 34}


def _measures(row: Any) -> dict[str, object]:
    """What is wrong, at how many calls, at the worst of them by how much, where and when it was due; which trip."""
    what = Irregularity(int(row["irregularity"]))
    found: dict[str, object] = {
        "irregularity": what.name.lower(),
        "trip": str(row["trip_name"]),
        "route": str(row["route"]),
        "stop": str(row["stop_name"]),
        "due": moment_text(int(row["due_ms"])),
        "calls": int(row["calls"]),
        "deviation_s": int(row["deviation_ms"]) / 1000,
    }
    if what in (Irregularity.GAP, Irregularity.BUNCHING):
        found["planned_s"] = int(row["planned_ms"]) / 1000
    return found


@kind(
    code="V33",
    zh="班次异常",
    en="A trip not run as planned",
    classes="BL",
    severity=Severity.NOTICE,
    clause="《城市公共汽车和电车客运管理规定》第二十七条（条款号待核实）；《道路旅客运输及客运站管理规定》"
    "（条款号待核实） (Urban Bus and Trolleybus Passenger Transport Rules art. 27, number unverified; Road Passenger "
    "Transport and Stations Rules, number unverified)",
    limits={
        "early_ms": 60_000,
        "late_ms": 600_000,
        "bunch_ratio": 0.25,
        "gap_ratio": 2.0,
        "least_interval_ms": 240_000,
        "most_interval_ms": 3_600_000,
        "interval_calls": 3,
    },
    state=NO_STATE,
    scope="day",
    measures=_measures,
    why=Why(
        measured=Words(
            "线路 {route} 班次 {trip}：{irregularity}，涉及 {calls} 个站点；最甚处为站点 {stop}（应于 {due} 发车），偏"
            "差 {deviation_s}（脱班不计偏差）。",
            "Trip {trip} of route {route} was {irregularity}; {calls} stops are concerned, most of all {stop} (due at "
            "{due}), by {deviation_s} (a missed trip has no measure).",
        ),
        limit=Words(
            "时间取自时刻表：任一站点提前离开超过 {early_ms} 为提前，晚到超过 {late_ms} 为晚点，各站均未到达为脱班；同"
            "线路前后班次在不少于 {interval_calls} 个站点的间隔不足计划的 {bunch_ratio} 为串车，超过计划的 {gap_ratio} "
            "为大间隔。",
            "The timetable has the times: leaving a stop more than {early_ms} before its time is early, coming more "
            "than {late_ms} after it late, coming to none missed; less than {bunch_ratio} of the planned interval "
            "to the trip before on the route at {interval_calls} stops or more is too near, more than {gap_ratio} "
            "of it too far.",
        ),
        clears=Words(
            "按时刻表运行；或首站发车时持有有效的调度指令；或时刻表、行车任务更正后重新日结，即不构成。",
            "Running to the timetable; or a dispatch order that was valid at the first departure; or a timetable or a "
            "table of duties that is put right, when the day is closed again.",
        ),
        sure=Words(
            "提前以最后一次在站之后的定位点计，晚点以到站之前的定位点计，均有利于车辆；脱班的班次运行期间有定位。",
            "Early goes by the fix behind the last at the stop, late by the one before it came there, both in the "
            "vehicle's favour; during a missed trip there were fixes.",
        ),
        doubt=Words(
            "班次运行期间大部分时间没有定位，可能已运行而未上传。",
            "For most of the trip's time there are no fixes: it may have been run unseen.",
        ),
    ),
    tables=("permits",),
    examples=(
        Example("three minutes early", _DRIVE, every_s=10, raised=(34,), start="07:57:00", papers=_TRIP),
        Example("on time", _DRIVE, every_s=10, raised=(), start="08:00:10", papers=_TRIP),
        Example("nine minutes late", _DRIVE, every_s=10, raised=(), start="08:09:00", papers=_TRIP),
        Example("eleven minutes late", _DRIVE, every_s=10, raised=(34,), start="08:11:30", papers=_TRIP),
        Example("missed", {"speed_kmh": (0,) * 9, "lon": 87.4}, every_s=60, raised=(9,), start="07:58:00",
                papers=_TRIP),
        Example("missed or unseen, a lead", {"speed_kmh": (0,) * 9, "lon": 87.4}, every_s=60, raised=(9,),
                start="12:00:00", papers=_TRIP),
        Example("no trip on Mondays", {"speed_kmh": (0,) * 9}, every_s=60, raised=(), papers=_SUNDAYS),
        Example("by order", {"speed_kmh": (0,) * 9}, every_s=60, raised=(), papers=_ORDERED),
        Example("the other way", {"speed_kmh": (40,) * 34, "lat": tuple(44.03 - at * 0.001 for at in range(34))},
                every_s=10, raised=(34,), start="08:00:10", papers=_TRIP),
    ),
)  # fmt: skip
def schedule_irregularity(day: Day, limits: Limits, state: State) -> Found:  # noqa: ARG001 - nothing is kept
    """A trip of the day was missed, late, early, or too far from, or too near to, the trip before it.

    Judged are the trips that the timetable has, on the service day that is closed, for vehicles of the day that the
    kind applies to and of which some fix was accepted, unless a ``dispatch`` permit holds for the vehicle when the
    trip departs from its first stop. A *call* (a trip at a stop) is judged if its departure − 1 200 000 is not before
    00:00 and its departure + 3 600 000 not after 24:00. It is *timed* if the timetable has a time for it; one without
    has what lies evenly between its neighbours (see `bus_skipped_stop`).

    **Passages.** A pair of the vehicle's accepted fixes a, b with 0 < Δt ≤ 120 000 and D > 0 comes to the stop of a
    call if the way from a to b lies within 60 m of it and has a scalar product > 0 with the direction of the call
    (plane, distance and direction as in `bus_skipped_stop`; at the first stop the direction is that to the second, at
    the last that from the one before it). Looked for are the calls of the vehicle, of any service day, with departure
    in [t_b − 3 600 000, t_b + 1 200 000]; of several at one stop the pair belongs to the one whose departure is nearest
    to t_a + ⌊s · Δt⌋, s being the share cut to [0, 1] (of equal ones to that which departs first, then of the earlier
    service day, then the earlier call in the timetable's order of trips). Of all pairs of a call: *came* is the
    earliest t_a, *there* the earliest t_b, *left* the latest t_b; a call with none is *unknown*.

    **What is wrong**, the first of these:

    1. *missed*: the day is whole (see `Day.whole`), two or more calls of the trip are judged, and all of these are
       unknown.
    2. *late*: at a timed, judged, known call that is not the trip's first, came − arrival > ``late_ms``.
    3. *early*: at one that is not the trip's last, departure − left > ``early_ms``.
    4. *gap*: timed, judged calls that are not the last of their trip, at one stop of one route, of all trips of the
       service day and all vehicles (also of those that are not judged themselves), are put in order by departure, then
       by the timetable's order of trips, then by the vehicle's row. Where two consecutive ones are known, the later is
       behind the earlier by P as planned (difference of departures) and by A in truth (difference of *there*); it
       counts if ``least_interval_ms`` ≤ P ≤ ``most_interval_ms``. Gap where A > ``gap_ratio`` · P (in doubles) at
       ``interval_calls`` calls of the later trip or more, one at least.
    5. *bunching*: the same with A < ``bunch_ratio`` · P.

    One episode a trip and vehicle: `begins_ms` the departure from the first stop, `ends_ms` the arrival at the last, at
    most 24:00 (at least `begins_ms`), `raised_ms` 24:00; over at once. Of a vehicle's trips with equal begins only the
    first in the timetable. The place is the stop of the call with the greatest deviation (came − arrival, departure −
    left, A − P, P − A; of equal ones the earliest in the trip; of a missed trip the first judged call, deviation 0);
    ``calls`` is how many show it (of a missed trip: judged ones), ``due`` that call's departure, ``planned_s`` its P.

    Severity 1, of a missed trip 2. A missed trip is a lead if in less than half of the spans of 600 000 ms of epoch
    time that [departure of its first, arrival of its last judged call] touches, both ends included, a fix of the
    vehicle was accepted. Parameters are those of the trip's vehicle in the day's last millisecond.

    Parameters
    ----------
    day : Day, (v,)
    limits : Limits

    Returns
    -------
    Found of ``IRREGULAR``, (m,)

    Source: regulation §4, V33.
    """
    return at_once(irregular(day, limits))
