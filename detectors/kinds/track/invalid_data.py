"""V17: too many records of a day that are none."""

from typing import Any

import numpy as np

from detectors.days import FLAWS, Day, whole_day
from detectors.found import SHOWN, Found
from detectors.instant import NO_STATE, at_once
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words

_COUNTED = ("received", "unqualified", *(f"{flaw}_flaws" for flaw in FLAWS))

INVALID_DAY = np.dtype([*SHOWN, *((name, "i4") for name in _COUNTED)], align=True)
"""A day's records: received, unqualified, and unqualified by each flaw."""


def _measures(row: Any) -> dict[str, object]:
    """Records received, unqualified, and their share; unqualified by flaw, where one may have several."""
    counts = {name: int(row[name]) for name in _COUNTED}
    return {**counts, "unqualified_ratio": counts["unqualified"] / max(1, counts["received"])}


@kind(
    code="V17",
    zh="数据不合格",
    en="Invalid data",
    classes="LCHBTF",
    severity=Severity.NOTICE,
    clause="《道路运输车辆动态监督管理工作考核评分办法》（2016）数据合格率（条款号待核实） "
    "(Assessment Rules for Dynamic Supervision 2016, qualified data, number unverified)",
    limits={"received_points": 20, "unqualified_most_ratio": 0.05},
    state=NO_STATE,
    scope="day",
    measures=_measures,
    why=Why(
        measured=Words(
            "全天收到 {received} 条记录，其中 {unqualified} 条不合格，占 {unqualified_ratio}：时间 {time_flaws}、"
            "经纬度 {place_flaws}、速度 {speed_flaws}、方向 {heading_flaws}、海拔 {altitude_flaws}（一条可有多处）。",
            "{received} records came that day, {unqualified} of them unqualified ({unqualified_ratio}): time "
            "{time_flaws}, place {place_flaws}, speed {speed_flaws}, heading {heading_flaws}, altitude "
            "{altitude_flaws} (one may have several flaws).",
        ),
        limit=Words(
            "收到不少于 {received_points} 条的，不合格记录应不超过 {unqualified_most_ratio}；缺失、不可读或超出允许范围"
            "的，以及速度超过160 km/h 的，为不合格。",
            "Of {received_points} records or more at most {unqualified_most_ratio} may be unqualified: missing, "
            "unreadable or out of range, or faster than 160 km/h.",
        ),
        clears=Words(
            "检修终端，使不合格记录不超过 {unqualified_most_ratio}。",
            "A terminal in order: at most {unqualified_most_ratio} unqualified.",
        ),
        sure=Words(
            "逐条核对当日收到的全部记录，不论是否参与其他判定。",
            "Every record received that day was looked at, whatever else became of it.",
        ),
    ),
    examples=(
        Example("two of twenty above 160", {"speed_kmh": (170,) * 2 + (60,) * 18}, every_s=10, raised=(20,)),
        Example("one of twenty is five per cent", {"speed_kmh": (170,) + (60,) * 19}, every_s=10, raised=()),
        Example("nineteen records", {"speed_kmh": (170,) * 2 + (60,) * 17}, every_s=10, raised=()),
    ),
)
def invalid_data(day: Day, limits: Limits, state: State) -> Found:  # noqa: ARG001 - nothing is kept
    """Received ≥ ``received_points`` and unqualified > ``unqualified_most_ratio`` × received (a product of doubles).

    All fixes received count, whatever the gate said of them; unqualified are those of the gate's step 1 and those above
    160 km/h. A fix belongs to the Beijing day of its own time, whatever that is; without a usable one (missing or
    unreadable) to the day of its receipt; without that, to the day of the vehicle's last located fix before it in
    arrival order; without that, to none. One episode a vehicle and day, 00:00 to 24:00, raised at 24:00 and over at
    once; severity 1, never a lead. All classes; class, registration and parameters are those of the day's last
    millisecond.

    Parameters
    ----------
    day : Day, (v,)
        Reads ``received``, ``unqualified`` and the flaws.
    limits : Limits
        ``received_points``, ``unqualified_most_ratio``.

    Returns
    -------
    Found of ``INVALID_DAY``, (m,)

    Source: rulebook §5, §6.
    """
    received, unqualified = day.sheets["received"], day.sheets["unqualified"]
    enough = received >= limits.at("received_points")
    many = unqualified > limits.at("unqualified_most_ratio") * received
    rows = np.flatnonzero(limits.applies & enough & many)
    return at_once(whole_day(day, rows, Severity.NOTICE, INVALID_DAY))
