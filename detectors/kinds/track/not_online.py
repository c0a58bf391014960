"""V13: a vehicle that was to be on line, and was not heard of all day."""

from functools import reduce
from typing import Any

import numpy as np

from detectors.days import Day, whole_day
from detectors.found import SHOWN, Found
from detectors.instant import at_once
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.moment import DAY_MS

SCHEDULES = ("waybills", "charters", "assignments", "roster", "duties")
"""Tables whose rows say that a vehicle is to run."""

ABSENT = np.dtype([("day_ms", "i8"), ("days", "i4")], align=True)
"""The last day on which it was raised, and how many days in a row that was."""

ABSENT_DAY = np.dtype([*SHOWN, ("days", "i4")], align=True)
"""An absence, and which day in a row it is."""

_STANDS = {"speed_kmh": (0, 0)}
_NEXT_DAY = {"valid_from": "2026-03-03", "valid_to": "2026-03-03"}


def _measures(row: Any) -> dict[str, object]:
    """Which day in a row it is."""
    return {"days": int(row["days"])}


@kind(
    code="V13",
    zh="应上线未上线",
    en="Not on line though scheduled",
    classes="LCHBTF",
    severity=Severity.NOTICE,
    clause="《道路运输车辆动态监督管理办法》第二十六条 "
    "(Measures for Dynamic Supervision of Road Transport Vehicles art. 26)",
    limits={"scheduled_ms": 3_600_000, "heard_ratio": 0.5, "graver_points": 3},
    state=ABSENT,
    scope="day",
    measures=_measures,
    tables=("status",),
    why=Why(
        measured=Words(
            "当日应运行的车辆全天未上传任何数据，连续第 {days} 天。",
            "A vehicle that was to run sent nothing all day; day {days} in a row.",
        ),
        limit=Words(
            "当日有不少于 {scheduled_ms} 的电子运单、包车备案、线路配车、排班或行车任务的在册营运车辆应上线；连续 "
            "{graver_points} 天起为一般。",
            "A registered vehicle in service with a waybill, charter sheet, route, crew or duty for {scheduled_ms} of "
            "the day must be on line; from {graver_points} days in a row it is general.",
        ),
        clears=Words(
            "当日上传数据；或登记报停等状态；或当日无运行安排。",
            "Sending anything that day; a registered suspension; or nothing scheduled.",
        ),
        sure=Words(
            "当日全部车辆中不少于 {heard_ratio} 有数据，平台接收正常。",
            "At least {heard_ratio} of all vehicles were heard of that day: the platform was receiving.",
        ),
    ),
    examples=(
        Example("a waybill for the next day", _STANDS, 30, (2,), kind="H", papers={"waybills": (_NEXT_DAY,)}),
        Example("nothing scheduled", _STANDS, 30, ()),
        Example(
            "laid up",
            _STANDS,
            every_s=30,
            raised=(),
            kind="H",
            papers={"waybills": (_NEXT_DAY,), "status": ({"status": "suspended", **_NEXT_DAY},)},
        ),
        Example(
            "half an hour of the day",
            _STANDS,
            every_s=30,
            raised=(),
            kind="H",
            papers={"waybills": ({"valid_from": "2026-03-03T23:30:00", "valid_to": "2026-03-04T00:00:00"},)},
        ),
    ),
)
def not_online(day: Day, limits: Limits, state: State) -> Found:
    """A scheduled vehicle of which no fix was received in the day, whatever the gate might have said of it.

    Accused is a vehicle of class L C H B T F (in the day's last millisecond; registered, of one of these classes, in
    its first as well) of which no fix belongs to the day (see V17 for whose day a fix is), of which no row of
    ``status`` holds at any time of the day, and of which some one row of ``waybills``, ``charters``, ``assignments``,
    ``roster`` or ``duties`` holds for at least ``scheduled_ms`` within the day.

    Absence is only known for days that the input covers: some vehicle's located fix came before the day's 01:00 (that
    day or earlier), some came at its 23:00 or later (that day or later), by their receipts where known, else by their
    own times; and of all vehicles of which a fix was ever accepted in the input, at least ``heard_ratio`` have an
    accepted fix in the day: where fewer have, the platform failed. Days on which nothing was received are not judged.

    One episode a vehicle and day, 00:00 to 24:00, raised at 24:00 and over at once. Severity 1; 2 from the
    ``graver_points``-th calendar day in a row on which it is raised. Never a lead. No place, unless the sheet has one.
    Parameters are those of the day's last millisecond.

    Parameters
    ----------
    day : Day, (v,)
        Reads ``received``, papers, and what the input covers.
    limits : Limits
        ``scheduled_ms``, ``heard_ratio``, ``graver_points``.
    state : structured array of ``ABSENT``, (vehicles,)
        Changed in place.

    Returns
    -------
    Found of ``ABSENT_DAY``, (m,)

    Source: rulebook §1, regulation §4.
    """
    least_ms = limits.at("scheduled_ms")
    scheduled = reduce(np.logical_or, [day.papers(table, least_ms) for table in SCHEDULES])
    in_service = ~day.papers("status", np.zeros(len(day), np.int64)) & day.of_class("LCHBTF", day.first_entry)
    covered = day.whole & (day.heard_ratio >= limits.at("heard_ratio"))
    rows = np.flatnonzero(limits.applies & covered & in_service & scheduled & (day.sheets["received"] == 0))
    found = whole_day(day, rows, Severity.NOTICE, ABSENT_DAY)
    own = state[found["vehicle"]]
    days = np.where((own["days"] > 0) & (own["day_ms"] == day.day_ms - DAY_MS), own["days"] + 1, 1)
    state["days"][found["vehicle"]], state["day_ms"][found["vehicle"]] = days, day.day_ms
    found["days"] = days
    found["severity"] = np.where(days >= limits.parameter("graver_points")[limits.index[rows]], 2, 1)
    return at_once(found)
