"""V14: too much of a day's track is missing."""

from typing import Any

import numpy as np

from detectors.days import Day, whole_day
from detectors.found import SHOWN, Found
from detectors.instant import NO_STATE, at_once
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words

INCOMPLETE_DAY = np.dtype([*SHOWN, ("continuous_dm", "i8"), ("incomplete_dm", "i8")], align=True)
"""A day's track: distance that is continuous, and distance that is not [dm]."""


def _measures(row: Any) -> dict[str, object]:
    """Length of the track and of its incomplete part [m], share that is continuous."""
    continuous, incomplete = int(row["continuous_dm"]), int(row["incomplete_dm"])
    return {
        "distance_m": (continuous + incomplete) / 10,
        "incomplete_m": incomplete / 10,
        "continuous_ratio": continuous / (continuous + incomplete) if continuous + incomplete else 0.0,
    }


@kind(
    code="V14",
    zh="轨迹不完整",
    en="Incomplete track",
    classes="LCH",
    severity=Severity.NOTICE,
    clause="《道路运输车辆动态监督管理工作考核评分办法》（2016）轨迹完整率（条款号待核实） "
    "(Assessment Rules for Dynamic Supervision 2016, track completeness, number unverified)",
    limits={"least_dm": 100_000, "complete_ratio": 0.95},
    state=NO_STATE,
    scope="day",
    measures=_measures,
    why=Why(
        measured=Words(
            "全天轨迹 {distance_m}，其中不完整 {incomplete_m}，连续部分占 {continuous_ratio}。",
            "A track of {distance_m} that day, {incomplete_m} of it incomplete: {continuous_ratio} is continuous.",
        ),
        limit=Words(
            "轨迹不少于 {least_dm} 的车辆，连续部分应不低于 {complete_ratio}；相邻定位点间隔超过5分钟且距离超过2公里的"
            "为不完整，漂移点对不计。",
            "Of a track of at least {least_dm}, {complete_ratio} must be continuous; two located fixes more than 5 "
            "minutes and more than 2 km apart are incomplete, drift does not count.",
        ),
        clears=Words(
            "盲区数据补传；或终端按规定间隔上传，连续部分达 {complete_ratio}。",
            "Sending what the blind areas swallowed; or a terminal that reports in time, so that {complete_ratio} is "
            "continuous.",
        ),
        sure=Words(
            "由当日全部已定位的点对计算；补传数据在重新日结时计入。",
            "Told by all pairs of located fixes of the day; what is sent later counts when the day is closed again.",
        ),
    ),
    examples=(
        Example("every pair is incomplete", {"speed_kmh": (100,) * 6}, every_s=400, raised=(6,)),
        Example("every pair is continuous", {"speed_kmh": (100,) * 20}, every_s=60, raised=()),
        Example("less than ten kilometres", {"speed_kmh": (30,) * 4}, every_s=400, raised=()),
        Example("a taxi", {"speed_kmh": (100,) * 6}, every_s=400, raised=(), kind="T"),
    ),
)
def track_gap(day: Day, limits: Limits, state: State) -> Found:  # noqa: ARG001 - nothing is kept
    """Continuous + incomplete ≥ ``least_dm`` and continuous < ``complete_ratio`` × (continuous + incomplete).

    Distances are those of pairs of consecutive located fixes whose later fix lies in the day; a pair that jumps counts
    for neither. The product is one of doubles. One episode a vehicle and day, 00:00 to 24:00, raised at 24:00 and over
    at once; severity 1, never a lead. Classes L C H; class, registration and parameters are those of the day's last
    millisecond.

    Parameters
    ----------
    day : Day, (v,)
        Reads ``continuous_dm`` and ``incomplete_dm``.
    limits : Limits
        ``least_dm``, ``complete_ratio``.

    Returns
    -------
    Found of ``INCOMPLETE_DAY``, (m,)

    Source: rulebook §2, §5, §6.
    """
    continuous, incomplete = day.sheets["continuous_dm"], day.sheets["incomplete_dm"]
    total = continuous + incomplete
    long = total >= limits.at("least_dm")
    thin = continuous < limits.at("complete_ratio") * total
    rows = np.flatnonzero(limits.applies & long & thin)
    return at_once(whole_day(day, rows, Severity.NOTICE, INCOMPLETE_DAY))
