"""V36: driven with an open door."""

from typing import Any

import numpy as np

from detectors.codes import coded, named
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.lasting import LASTING, lasting
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.status import DOOR_BITS
from ingest.status import told as given

CODES = ("door", "door_alarm")
DOOR_ALARM_BIT = 1 << 31
"""JT/T 808 alarm bit 31: a door was opened unlawfully (reserved since 2019, and sent nonetheless)."""
_SHUT, _OPEN = 0x3, 0x2003


def _measures(row: Any) -> dict[str, object]:
    """What told of the door, and the highest speed with it open [km/h]."""
    return {"reason": named(int(row["codes"]), CODES), "peak_kmh": int(row["value"]) / 10}


@kind(
    code="V36",
    zh="行车开门",
    en="Driven with an open door",
    classes="LCB",
    severity=Severity.SERIOUS,
    clause="《中华人民共和国道路交通安全法实施条例》第六十二条第（一）项 "
    "(Regulation on the Implementation of the Road Traffic Safety Law art. 62(1))",
    limits={"over_kmh": 10.0, "points": 2, "hold_ms": 5_000, "gap_ms": 120_000, "merge_ms": 60_000},
    state=LASTING,
    sparse=True,
    wakes=lambda batch: given(batch.status, DOOR_BITS) | given(batch.alarm, DOOR_ALARM_BIT),
    measures=_measures,
    why=Why(
        measured=Words(
            "行驶中{reason}，其间最高车速 {peak_kmh}。",
            "Driven with {reason}, at up to {peak_kmh}.",
        ),
        limit=Words(
            "车门未关好时不得行车；车门打开而车速超过 {over_kmh}，连续不少于 {points} 个定位点、历时 {hold_ms} 即构成"
            "。",
            "No vehicle is driven with an open door; open at above {over_kmh} at {points} fixes in a row over "
            "{hold_ms} is enough.",
        ),
        clears=Words(
            "车门关闭，或车速不超过 {over_kmh}，或只见于一个定位点，即不构成。",
            "A door that is shut, a speed of no more than {over_kmh}, or a door that was seen open at one fix only.",
        ),
        sure=Words(
            "终端的车门状态与卫星定位车速相互印证。",
            "The terminal's door state was checked against the speed by satellite.",
        ),
    ),
    examples=(
        Example("open on the way", {"speed_kmh": (30,) * 4, "status": _OPEN}, every_s=10, raised=(1,)),
        Example("by the alarm", {"speed_kmh": (30,) * 4, "alarm": DOOR_ALARM_BIT}, every_s=10, raised=(1,)),
        Example(
            "shut a little late",
            {"speed_kmh": (0, 8, 30, 40), "status": (_OPEN, _OPEN, _OPEN, _SHUT)},
            every_s=10,
            raised=(),
        ),
        Example("open at the stop", {"speed_kmh": (0, 5, 10, 0), "status": _OPEN}, every_s=10, raised=()),
        Example("not known", {"speed_kmh": (30,) * 4}, every_s=10, raised=()),
        Example(
            "twice within a minute is once",
            {"speed_kmh": (30,) * 8, "status": (_OPEN, _OPEN, _SHUT, _SHUT, _OPEN, _OPEN, _SHUT, _SHUT)},
            every_s=15,
            raised=(1,),
        ),
    ),
)
def door_open_moving(batch: Enriched, limits: Limits, state: State) -> Found:
    """A door is open at a speed above 10 km/h, at two fixes in a row at least 5 s apart.

    Codes of a fix, where its speed > ``over_kmh``, else none: 1 ``door``, its status is given and has one of the bits
    13-17; 2 ``door_alarm``, its alarm is given and has bit 31. Runs, confirmation, merging and ends: see `lasting`.
    Severity 3, never a lead.

    ``peak_kmh`` is the highest speed at fixes of the confirmed runs, in whole tenths (⌊10 × speed⌋ / 10). ``reason``
    names the codes.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``status``, ``alarm``, ``speed_kmh``.
    limits : Limits
        See `lasting`; ``over_kmh`` [km/h].
    state : structured array of ``LASTING``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``LASTED``, (m,)

    Source: regulation §4, V36.
    """
    told = coded(batch.status, DOOR_BITS) | coded(batch.alarm, 0, DOOR_ALARM_BIT)
    told[~(batch.speed_kmh > limits.at("over_kmh"))] = 0
    grade = np.full(len(batch), Severity.SERIOUS, np.uint8)
    return lasting(batch, told, limits, state, grade=grade, value=(batch.speed_kmh * 10).astype(np.int64))
