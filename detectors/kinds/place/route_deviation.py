"""V18: off the route that a vehicle is assigned to."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.places import SURE_DM, holds, off_route
from detectors.spans import SPAN, span
from detectors.why import Why, Words

NORTH = {"id": "R1", "points": ((87.3, 43.9), (87.3, 44.2))}
"""A route along which the examples drive."""

NEAR = ("near_coach_dm", "near_bus_dm", "near_hazmat_dm")

ON_R1 = {"assignments": ({"route": "R1"},)}


def _measures(row: Any) -> dict[str, object]:
    """Farthest from the route, and the distance driven off it [m]."""
    return {"off_m": int(row["highest"]) / 10, "distance_m": int(row["distance_dm"]) / 10}


@kind(
    code="V18",
    zh="偏离核定线路",
    en="Off the approved route",
    classes="LBH",
    severity=Severity.GENERAL,
    clause="《道路运输车辆动态监督管理办法》第二十四条；《危险化学品安全管理条例》（条款号待核实） "
    "(Measures on Dynamic Supervision of Road Transport Vehicles art. 24; Hazardous Chemicals Safety Regulations, "
    "number unverified)",
    limits={
        "near_coach_dm": 5_000,
        "near_bus_dm": 2_000,
        "near_hazmat_dm": 3_000,
        "hold_ms": 180_000,
        "far_dm": 10_000,
        "gap_ms": 300_000,
        "merge_ms": 300_000,
    },
    state=SPAN,
    sparse=True,
    measures=_measures,
    tables=("assignments", "permits"),
    why=Why(
        measured=Words(
            "离所配线路最远 {off_m}，偏离期间行驶 {distance_m}；偏离之初，最近的所配线路为 {route}。",
            "At the farthest {off_m} from every route it is assigned to; {distance_m} were driven off them. When that "
            "began, the nearest of them was {route}.",
        ),
        limit=Words(
            "线路取自登记的线路配车与线路图；离全部所配线路超过 {near_coach_dm}（客运班线）、{near_bus_dm}（公交）或 "
            "{near_hazmat_dm}（危货），持续不少于 {hold_ms} 且行驶不少于 {far_dm}，即构成。",
            "The routes are those that the register of assignments names, as drawn in the map of routes; farther from "
            "all of them than {near_coach_dm} (scheduled coach), {near_bus_dm} (bus) or {near_hazmat_dm} (hazardous "
            "goods) for at least {hold_ms} and {far_dm} is enough.",
        ),
        clears=Words(
            "按线路行驶；或偏离不足 {hold_ms} 或不足 {far_dm}；或当时持有绕行许可，或另配有所行线路，事后补录的亦可，"
            "即不构成。",
            "Keeping to the route; or being off it for less than {hold_ms} or {far_dm}; or a detour permit, or an "
            "assignment to the route that was driven, that held then, also one that is handed in later.",
        ),
        sure=Words(
            "逐点按线路图量距；未配线路或线路无图的车辆不判定。",
            "Every fix was measured against the map of routes; nothing is said of a vehicle without a route, or with "
            "one that is not drawn.",
        ),
    ),
    examples=(
        Example(
            "a kilometre to the east",
            {"speed_kmh": (60,) * 12, "lon": 87.32},
            every_s=30,
            raised=(6,),
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example(
            "on the route",
            {"speed_kmh": (60,) * 12},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example(
            "for two minutes",
            {"speed_kmh": (60,) * 12, "lon": (*[87.3] * 3, *[87.308] * 5, *[87.3] * 4)},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example(
            "hardly moving",
            {"speed_kmh": (10,) * 12, "lon": 87.32},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example(
            "with a detour permit",
            {"speed_kmh": (60,) * 12, "lon": 87.32},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
            papers={**ON_R1, "permits": ({"permit": "detour"},)},
        ),
        Example(
            "assigned to nothing",
            {"speed_kmh": (60,) * 12, "lon": 87.32},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
        ),
        Example(
            "also assigned to a route that is not drawn",
            {"speed_kmh": (60,) * 12, "lon": 87.32},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
            papers={"assignments": ({"route": "R1"}, {"route": "R2"})},
        ),
        Example(
            "240 m off, a bus",
            {"speed_kmh": (30,) * 16, "lon": 87.303},
            every_s=30,
            raised=(6,),
            kind="B",
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example(
            "240 m off, hazardous goods",
            {"speed_kmh": (30,) * 16, "lon": 87.303},
            every_s=30,
            raised=(),
            kind="H",
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
    ),
)
def route_deviation(batch: Enriched, limits: Limits, state: State) -> Found:
    """A vehicle is far from every route it is assigned to, for three minutes and a kilometre.

    Condition at a fix: class L, B or H; at least one row of ``assignments`` of the vehicle holds; for each row that
    holds there is at least one line of ``routes.geojson`` with that ``id`` that holds at the time (else nothing is
    known; a route's classes do not count); no row of ``permits`` of sort ``detour`` holds (whatever its fence); and
    the distance from the nearest of those lines (`detectors.lines`, whole dm) is > ``near_coach_dm`` 5 000 for L,
    ``near_bus_dm`` 2 000 for B, ``near_hazmat_dm`` 3 000 for H. The rest is `detectors.spans`: ``hold_ms`` 180 000
    and ``far_dm`` 10 000, both reached, ``gap_ms`` 300 000, ``merge_ms`` 300 000. Severity 2; 3 where the class at
    the fix that raises it is H. Never a lead. Shown are the highest distance from the routes at fixes of confirmed
    runs, the distance of these runs, and the route that was nearest at the episode's first fix (of equally near ones
    the first in the file).

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads assignments, routes and permits.
    limits : Limits
        See `spans.span`; the distances from the route, looked up at each fix.
    state : structured array of ``SPAN``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``SPANNED``, (m,)

    Source: regulation §4, V18.
    """
    hazmat, bus = batch.of_class("H"), batch.of_class("B")
    coach_dm, bus_dm, hazmat_dm = (limits.at(name) for name in NEAR)
    near_dm = np.where(hazmat, hazmat_dm, np.where(bus, bus_dm, coach_dm))
    off_dm, route = off_route(batch, min(SURE_DM, *(int(limits.parameter(name).min()) for name in NEAR)))
    off = limits.applies & (off_dm > near_dm)
    off &= ~holds(batch, off, "permits", "detour")
    severity = np.where(hazmat, np.uint8(Severity.SERIOUS), np.uint8(Severity.GENERAL))
    return span(batch, off, limits, state, severity=severity, route=route, value=off_dm)
