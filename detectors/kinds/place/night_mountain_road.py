"""V10: a coach at night on a mountain road that is closed to coaches then."""

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.spans import SPAN, span, way_measures
from detectors.why import Why, Words

PASS = {"id": "M1", "kind": "no_night_road", "box": (87.29, 43.9, 87.31, 44.1)}

OLD_ROAD = {"id": "G216", "limit_kmh": 60, "tags": "no_night", "points": ((87.3, 43.9), (87.3, 44.1))}

NO_NIGHT = "no_night"
"""Tag of a road line that is closed to coaches at night."""


@kind(
    code="V10",
    zh="夜间通行禁行山区公路",
    en="On a mountain road at night",
    classes="LC",
    severity=Severity.SERIOUS,
    clause="《道路旅客运输企业安全管理规范》第三十八条第(四)项 (Passenger Transport Safety Norms art. 38(4))",
    limits={"moving_kmh": 5.0, "points": 3, "far_dm": 10_000, "gap_ms": 300_000, "merge_ms": 300_000},
    state=SPAN,
    sparse=True,
    measures=way_measures,
    fenced=lambda batch: batch.inside("no_night_road"),
    why=Why(
        measured=Words(
            "夜间在禁行山区公路行驶 {distance_m}。",
            "Driven for {distance_m} at night on a mountain road that is closed to coaches then.",
        ),
        limit=Words(
            "客运车辆22时至次日6时不得通行夜间禁行山区公路围栏 {fence}；车速达 {moving_kmh} 的定位点连续不少于 {points}"
            " 个，或行驶达 {far_dm}，即构成。",
            "From 22:00 to 06:00 coaches may not use the mountain road in fence {fence}; {points} fixes in a row at "
            "{moving_kmh} or more, or {far_dm} between them, are enough.",
        ),
        along=Words(
            "客运车辆22时至次日6时不得通行道路图中标注 no_night 的公路 {road}；匹配到该路、车速达 {moving_kmh} 的定位点"
            "连续不少于 {points} 个，或行驶达 {far_dm}，即构成。",
            "From 22:00 to 06:00 coaches may not use road {road}, which the map of roads tags no_night; {points} fixes "
            "in a row that were matched to it, at {moving_kmh} or more, or {far_dm} between them, are enough.",
        ),
        clears=Words(
            "在该时段不驶入；或少于 {points} 个定位点且不足 {far_dm}；或该路段并非夜间禁行公路，即不构成。",
            "Not using it at these hours; or fewer than {points} fixes and less than {far_dm}; or a road that is not "
            "closed at night.",
        ),
        sure=Words(
            "逐点与登记的禁行路段围栏精确比对，或按距离和方向与道路图匹配。",
            "Every fix was compared exactly with the road's fence on record, or matched to the map of roads by "
            "distance and heading.",
        ),
    ),
    examples=(
        Example("three fixes", {"speed_kmh": (60,) * 5}, every_s=10, raised=(2,), start="23:00:00", fences=(PASS,)),
        Example("a kilometre", {"speed_kmh": (70,) * 2}, every_s=60, raised=(1,), start="23:00:00", fences=(PASS,)),
        Example(
            "a road that is tagged",
            {"speed_kmh": (60,) * 6, "heading_deg": 0.0},
            every_s=10,
            raised=(3,),
            start="23:00:00",
            lines={"roads": (OLD_ROAD,)},
        ),
        Example(
            "a road that is not",
            {"speed_kmh": (60,) * 6, "heading_deg": 0.0},
            every_s=10,
            raised=(),
            start="23:00:00",
            lines={"roads": ({**OLD_ROAD, "tags": ""},)},
        ),
        Example("two fixes", {"speed_kmh": (60,) * 2}, every_s=10, raised=(), start="23:00:00", fences=(PASS,)),
        Example("by day", {"speed_kmh": (60,) * 9}, every_s=10, raised=(), start="12:00:00", fences=(PASS,)),
        Example("until six", {"speed_kmh": (60,) * 9}, every_s=10, raised=(), start="05:59:40", fences=(PASS,)),
        Example("it stands", {"speed_kmh": (4,) * 9}, every_s=10, raised=(), start="23:00:00", fences=(PASS,)),
        Example("a bus", {"speed_kmh": (60,) * 9}, every_s=10, raised=(), start="23:00:00", kind="B", fences=(PASS,)),
    ),
)
def night_mountain_road(batch: Enriched, limits: Limits, state: State) -> Found:
    """A coach moves on a mountain road that is closed at night: three fixes in a row, or a kilometre.

    Condition at a fix: class L or C; Beijing time in [22:00, 06:00); speed ≥ ``moving_kmh`` 5; inside a
    ``no_night_road`` fence for its class and time, or matched (`detectors.roads`) to a road line tagged ``no_night``.
    The rest is `detectors.spans`: ``points`` 3 or ``far_dm`` 10 000, each enough alone, no time, ``gap_ms`` 300 000,
    ``merge_ms`` 300 000. Severity 3, never a lead. Shown are the fence of the episode's first fix (of several the one
    with the least limit, none is 0, of equal ones the first in the file), where there is none its road, and the
    distance of its confirmed runs.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh``, fences and ``road``.
    limits : Limits
        See `spans.span`; ``moving_kmh``, looked up at each fix.
    state : structured array of ``SPAN``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``SPANNED``, (m,)

    Source: regulation §4, V10.
    """
    fence = batch.inside("no_night_road")
    road = np.where((fence < 0) & batch.around.roads.tagged(NO_NIGHT)[batch.road], batch.road, np.int32(-1))
    moving = batch.speed_kmh >= limits.at("moving_kmh")
    return span(
        batch,
        limits.applies & batch.at_night() & moving & ((fence >= 0) | (road >= 0)),
        limits,
        state,
        severity=np.full(len(batch), Severity.SERIOUS, np.uint8),
        fence=fence,
        road=road,
        either=True,
    )
