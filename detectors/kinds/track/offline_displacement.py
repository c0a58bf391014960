"""V12: somewhere else after a silence."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import SHOWN, Found
from detectors.instant import NO_STATE, at_once
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words

DISPLACED = np.dtype(
    [
        *SHOWN,
        ("gap_ms", "i8"),
        ("distance_dm", "i8"),
        ("least_gap_ms", "i8"),
        ("beyond_dm", "i8"),
        ("provisional", "u1"),
    ],
    align=True,
)
"""A silence, with the distance between the fixes before and after it, and the limits of both [ms], [dm].

provisional : fixes may still come that close it
"""


def _measures(row: Any) -> dict[str, object]:
    """Length of the silence [s], distance [m], their limits; provisional until the day is closed."""
    return {
        "gap_s": int(row["gap_ms"]) / 1000,
        "distance_m": int(row["distance_dm"]) / 10,
        "limit_gap_s": int(row["least_gap_ms"]) / 1000,
        "limit_distance_m": int(row["beyond_dm"]) / 10,
        "provisional": bool(row["provisional"]),
    }


def _facts(measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, float]:  # noqa: ARG001
    """The speed that the straight line takes [km/h]."""
    return {"implied_kmh": 3.6 * measures["distance_m"] / measures["gap_s"]}


@kind(
    code="V12",
    zh="离线位移",
    en="Moved while silent",
    classes="LCHF",
    severity=Severity.SERIOUS,
    clause="《道路运输车辆动态监督管理办法》第二十六条、第三十六条 "
    "(Measures for Dynamic Supervision of Road Transport Vehicles arts. 26 and 36)",
    limits={
        "least_gap_ms": 1_800_000,
        "beyond_dm": 200_000,
        "hazmat_least_gap_ms": 1_200_000,
        "hazmat_beyond_dm": 50_000,
        "doubtful_ms": 86_400_000,
    },
    state=NO_STATE,
    measures=_measures,
    why=Why(
        measured=Words(
            "中断 {gap_s} 无有效定位，恢复时位置已移动 {distance_m}（直线，合 {implied_kmh}）。",
            "No accepted fix for {gap_s}; the vehicle was {distance_m} away when it was heard again (as the crow "
            "flies, {implied_kmh}).",
        ),
        limit=Words(
            "本车型中断不少于 {limit_gap_s} 且移动超过 {limit_distance_m} 即构成；隐含车速超过200 km/h "
            "的位置跳变不计。",
            "For a vehicle of this class a silence of at least {limit_gap_s} with more than {limit_distance_m} is "
            "enough; places that no vehicle reaches (above 200 km/h) do not count.",
        ),
        clears=Words(
            "盲区数据补传后该时段有连续定位，日结时撤销；或车辆终端全程在线，即不构成。",
            "Fixes sent after the blind area that close the hole: the closing of the day withdraws it. Or a terminal "
            "that stays on line.",
        ),
        sure=Words(
            "由中断前后两个有效定位点计算；日结前为暂定。",
            "Told by the accepted fixes before and after the silence; provisional until the day is closed.",
        ),
        doubt=Words(
            "中断超过 {doubtful_ms}，可能为停运、维修或托运，不能认定为行驶。",
            "The silence is longer than {doubtful_ms}: the vehicle may have been laid up or carried.",
        ),
        facts=_facts,
    ),
    examples=(
        Example("half an hour and 50 km", {"speed_kmh": (100, 100)}, every_s=1_800, raised=(1,)),
        Example("18 km in half an hour", {"speed_kmh": (36, 36)}, every_s=1_800, raised=()),
        Example("29 minutes", {"speed_kmh": (100, 100)}, every_s=1_740, raised=()),
        Example("hazardous goods, 20 minutes", {"speed_kmh": (20, 20)}, every_s=1_200, raised=(1,), kind="H"),
        Example("a jump", {"speed_kmh": (0, 0), "lon": (87.3, 97.3)}, every_s=1_800, raised=()),
    ),
)
def offline_displacement(batch: Enriched, limits: Limits, state: State) -> Found:  # noqa: ARG001 - nothing is kept
    """A pair of accepted fixes with Δt ≥ ``least_gap_ms`` and D > ``beyond_dm``: one episode each.

    Of class H ``hazmat_least_gap_ms`` and ``hazmat_beyond_dm`` stand for them. Classes L C H F; class, registration and
    parameters are those of the pair's later fix. ``begins_ms`` = t_a, ``raised_ms`` = ``ends_ms`` =
    t_b; over at once. The place is that of the earlier fix. Severity 3, of class H at the later fix 4; where
    Δt > ``doubtful_ms`` a lead, at most 2. A pair that jumps has D = 0. ``provisional`` is true online, false where a
    second pass finds it: back-filled fixes may close the hole until then.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``dt_ms``, ``distance_dm``.
    limits : Limits
        ``least_gap_ms``, ``beyond_dm``, the two of class H, ``doubtful_ms``.

    Returns
    -------
    Found of ``DISPLACED``, (m,)

    Source: rulebook §5, §6.
    """
    shortest_ms = min(int(limits.parameter(name).min()) for name in ("least_gap_ms", "hazmat_least_gap_ms"))
    rows = np.flatnonzero(batch.dt_ms >= shortest_ms)
    sets, hazmat = limits.index[rows], batch.of_class("H")[rows]
    least_gap_ms, beyond_dm = (
        np.where(hazmat, limits.parameter(f"hazmat_{name}")[sets], limits.parameter(name)[sets])
        for name in ("least_gap_ms", "beyond_dm")
    )
    held = limits.applies[rows] & (batch.dt_ms[rows] >= least_gap_ms) & (batch.distance_dm[rows] > beyond_dm)
    rows, sets, hazmat = rows[held], sets[held], hazmat[held]
    found: Found = np.zeros(len(rows), DISPLACED)
    found["vehicle"] = batch.vehicle[rows]
    found["begins_ms"] = batch.time_ms[rows] - batch.dt_ms[rows]
    found["raised_ms"] = found["ends_ms"] = batch.time_ms[rows]
    found["lon"], found["lat"] = batch.before_lon[rows], batch.before_lat[rows]
    found["lead"] = batch.dt_ms[rows] > limits.parameter("doubtful_ms")[sets]
    found["severity"] = np.where(found["lead"] == 1, 2, np.where(hazmat, 4, 3))
    found["gap_ms"], found["distance_dm"] = batch.dt_ms[rows], batch.distance_dm[rows]
    found["provisional"] = not batch.around.meanwhile.second
    found["least_gap_ms"], found["beyond_dm"] = least_gap_ms[held], beyond_dm[held]
    return at_once(found)
