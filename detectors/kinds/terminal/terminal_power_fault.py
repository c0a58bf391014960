"""V44: a terminal that is at fault, or whose power is cut."""

from typing import Any

import numpy as np

from detectors.codes import coded, named
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.lasting import LASTING, lasting
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.status import told

CODES = ("gnss", "antenna", "low_power", "power_cut", "module", "cut_moving", "operated")
_BITS = (1 << 4, 3 << 5, 1 << 7, 1 << 8, 15 << 9)
"""JT/T 808 alarm bits: 4 positioning, 5-6 antenna, 7 low and 8 cut power, 9-12 display, speech, camera, card reader."""
_CUT = 8
_ANTENNA, _POWER = 1 << 5, 1 << 8


def _measures(row: Any) -> dict[str, object]:
    """What is at fault."""
    return {"reason": named(int(row["codes"]), CODES)}


@kind(
    code="V44",
    zh="终端或供电故障",
    en="Terminal or power fault",
    classes="LCHBTF",
    severity=Severity.NOTICE,
    clause="《道路运输车辆动态监督管理办法》第二十六条、第二十七条 (Dynamic Supervision Rules 2022 arts. 26 and 27)",
    limits={
        "points": 3,
        "hold_ms": 300_000,
        "gap_ms": 86_400_000,
        "merge_ms": 3_600_000,
        "pair_ms": 300_000,
        "drive_kmh": 20.0,
        "long_ms": 86_400_000,
    },
    state=LASTING,
    sparse=True,
    wakes=lambda batch: told(batch.alarm, sum(_BITS)),
    measures=_measures,
    why=Why(
        measured=Words(
            "终端报告：{reason}。",
            "The terminal told of {reason}.",
        ),
        limit=Words(
            "车载终端应保持正常；故障连续报告不少于 {points} 个定位点、历时 {hold_ms} 即构成；车速不低于 {drive_kmh} 时"
            "主电源断电疑为人为，故障超过 {long_ms} 仍以此车速运行，均为较重。",
            "Terminals are kept in working order; a fault told at {points} fixes in a row over {hold_ms} is enough; "
            "main power cut at {drive_kmh} or more looks like tampering, and a fault of more than {long_ms} with the "
            "vehicle still driven at such a speed is serious too.",
        ),
        clears=Words(
            "故障在 {hold_ms} 内消除；或停驶检修、修复后再运行，即不构成。",
            "A fault that is gone within {hold_ms}; or a vehicle that is laid up until it is mended.",
        ),
        sure=Words(
            "由终端报警位连续报告，车速由卫星定位核对。",
            "Told by the terminal's alarm bits fix after fix, with the speed by satellite beside them.",
        ),
    ),
    examples=(
        Example("an antenna for five minutes", {"speed_kmh": (40,) * 8, "alarm": _ANTENNA}, every_s=60, raised=(5,)),
        Example("an antenna for four minutes", {"speed_kmh": (40,) * 8, "alarm": (_ANTENNA,) * 5 + (0,) * 3},
                every_s=60, raised=()),
        Example("power cut at 60", {"speed_kmh": (60,) * 3 + (10,) * 3, "alarm": (0, 0, 0, _POWER, 0, 0)}, every_s=30,
                raised=(3,)),
        Example("power cut when parked", {"speed_kmh": (10, 0, 0, 0, 0, 0), "alarm": (0, 0, _POWER, _POWER, 0, 0)},
                every_s=30, raised=()),
        Example("cut all the time is no cut", {"speed_kmh": (60,) * 4, "alarm": _POWER}, every_s=60, raised=()),
        Example("still driven after a day", {"speed_kmh": (30,) * 4 + (0,) * 26 + (30,) * 2, "alarm": 1 << 4},
                every_s=3_000, raised=(2,)),
        Example("speeding is no fault", {"speed_kmh": (60,) * 8, "alarm": 2}, every_s=60, raised=()),
        Example("not known", {"speed_kmh": (60,) * 8}, every_s=60, raised=()),
    ),
)  # fmt: skip
def terminal_power_fault(batch: Enriched, limits: Limits, state: State) -> Found:
    """The terminal tells of a fault of its own for 5 minutes, or its power is cut while the vehicle is driven.

    Codes of a fix, by its alarm bits where they are given: 1 ``gnss`` bit 4, 2 ``antenna`` bits 5 and 6, 4
    ``low_power`` bit 7, 8 ``power_cut`` bit 8, 16 ``module`` bits 9-12. Sudden, with the code 32 ``cut_moving`` and
    severity 3: ``power_cut`` where the speed at the fix or at the fix before it is ≥ ``drive_kmh``. A run longer than
    ``long_ms`` whose fix has a speed ≥ ``drive_kmh`` has the code 64 ``operated`` and severity 3. Else severity 1.
    Runs, confirmation, merging and ends: see `lasting`; driving does not count. Never a lead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``alarm``, ``speed_kmh``, ``before_speed_kmh``.
    limits : Limits
        See `lasting`.
    state : structured array of ``LASTING``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``LASTED``, (m,)

    Source: regulation §4, V44.
    """
    drive_kmh = limits.at("drive_kmh")
    moving = (batch.speed_kmh >= drive_kmh) | (batch.before_speed_kmh >= drive_kmh)
    grade = np.full(len(batch), Severity.NOTICE, np.uint8)
    codes = coded(batch.alarm, *_BITS)
    return lasting(batch, codes, limits, state, grade=grade, sudden=moving.astype(np.uint8), watched=_CUT)
