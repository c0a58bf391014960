"""V32: a coach leaves a station without having been checked."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.exits import VISIT, exits
from detectors.found import Found
from detectors.instant import at_once
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.reminders import moment_text
from detectors.why import Why, Words
from ingest.batch import Bool

_STATION = ({"id": "S", "name": "客运站", "kind": "station", "box": (87.29, 43.99, 87.31, 44.002)},)
_STAY = {"speed_kmh": (20,) * 4 + (0,) * 21 + (20, 40) + (40,) * 6}
_NORTH = tuple(44.0 + metres / 111_195 for metres in (*range(-220, 1, 55), *(0,) * 20, 55, 160, *range(270, 900, 110)))


def _measures(row: Any) -> dict[str, object]:
    """How long it had been in the station [s], and since when a record would have counted."""
    return {"inside_s": int(row["inside_ms"]) / 1000, "record_since": moment_text(int(row["since_ms"]))}


@kind(
    code="V32",
    zh="未办出站检查驶离",
    en="Left a station unchecked",
    classes="L",
    severity=Severity.SERIOUS,
    clause="《道路旅客运输及客运站管理规定》（“六不出站”，条款号待核实）；《汽车客运站安全生产规范》（条款号待核实） "
    "(Road Passenger Transport and Stations Rules, the six bars to leaving a station, number unverified; Safety Norms "
    "of Passenger Stations, number unverified)",
    limits={
        "slow_kmh": 5.0,
        "stay_ms": 180_000,
        "leave_dm": 2_000,
        "window_ms": 7_200_000,
        "gap_ms": 300_000,
    },
    state=VISIT,
    sparse=True,
    measures=_measures,
    why=Why(
        measured=Words(
            "在客运站 {fence} 停留 {inside_s} 后驶离，自 {record_since} 起至驶离时没有该站的出站登记。",
            "Left station {fence} after {inside_s} in it; from {record_since} until then there is no record of its "
            "leaving that station.",
        ),
        limit=Words(
            "班线客车出站前须办理出站检查登记，登记时间应在驶离前 {window_ms} 以内；站内连续停车不少于 {stay_ms}、驶离 "
            "{leave_dm} 以上才计，途经不计。站区取自围栏 {fence}。",
            "A scheduled coach is checked and recorded before it leaves, within {window_ms}; only a stop of at least "
            "{stay_ms} in the station counts, and only leaving it by {leave_dm}, not passing through. The station is "
            "that of fence {fence}.",
        ),
        clears=Words(
            "该站在驶离前 {window_ms} 内的出站登记（补录亦可）；或在站内停车不足 {stay_ms}，即不构成。",
            "A record of that station within {window_ms} before leaving, also where it is handed in later; or no stop "
            "of {stay_ms} in the station.",
        ),
        sure=Words(
            "驶离前后定位连续，间隔不超过 {gap_ms}。",
            "Fixes before and after leaving are no more than {gap_ms} apart.",
        ),
        doubt=Words(
            "驶离前后的定位相隔超过 {gap_ms}，驶离时间不能确定。",
            "More than {gap_ms} lie between the last fix in the station and the one that shows that it was left: when "
            "it left is not certain.",
        ),
    ),
    tables=("exits",),
    examples=(
        Example("without a record", {**_STAY, "lat": _NORTH}, every_s=10, raised=(28,), fences=_STATION),
        Example("recorded an hour ago", {**_STAY, "lat": _NORTH}, every_s=10, raised=(), fences=_STATION,
                papers={"exits": ({"station": "S", "valid_from": "2026-03-02T07:10:00"},)}),
        Example("recorded three hours ago", {**_STAY, "lat": _NORTH}, every_s=10, raised=(28,), fences=_STATION,
                papers={"exits": ({"station": "S", "valid_from": "2026-03-02T05:00:00"},)}),
        Example("recorded elsewhere", {**_STAY, "lat": _NORTH}, every_s=10, raised=(28,), fences=_STATION,
                papers={"exits": ({"station": "R", "valid_from": "2026-03-02T07:50:00"},
                                  {"station": "S", "valid_from": "2026-03-02T09:50:00"})}),
        Example("passing through", {"speed_kmh": (20,) * 33, "lat": _NORTH}, every_s=10, raised=(), fences=_STATION),
        Example("a red light", {"speed_kmh": (20,) * 4 + (0,) * 18 + (20,) * 11, "lat": _NORTH}, every_s=10,
                raised=(), fences=_STATION),
        Example("out and in again", {**_STAY, "lat": (*_NORTH[:28], *(44.0,) * 5)}, every_s=10, raised=(),
                fences=_STATION),
    ),
)  # fmt: skip
def station_exit_unchecked(batch: Enriched, limits: Limits, state: State) -> Found:
    """A coach that stood in a station leaves it, and no record of its leaving that station lies in the 2 h before.

    Fixes are the vehicle's accepted ones. The station of a fix is the fence of kind ``station`` that holds it (for the
    vehicle's class, valid at the fix; of several the one with the least ``limit_kmh``, none counting as 0, of equal
    ones the first in the file): a fix is *inside* no other. A *visit* of a station begins at a fix inside it while
    there is no other visit. It keeps the parameters of that fix. Let a be its latest fix inside that same station.
    Fixes inside, however far apart, belong to the visit. A fix not inside it (also one inside another station) adds its
    D to *out*, if its speed ≥ ``slow_kmh``; a fix inside sets out to 0. At the first fix c with out ≥ ``leave_dm`` the
    visit is over; a visit of another station that c lies in begins at once.

    The vehicle has *stayed* if, within the visit, consecutive fixes inside, all slower than ``slow_kmh``, reach from
    one t to another ≥ t + ``stay_ms`` (a fix outside or a faster one ends the series; two fixes are enough).

    At c, if it has stayed: raised, unless table ``exits`` has a row of the vehicle whose ``station`` is the fence's id
    and whose ``valid_from`` lies in [t_a − ``window_ms``, t_c] (``valid_to`` does not matter; a row without
    ``valid_from`` never counts). `begins_ms` = t_a, `raised_ms` = `ends_ms` = t_c; over at once; the place is that of
    a. Severity 3; where t_c − t_a > ``gap_ms`` a lead, of severity 2. ``inside_s`` = (t_a − t of the visit's first
    fix)/1000; ``record_since`` = t_a − ``window_ms``.

    A fix at which the kind does not apply ends the visit without a verdict. The end of input ends nothing.

    Parameters
    ----------
    batch : Enriched, (n,)
        Asks `inside` "station".
    limits : Limits
    state : structured array of ``VISIT``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``exits.LEFT``, (m,)

    Source: regulation §4, V32.
    """
    left = exits(batch, batch.inside("station"), limits, state, severity=Severity.SERIOUS)
    registry = batch.around.registry
    records = registry.papers["exits"]
    station = records.column("station", str, np.object_)
    fence = np.array([registry.fences[at].id for at in left["fence"]], np.object_)
    checked: Bool = np.zeros(len(left), np.bool_)
    for row in records.begun(left["vehicle"], left["since_ms"], left["raised_ms"]):
        checked |= (row >= 0) & (station[row] == fence)
    return at_once(left[~checked])
