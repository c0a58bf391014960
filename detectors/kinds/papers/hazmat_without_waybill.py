"""V27: hazardous goods on the road without a waybill."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.loads import EMPTY, LOAD, loads
from detectors.reminders import tally_measures
from detectors.tallies import COUNTED, TALLY, tally
from detectors.why import Why, Words

_STATE = np.dtype([("tally", TALLY), ("load", LOAD)], align=True)
_FULL, _VOID = 0x302, 0x002
_OTHERS = {"waybills": ({"number": "9", "valid_from": "2026-02-01", "valid_to": "2026-02-02"},)}
_PLACES = (
    {"id": "plant", "kind": "shipper", "box": (87.29, 43.999, 87.31, 44.001)},
    {"id": "depot", "kind": "consignee", "box": (87.29, 44.019, 87.31, 44.021)},
)


def _measures(row: Any) -> dict[str, object]:
    """What was driven, and how the load is known."""
    return tally_measures(row) | {"reason": "load_guessed" if row["channel"] == 2 else "load_told"}


@kind(
    code="V27",
    zh="危货无电子运单运输",
    en="Hazardous goods without a waybill",
    classes="H",
    severity=Severity.SERIOUS,
    clause="《危险货物道路运输安全管理办法》第二十四条（条款号待核实） "
    "(Road Transport of Dangerous Goods Safety Rules 2019 art. 24, number unverified)",
    limits={**COUNTED, "open_dm": 50_000, "second_dm": 50_000, "stand_kmh": 5.0},
    state=_STATE,
    sparse=True,
    measures=_measures,
    why=Why(
        measured=Words(
            "危险货物运输车辆载货（{reason}）而无有效电子运单，当日行驶 {distance_m}，历时 {drive_s}。",
            "A vehicle that carries hazardous goods ({reason}) was driven {distance_m} in {drive_s} that day without a "
            "waybill that held.",
        ),
        limit=Words(
            "载运危险货物须随车有危险货物运单，依登记的电子运单；一日内载货无运单行驶超过 {open_dm} 即构成。",
            "Hazardous goods travel with a waybill, by the register of waybills; more than {open_dm} of driving loaded "
            "in one day without one is enough.",
        ),
        clears=Words(
            "行驶前已制作运单（补录亦可）；或车辆空驶；或载货行驶不超过 {open_dm}，即不构成。",
            "A waybill made out for the time of the drive, also where it is handed in later; or driving empty; or "
            "driving no more than {open_dm} loaded.",
        ),
        sure=Words(
            "载货状态由车载终端报告；登记的全部运单均已比对，数据中断超过 {gap_ms} 的行程未计入。",
            "The load is as the terminal says; all registered waybills were looked at, and gaps of data above {gap_ms} "
            "are left out.",
        ),
        doubt=Words(
            "终端不报告载货状态，载货系由当日曾在装货场所停留推定。",
            "The terminal does not tell of loads: that it was loaded follows only from where it had stood that day.",
        ),
    ),
    tables=("waybills",),
    examples=(
        Example(
            "full, without a waybill",
            {"speed_kmh": (60,) * 13, "status": _FULL},
            every_s=30,
            raised=(11,),
            papers=_OTHERS,
            fences=_PLACES,
        ),
        Example(
            "with a waybill",
            {"speed_kmh": (60,) * 13, "status": _FULL},
            every_s=30,
            raised=(),
            papers={"waybills": ({"number": "1", "valid_from": "2026-03-02", "valid_to": "2026-03-02"},)},
            fences=_PLACES,
        ),
        Example(
            "empty after it was full",
            {"speed_kmh": (60,) * 20, "status": (_FULL,) + (_VOID,) * 19},
            every_s=30,
            raised=(),
            papers=_OTHERS,
            fences=_PLACES,
        ),
        Example(
            "nothing is told of a load",
            {"speed_kmh": (60,) * 13, "lat": tuple(44.2 + step * 0.0045 for step in range(13))},
            every_s=30,
            raised=(),
            papers=_OTHERS,
            fences=_PLACES,
        ),
        Example(
            "from a shipper, by a road around the consignee",
            {
                "speed_kmh": (0,) * 3 + (60,) * 15,
                "lon": (87.3,) * 3 + tuple(87.3 + step * 0.0062 for step in range(15)),
                "lat": (44.0,) * 18,
            },
            every_s=30,
            raised=(16,),
            papers=_OTHERS,
            fences=_PLACES,
        ),
        Example(
            "from a shipper to a consignee, then on",
            {
                "speed_kmh": (0, 60, 60, 60, 60, 0) + (60,) * 13,
                "lat": (
                    44.0,
                    44.005,
                    44.009,
                    44.013,
                    44.017,
                    *(44.02 + max(step, 0) * 0.0045 for step in range(-1, 13)),
                ),
            },
            every_s=30,
            raised=(),
            papers=_OTHERS,
            fences=_PLACES,
        ),
        Example("no waybills are known at all", {"speed_kmh": (60,) * 13, "status": _FULL}, every_s=30, raised=()),
    ),
)
def hazmat_without_waybill(batch: Enriched, limits: Limits, state: State) -> Found:
    """More than 5 km driven loaded in one Beijing day without a waybill.

    Whether the vehicle is loaded at a fix: see `loads.loads`; it follows all accepted fixes of the vehicle. The
    condition at a fix: it is of class H, loaded, and no row of ``waybills`` holds for it at the fix's time; nothing is
    asked where the registry has no row in ``waybills`` at all. Where the terminal says so the fix counts in channel 1
    (``open_dm``), where it is a guess in channel 2 (``second_dm``): an episode raised by a guess is a lead. Which
    pairs count, begin, raise and end: see `tallies.tally`. Severity 3, of a lead 2. ``reason`` is ``load_told`` or
    ``load_guessed``, by the channel that raised it.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``status``.
    limits : Limits
        See `tallies.tally` and `loads.loads`.
    state : structured array, (vehicles,)
        ``tally`` and ``load``; changed in place.

    Returns
    -------
    Found of ``TALLIED``, (m,)

    Source: regulation §4, V27.
    """
    papers = batch.around.registry.papers["waybills"]
    what = loads(batch, limits, state["load"])
    what[~limits.applies | (len(papers) == 0)] = EMPTY
    loaded = np.flatnonzero(what)
    what[loaded[papers.holding(batch.vehicle[loaded], batch.time_ms[loaded]) >= 0]] = EMPTY
    grade = np.full(len(batch), Severity.SERIOUS, np.uint8)
    return tally(batch, what, limits, state["tally"], grade=grade).found
