"""V15: places that no vehicle reaches, again and again."""

from typing import Any

import numpy as np

from detectors.days import Day, whole_day
from detectors.found import SHOWN, Found
from detectors.instant import NO_STATE, at_once
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words

DRIFTING_DAY = np.dtype([*SHOWN, ("drift", "i4")], align=True)
"""A day's drift: pairs of located fixes that jump."""

_AWAY = tuple(87.3 + 0.5 * (fix % 2) for fix in range(6))


def _measures(row: Any) -> dict[str, object]:
    """Pairs that jump."""
    return {"drift_pairs": int(row["drift"])}


@kind(
    code="V15",
    zh="定位漂移",
    en="Drifting positions",
    classes="LCH",
    severity=Severity.NOTICE,
    clause="《道路运输车辆动态监督管理工作考核评分办法》（2016）漂移车辆率（条款号待核实） "
    "(Assessment Rules for Dynamic Supervision 2016, drifting vehicles, number unverified)",
    limits={"drift_points": 5},
    state=NO_STATE,
    scope="day",
    measures=_measures,
    why=Why(
        measured=Words("全天出现 {drift_pairs} 次位置跳变。", "The position jumped {drift_pairs} times that day."),
        limit=Words(
            "相邻定位点相距超过500米且隐含车速超过200 km/h 的为一次跳变；全天达 {drift_points} 次即构成。",
            "Two located fixes more than 500 m apart that no vehicle connects (above 200 km/h) are a jump; "
            "{drift_points} in a day are enough.",
        ),
        clears=Words(
            "检修终端或天线，使全天跳变少于 {drift_points} 次。",
            "A terminal and an aerial in order: fewer than {drift_points} jumps in the day.",
        ),
        sure=Words("由当日全部已定位的点对计算。", "Told by all pairs of located fixes of the day."),
    ),
    examples=(
        Example("there and back", {"speed_kmh": (0,) * 6, "lon": _AWAY}, every_s=30, raised=(6,)),
        Example("four times", {"speed_kmh": (0,) * 5, "lon": _AWAY[:5]}, every_s=30, raised=()),
        Example("a taxi", {"speed_kmh": (0,) * 6, "lon": _AWAY}, every_s=30, raised=(), kind="T"),
    ),
)
def position_drift(day: Day, limits: Limits, state: State) -> Found:  # noqa: ARG001 - nothing is kept
    """At least ``drift_points`` pairs of consecutive located fixes that jump, their later fix in the day.

    One episode a vehicle and day, 00:00 to 24:00, raised at 24:00 and over at once; severity 1, never a lead. Classes
    L C H; class, registration and parameters are those of the day's last millisecond.

    Parameters
    ----------
    day : Day, (v,)
        Reads ``drift``.
    limits : Limits
        ``drift_points``.

    Returns
    -------
    Found of ``DRIFTING_DAY``, (m,)

    Source: rulebook §2, §5, §6.
    """
    often = day.sheets["drift"] >= limits.at("drift_points")
    rows = np.flatnonzero(limits.applies & often)
    return at_once(whole_day(day, rows, Severity.NOTICE, DRIFTING_DAY))
