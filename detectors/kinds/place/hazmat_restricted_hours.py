"""V21: hazardous goods on a road that is closed to them at this hour."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.places import unpassed
from detectors.spans import SPAN, span, way_measures
from detectors.why import Why, Words
from ingest.moment import BEIJING_MS, DAY_MS, HOUR_MS

ROAD = {"id": "G1", "kind": "hazmat_restricted", "box": (87.29, 43.9, 87.31, 44.1)}


def _clock(ms: float) -> str:
    """A time of the day, like 06:00."""
    hours, rest = divmod(int(ms), HOUR_MS)
    return f"{hours:02d}:{rest // 60_000:02d}"


def _window(measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, float | str]:  # noqa: ARG001
    """The hours as clocks show them."""
    return {"from_clock": _clock(parameters["from_ms"]), "to_clock": _clock(parameters["to_ms"])}


@kind(
    code="V21",
    zh="危货限时段行驶",
    en="Hazardous goods at restricted hours",
    classes="H",
    severity=Severity.SERIOUS,
    clause="《危险货物道路运输安全管理办法》第五十条（条款号待核实） "
    "(Measures on Road Transport of Dangerous Goods art. 50, number unverified)",
    limits={"from_ms": 0, "to_ms": 21_600_000, "moving_kmh": 5.0, "points": 3, "gap_ms": 300_000, "merge_ms": 300_000},
    state=SPAN,
    sparse=True,
    measures=way_measures,
    tables=("permits",),
    fenced=lambda batch: unpassed(batch, "hazmat_restricted", "restricted_hours"),
    why=Why(
        measured=Words(
            "危险货物运输车辆在限时通行路段围栏 {fence} 之内行驶，其间行驶 {distance_m}。",
            "A vehicle that carries hazardous goods was driven inside {fence}, a road with restricted hours, for "
            "{distance_m}.",
        ),
        limit=Words(
            "路段围栏 {fence} 每日 {from_clock} 至 {to_clock} 禁止危险货物运输车辆通行；车速达 {moving_kmh} 的定位点连"
            "续不少于 {points} 个即构成。",
            "On {fence} vehicles that carry hazardous goods may not run from {from_clock} to {to_clock}; {points} "
            "fixes in a row at {moving_kmh} or more are enough.",
        ),
        clears=Words(
            "在限行时段之外通行；或少于 {points} 个定位点；或当时持有该路段（或不限路段）的限时段通行证，事后补录的亦"
            "可，即不构成。",
            "Running at other hours; or fewer than {points} fixes; or a permit for restricted hours that held then, "
            "for this road or for all, also one that is handed in later.",
        ),
        sure=Words(
            "定位点与围栏边界逐点精确比对，登记的通行证已核对。",
            "Every fix was compared exactly with the fence's boundary, and the permits on record were looked at.",
        ),
        facts=_window,
    ),
    examples=(
        Example("three fixes", {"speed_kmh": (70,) * 6}, every_s=10, raised=(2,), start="02:00:00", fences=(ROAD,)),
        Example("parked", {"speed_kmh": (0,) * 6}, every_s=10, raised=(), start="02:00:00", fences=(ROAD,)),
        Example("until six", {"speed_kmh": (70,) * 6}, every_s=10, raised=(), start="05:59:40", fences=(ROAD,)),
        Example("from midnight", {"speed_kmh": (70,) * 6}, every_s=10, raised=(3,), start="23:59:50", fences=(ROAD,)),
        Example("at noon", {"speed_kmh": (70,) * 6}, every_s=10, raised=(), start="12:00:00", fences=(ROAD,)),
        Example(
            "with a permit",
            {"speed_kmh": (70,) * 6},
            every_s=10,
            raised=(),
            start="02:00:00",
            fences=(ROAD,),
            papers={"permits": ({"permit": "restricted_hours"},)},
        ),
    ),
)
def hazmat_restricted_hours(batch: Enriched, limits: Limits, state: State) -> Found:
    """A hazardous-goods vehicle moves on a restricted road inside its closed hours: three fixes in a row.

    Condition at a fix: class H; speed ≥ ``moving_kmh`` 5; Beijing time of day c (ms since 00:00) with ``from_ms`` ≤ c
    < ``to_ms`` (default 00:00 to 06:00; where ``from_ms`` > ``to_ms`` the window goes over midnight: c ≥ ``from_ms``
    or c < ``to_ms``; equal ones are no window); and inside at least one ``hazmat_restricted`` fence for its class and
    time for which no row of ``permits`` of sort ``restricted_hours`` holds at the fix whose ``fence`` is that fence's
    id or empty. The window may be another for a fence: parameters by fence. The rest is `detectors.spans`: ``points``
    3, no time, no distance, ``gap_ms`` 300 000, ``merge_ms`` 300 000. Severity 3, never a lead. Shown are the fence
    of the episode's first fix (of several that count the one with the least limit, none is 0, of equal ones the first
    in the file) and the distance of its confirmed runs.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh``, fences and permits.
    limits : Limits
        See `spans.span`; ``from_ms``, ``to_ms``, ``moving_kmh``, looked up at each fix.
    state : structured array of ``SPAN``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``SPANNED``, (m,)

    Source: regulation §4, V21.
    """
    fence = unpassed(batch, "hazmat_restricted", "restricted_hours")
    moving = batch.speed_kmh >= limits.at("moving_kmh")
    clock = (batch.time_ms + BEIJING_MS) % DAY_MS
    begin, end = limits.at("from_ms"), limits.at("to_ms")
    closed = np.where(begin <= end, (begin <= clock) & (clock < end), (begin <= clock) | (clock < end))
    return span(
        batch,
        limits.applies & moving & closed & (fence >= 0),
        limits,
        state,
        severity=np.full(len(batch), Severity.SERIOUS, np.uint8),
        fence=fence,
    )
