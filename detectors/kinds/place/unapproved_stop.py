"""V19: standing where it may not: a coach on its line, a loaded vehicle with hazardous goods anywhere."""

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.kinds.place.route_deviation import NORTH, ON_R1
from detectors.limits import Limits
from detectors.places import holds, near_fence, off_route
from detectors.stays import STAY, stay, stood_measures
from detectors.ways import ON_ROUTE_DM
from detectors.why import Why, Words
from ingest.status import DOOR_BITS, IGNITION_BIT, LOADED_BIT, told

FOR_COACHES = ("approved_stop", "station", "rest_area", "parking")
FOR_HAZMAT = ("approved_parking", "parking", "rest_area", "shipper", "consignee")
"""Kinds of fence where they may stand."""

OPEN_DOOR = 0x2003
"""Status of the examples: ignition on, located, first door open."""

TOWN = {"id": "B1", "kind": "built_up", "box": (87.29, 43.99, 87.31, 44.01)}
LOADED = {"waybills": ({"number": "1", "valid_to": "2026-03-03"},)}


@kind(
    code="V19",
    zh="违规停靠或停放",
    en="Stopping or parking where it may not",
    classes="LH",
    severity=Severity.GENERAL,
    clause="《道路旅客运输及客运站管理规定》；《危险货物道路运输安全管理办法》（条款号待核实） "
    "(Provisions on Road Passenger Transport and Stations; Measures on Road Transport of Dangerous Goods, numbers "
    "unverified)",
    limits={
        "still_kmh": 5.0,
        "still_dm": 1_000,
        "stop_ms": 180_000,
        "parked_ms": 1_200_000,
        "near_dm": 1_000,
    },
    state=STAY,
    measures=stood_measures,
    why=Why(
        measured=Words(
            "车辆在允许停靠的场所以外停留 {stood_s}，车速低于 {still_kmh}，前后定位点相距不足 {still_dm}。",
            "The vehicle stood for {stood_s} outside every place where it may: below {still_kmh}, with fixes less than "
            "{still_dm} apart.",
        ),
        limit=Words(
            "载货的危险货物运输车辆在专用停放场所、停车场、服务区、装卸场所 {near_dm} 以外停留超过 {parked_ms} 即构成；"
            "位于人口密集区围栏 {fence} 之内，为严重。",
            "A loaded vehicle with hazardous goods may stand for {parked_ms} where no approved parking, car park, rest "
            "area, shipper or consignee is within {near_dm}; inside built-up area {fence} it is severe.",
        ),
        guessed=Words(
            "客运班线车辆在所配线路上、距核定停靠点、客运站、服务区、停车场 {near_dm} 以外停车超过 {stop_ms}；或载货的"
            "危险货物运输车辆在专用停放场所、停车场、服务区、装卸场所 {near_dm} 以外停留超过 {parked_ms}，即构成。",
            "On its route a scheduled coach may stand for {stop_ms} where no approved stop, station, rest area or car "
            "park is within {near_dm}; a loaded vehicle with hazardous goods for {parked_ms} where no approved "
            "parking, car park, rest area, shipper or consignee is.",
        ),
        clears=Words(
            "停留不超过上述时间；或任一定位点在允许停靠的场所之内或其 {near_dm} 以内；客运车辆熄火，或偏离线路、当时未"
            "配线路；危货车辆其间曾为空车且无电子运单，即不构成。",
            "Standing no longer than that; or a single fix inside such a place or within {near_dm} of it; a coach "
            "whose ignition is off, or that is off its route or has none; a hazardous-goods vehicle that was for a "
            "moment neither loaded nor under a waybill.",
        ),
        sure=Words(
            "停留期间车门曾打开，或车辆载有危险货物；逐点量距。",
            "A door was open meanwhile, or the vehicle carried hazardous goods; every fix was measured.",
        ),
        doubt=Words(
            "未见车门打开：可能是拥堵、信号灯或故障，请调取视频核实。",
            "No door was seen open: it may be a jam, a light or a breakdown; look at the video.",
        ),
    ),
    examples=(
        Example(
            "four minutes on its line, a door open",
            {"speed_kmh": (40, *[0] * 9, 40), "status": OPEN_DOOR},
            every_s=30,
            raised=(8,),
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example(
            "no status: a lead",
            {"speed_kmh": (40, *[0] * 9, 40)},
            every_s=30,
            raised=(8,),
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example(
            "just three minutes",
            {"speed_kmh": (40, *[0] * 7, 40, 40)},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example(
            "the ignition is off",
            {"speed_kmh": (40, *[0] * 9), "status": 0x2},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
            papers=ON_R1,
        ),
        Example("no route", {"speed_kmh": (40, *[0] * 9)}, every_s=30, raised=(), lines={"routes": (NORTH,)}),
        Example(
            "80 m from a rest area",
            {"speed_kmh": (0,) * 9},
            every_s=30,
            raised=(),
            lines={"routes": (NORTH,)},
            fences=({"id": "P1", "kind": "rest_area", "box": (87.301, 43.999, 87.31, 44.001)},),
            papers=ON_R1,
        ),
        Example(
            "120 m from a rest area",
            {"speed_kmh": (0,) * 9},
            every_s=30,
            raised=(7,),
            lines={"routes": (NORTH,)},
            fences=({"id": "P1", "kind": "rest_area", "box": (87.3015, 43.999, 87.31, 44.001)},),
            papers=ON_R1,
        ),
        Example(
            "hazardous goods in a town",
            {"speed_kmh": (0,) * 24},
            every_s=60,
            raised=(21,),
            kind="H",
            fences=(TOWN,),
            papers=LOADED,
        ),
        Example(
            "loaded, as the terminal says",
            {"speed_kmh": (0,) * 24, "status": 0x303},
            every_s=60,
            raised=(21,),
            kind="H",
        ),
        Example("empty", {"speed_kmh": (0,) * 24, "status": 0x3}, every_s=60, raised=(), kind="H"),
        Example(
            "on approved parking",
            {"speed_kmh": (0,) * 24},
            every_s=60,
            raised=(),
            kind="H",
            fences=({**TOWN, "kind": "approved_parking"},),
            papers=LOADED,
        ),
    ),
)
def unapproved_stop(batch: Enriched, limits: Limits, state: State) -> Found:
    """A coach stands on its line for three minutes, or loaded hazardous goods for twenty, where neither may.

    Stays are those of `detectors.stays`, with ``still_kmh`` 5 and ``still_dm`` 1 000; each is an episode of its own
    at most. A fix *counts*

    - for class L: at least one assignment holds and all that hold have a line (as in V18), the distance from the
      nearest of these lines is ≤ 5 000 dm, ``status``, if it is given, has bit 0 (ignition) set, and no
      ``approved_stop``, ``station``, ``rest_area`` or ``parking`` fence for its class and time holds the fix or has
      its boundary at ≤ ``near_dm`` 1 000, looked up at the fix (`detectors.lines`, whole dm);
    - for class H: a row of ``waybills`` of the vehicle holds, or a given ``status`` has bit 8 set (half or fully
      loaded), and no ``approved_parking``, ``parking``, ``rest_area``, ``shipper`` or ``consignee`` fence does.

    A stay with a fix, so far, that does not count is cleared: it raises nothing any more; one that is raised
    already stays. Raised at its first fix with t − t_first > ``stop_ms`` 180 000, or ``parked_ms`` 1 200 000
    where the class at the stay's first fix is H, if it is not cleared up to and with that fix. `begins_ms` =
    t_first, `raised_ms` = that fix, `ends_ms` = the stay's last fix so far; over at the first fix that does not
    belong to it. Severity 2; shown is its length. A lead where at no fix of the stay up to that one the vehicle
    was of class H or a given ``status`` had one of bits 13-17 (a door is open) set. Severity 4 where it is no
    lead and some fix of the stay, of class H, was inside a ``built_up`` fence for its class and time; it rises
    to 4 when that happens later. Shown is the first such fence (of several around a fix the one with the least
    limit, none is 0, of equal ones the first in the file).

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh``, ``status``, assignments, routes, waybills and fences.
    limits : Limits
        See `stays.stay`; ``still_kmh`` and ``near_dm`` are looked up at each fix.
    state : structured array of ``STAY``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``STAYED``, (m,)

    Source: regulation §4, V19.
    """
    still = limits.applies & (batch.speed_kmh < limits.at("still_kmh"))
    hazmat = batch.of_class("H")
    off_dm, _ = off_route(batch)
    ignited = (batch.status == -1) | told(batch.status, IGNITION_BIT)
    coach = still & ~hazmat & (off_dm >= 0) & (off_dm <= ON_ROUTE_DM) & ignited
    loaded = still & hazmat
    loaded &= told(batch.status, LOADED_BIT) | holds(batch, loaded, "waybills")
    near_dm = limits.at("near_dm")
    coach &= ~near_fence(batch, FOR_COACHES, coach, near_dm)
    loaded &= ~near_fence(batch, FOR_HAZMAT, loaded, near_dm)
    return stay(
        batch,
        still,
        coach | loaded,
        limits,
        state,
        seen=hazmat | told(batch.status, DOOR_BITS),
        grave=np.where(hazmat, batch.inside("built_up"), np.int32(-1)),
        mark=hazmat.astype(np.uint8),
        stops=("stop_ms", "parked_ms"),
    )
