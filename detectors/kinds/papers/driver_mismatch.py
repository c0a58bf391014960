"""V31: somebody drives who is not on the roster, or nobody is logged in."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.reminders import tally_measures
from detectors.tallies import COUNTED, TALLY, tally
from detectors.why import Why, Words
from ingest.batch import Bool
from ingest.registry import driver_code

_STATE = np.dtype([("tally", TALLY), ("carded", "u1")], align=True)
_OTHER, _NOBODY = np.uint8(1), np.uint8(2)
_ROSTER = {"roster": ({"role": "driver", "staff": "A"}, {"role": "driver", "staff": "B"})}


def _measures(row: Any) -> dict[str, object]:
    """What was driven, and what is wrong with the driver."""
    return tally_measures(row) | {"reason": "no_driver" if row["channel"] == _NOBODY else "other_driver"}


def _off_roster(batch: Enriched, limits: Limits) -> Bool:
    """Where the driver is none of those on the roster, (n,)."""
    found = np.zeros(len(batch), np.bool_)
    papers = batch.around.registry.papers["roster"]
    at = np.flatnonzero(limits.applies & (batch.driver != 0))
    listed, known = np.zeros(len(at), np.bool_), np.zeros(len(at), np.bool_)
    if len(papers):
        codes = papers.column("staff", driver_code, np.int64)
        for row in papers.every(batch.vehicle[at], batch.time_ms[at], "driver"):
            listed |= row >= 0
            known |= (row >= 0) & (codes[row] == batch.driver[at])
    found[at] = listed & ~known
    return found


def _carded(batch: Enriched, limits: Limits, state: State) -> Bool:
    """Where the vehicle's feed has shown that it carries drivers, (n,)."""
    n = len(batch)
    place = np.arange(n)
    first = np.concatenate([[True], batch.vehicle[1:] != batch.vehicle[:-1]]) if n else np.zeros(0, np.bool_)
    begin = np.maximum.accumulate(np.where(first, place, 0))
    pair = (batch.driver != 0) & (batch.dt_ms >= 0) & (batch.before_driver == batch.driver)
    last = np.maximum.accumulate(np.where(pair, place, -1))
    kept = limits.slot >= 0
    found = last >= begin
    found[kept] |= state["carded"][limits.slot[kept]] != 0
    shown = kept & pair
    state["carded"][limits.slot[shown]] = 1
    return found


@kind(
    code="V31",
    zh="驾驶员身份不符",
    en="Driver not as rostered",
    classes="LCH",
    severity=Severity.GENERAL,
    clause="《道路运输车辆动态监督管理办法》第二十四条 (Dynamic Supervision Rules 2022 art. 24)",
    limits={**COUNTED, "open_ms": 120_000, "second_ms": 600_000},
    state=_STATE,
    measures=_measures,
    why=Why(
        measured=Words(
            "{reason}，当日如此行驶 {drive_s}，{distance_m}。",
            "Driven for {drive_s} and {distance_m} that day while {reason}.",
        ),
        limit=Words(
            "车辆应由排班的驾驶员驾驶，依登记的排班；登录的驾驶员不在排班之列而行驶超过 {open_ms}，或历来报送驾驶员的"
            "车辆无驾驶员登录而行驶超过 {second_ms}，即构成。",
            "A vehicle is driven by those on its roster, by the register; more than {open_ms} of driving in one day by "
            "a driver who is not on it is enough, or more than {second_ms} with nobody logged in where the feed is "
            "known to carry drivers.",
        ),
        clears=Words(
            "排班中已列入该驾驶员（补录亦可）；或换人行驶不超过 {open_ms}；或驾驶员已登录，即不构成。",
            "The driver on the roster, also where that is handed in later; or driving no more than {open_ms} off it; "
            "or a driver logged in.",
        ),
        sure=Words(
            "以定位数据所载驾驶员与登记的全部有效排班逐点比对。",
            "The driver that each fix carries was compared with all of the roster that held.",
        ),
        doubt=Words(
            "无驾驶员登录也可能是读卡或传输故障。",
            "That nobody is logged in may also be a failure of the card reader or of the feed.",
        ),
    ),
    tables=("roster",),
    examples=(
        Example(
            "somebody else for more than two minutes",
            {"speed_kmh": (60,) * 8, "driver": "C"},
            every_s=30,
            raised=(5,),
            papers=_ROSTER,
        ),
        Example("one of two", {"speed_kmh": (60,) * 20, "driver": "B"}, every_s=30, raised=(), papers=_ROSTER),
        Example("no roster", {"speed_kmh": (60,) * 20, "driver": "C"}, every_s=30, raised=()),
        Example(
            "a card that is taken out for more than ten minutes",
            {"speed_kmh": (60,) * 26, "driver": ("A", "A") + (None,) * 24},
            every_s=30,
            raised=(23,),
            papers=_ROSTER,
        ),
        Example("a feed without cards", {"speed_kmh": (60,) * 26}, every_s=30, raised=(), papers=_ROSTER),
        Example(
            "another driver's turn by the roster",
            {"speed_kmh": (60,) * 20, "driver": ("A",) * 10 + ("C",) * 10},
            every_s=30,
            raised=(),
            papers={
                "roster": (
                    {"role": "driver", "staff": "A", "valid_to": "2026-03-02T08:05:00"},
                    {"role": "driver", "staff": "C", "valid_from": "2026-03-02T08:05:00"},
                )
            },
        ),
    ),
)
def driver_mismatch(batch: Enriched, limits: Limits, state: State) -> Found:
    """Driven for more than 2 min in one Beijing day by somebody off the roster, or for more than 10 min by nobody.

    At a fix of a vehicle of class L, C or H:

    - 1, somebody else: it carries a driver, at least one row of ``roster`` with role ``driver`` holds for the vehicle
      at the fix's time, and the driver is the ``staff`` of none of those that hold;
    - 2, nobody: it carries no driver, and the feed is known to carry them: at this or an earlier accepted fix of the
      vehicle (whatever its class then) it and the accepted fix before it carried one and the same driver. A roster is
      not needed.

    Which pairs count, begin, raise and end: see `tallies.tally`: channel 1 by ``open_ms``, channel 2 by
    ``second_ms``; a pair between the two counts in channel 2. An episode raised by channel 2 is a lead. Severity 2.
    ``reason`` is ``other_driver`` or ``no_driver``, by the channel that raised it.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``driver`` and ``before_driver``.
    limits : Limits
        See `tallies.tally`.
    state : structured array, (vehicles,)
        ``tally`` and whether the feed is known to carry drivers; changed in place.

    Returns
    -------
    Found of ``TALLIED``, (m,)

    Source: regulation §4, V31.
    """
    what = np.where(_off_roster(batch, limits), _OTHER, np.uint8(0))
    what[_carded(batch, limits, state) & limits.applies & (batch.driver == 0)] = _NOBODY
    grade = np.full(len(batch), Severity.GENERAL, np.uint8)
    return tally(batch, what, limits, state["tally"], grade=grade).found
