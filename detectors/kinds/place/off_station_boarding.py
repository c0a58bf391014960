"""V25: taking people on around the corner of the station that a coach has just left."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.places import near_fence
from detectors.stays import STOPS, stop_measures, stops_near
from detectors.why import Why, Words
from ingest.status import DOOR_BITS, told

STATION = {"id": "T1", "kind": "station", "box": (87.29, 43.99, 87.31, 44.001)}
SHUT, OPEN = 0x3, 0x2003
"""Status of the examples: located, ignition on, and the first door open."""

_SPEEDS = (20, 20, 20, 30, 0, 0, 30, 30, 0, 0, 30, 30)
_DOORS = tuple(SHUT if speed else OPEN for speed in _SPEEDS)


@kind(
    code="V25",
    zh="站外上下客",
    en="Boarding outside the station",
    classes="LC",
    severity=Severity.GENERAL,
    clause="《道路旅客运输及客运站管理规定》（条款号待核实） "
    "(Provisions on Road Passenger Transport and Stations, number unverified)",
    limits={
        "still_kmh": 5.0,
        "still_dm": 1_000,
        "far_dm": 30_000,
        "near_dm": 300,
        "least_ms": 30_000,
        "unseen_ms": 120_000,
        "most_ms": 600_000,
        "points": 2,
        "severe_points": 4,
    },
    state=STOPS,
    measures=stop_measures,
    why=Why(
        measured=Words(
            "驶离客运站 {fence} 后，当日在其 {far_dm} 之内站外停车 {stops} 次。",
            "After leaving station {fence} it stopped {stops} times on that day within {far_dm} of it, outside the "
            "station.",
        ),
        limit=Words(
            "客运车辆应在站内或核定停靠点上下客；驶离客运站 {fence} 后 {far_dm} 之内，一日内车门打开停车 {least_ms} 至 "
            "{most_ms}（未见开门的，自 {unseen_ms} 起）不少于 {points} 次即构成，开门 {severe_points} 次为较重。",
            "Coaches take people on inside stations and at approved stops; within {far_dm} of where it left station "
            "{fence}, {points} stops of {least_ms} to {most_ms} with an open door (from {unseen_ms} where none was "
            "seen) on one day are enough, {severe_points} with an open door make it serious.",
        ),
        clears=Words(
            "停车在客运站、核定停靠点、服务区、停车场之内或其 {near_dm} 以内（客运站仅限站内）；或停车时长不在上述范"
            "围；或一日不足 {points} 次，即不构成。",
            "Stops inside, or within {near_dm} of, an approved stop, rest area or car park, or inside a station; or "
            "stops that were shorter or longer; or fewer than {points} on one day.",
        ),
        sure=Words(
            "不少于规定次数的停车期间，终端报告车门打开。",
            "At enough of the stops the terminal told of an open door.",
        ),
        doubt=Words(
            "未见足够次数的车门打开：可能是信号灯或拥堵，请调取视频核实。",
            "Not enough open doors were seen: it may be lights or a jam; look at the video.",
        ),
    ),
    examples=(
        Example(
            "two stops with an open door",
            {"speed_kmh": _SPEEDS, "status": _DOORS},
            every_s=30,
            raised=(10,),
            fences=(STATION,),
        ),
        Example("no door seen", {"speed_kmh": _SPEEDS}, every_s=30, raised=(), fences=(STATION,)),
        Example(
            "no status, but long: a lead",
            {"speed_kmh": (20, 20, 20, 30, *[0] * 6, 30, *[0] * 6, 30)},
            every_s=30,
            raised=(17,),
            fences=(STATION,),
        ),
        Example(
            "one stop",
            {"speed_kmh": (20, 20, 20, 30, 0, 0, 30, 30), "status": OPEN},
            every_s=30,
            raised=(),
            fences=(STATION,),
        ),
        Example(
            "four stops",
            {"speed_kmh": (20, 20, 20, *[30, 0, 0] * 4, 30), "status": (*[SHUT] * 3, *[SHUT, OPEN, OPEN] * 4, SHUT)},
            every_s=30,
            raised=(9,),
            fences=(STATION,),
        ),
        Example(
            "it comes from elsewhere",
            {"speed_kmh": _SPEEDS, "status": _DOORS, "lon": 87.4},
            every_s=30,
            raised=(),
            fences=(STATION,),
        ),
        Example(
            "at approved stops",
            {"speed_kmh": _SPEEDS, "status": _DOORS},
            every_s=30,
            raised=(),
            fences=(STATION, {"id": "A1", "kind": "approved_stop", "box": (87.2, 44.0, 87.4, 44.1)}),
        ),
    ),
)
def off_station_boarding(batch: Enriched, limits: Limits, state: State) -> Found:
    """A coach stops twice on one day outside, but near, the station that it left last.

    A *stop* is a stay of `detectors.stays`, with ``still_kmh`` 5 and ``still_dm`` 1 000, all of whose fixes count: the
    fix is in no ``station`` fence, and no ``approved_stop``, ``rest_area`` or ``parking`` fence holds it or has its
    boundary at ≤ ``near_dm`` 300, looked up at the fix (`detectors.lines`, whole dm); fences for its class and time. At
    the stay's first fix the vehicle's last accepted fix of the same Beijing day inside a ``station`` fence (for its
    class then) must be ≤ ``far_dm`` 30 000 away (haversine); with none on that day there is no stop. Its length t_last
    − t_first is ≤ ``most_ms`` 600 000, and ≥ ``least_ms`` 30 000 if a given ``status`` had one of bits 13-17 (a door is
    open) set at one of its fixes, else ≥ ``unseen_ms`` 120 000.

    A stop is counted at the first fix after it, if that is of the same Beijing day as the stay; a stay that is not
    over by then, on the next day, is none. (A stay across midnight is cut: a new one begins at the first fix of the
    day.) One episode a day: `begins_ms` = first fix of the day's first counted stop, raised when ``points`` 2 are
    counted (`raised_ms` = the fix at which the last of them is), `ends_ms` = last fix of the latest counted stop;
    over at the vehicle's first fix of another day. A lead where fewer than ``points`` of the stops counted by then had
    an open door. Severity 2; 3 from ``severe_points`` 4 stops with an open door on, if it is no lead. Shown are the
    number of counted stops (255 at most) and the station fence that the first of them was measured from (of several
    around a fix the one with the least limit, none is 0, of equal ones the first in the file). ``still_dm`` and the
    times and counts are those of the stay's first fix.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh``, ``status`` and fences.
    limits : Limits
        See `stays.stops_near`; ``still_kmh`` and ``near_dm`` are looked up at each fix.
    state : structured array of ``STOPS``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``STAYED``, (m,)

    Source: regulation §4, V25.
    """
    station = batch.inside("station")
    still = limits.applies & (batch.speed_kmh < limits.at("still_kmh"))
    outside = still & (station < 0)
    near_dm = limits.at("near_dm")
    return stops_near(
        batch,
        still,
        outside & ~near_fence(batch, ("approved_stop", "rest_area", "parking"), outside, near_dm),
        limits,
        state,
        seen=told(batch.status, DOOR_BITS),
        inside=station,
    )
