"""V45: a vehicle that is started or moved by somebody who should not."""

from typing import Any

import numpy as np

from detectors.clusters import CLUSTER, cluster
from detectors.codes import coded, named
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.towed import ANCHOR, displaced, off
from detectors.why import Why, Words
from ingest.status import told as given

CODES = ("theft", "ignition", "displacement", "moved")
_MOVED = 8
_THEFT, _IGNITION, _DISPLACEMENT = 1 << 26, 1 << 27, 1 << 28
"""JT/T 808 alarm bits 26 to 28."""
_ON, _OFF = 0x3, 0x2

_STATE = np.dtype([("cluster", CLUSTER), ("anchor", ANCHOR)], align=True)


def _measures(row: Any) -> dict[str, object]:
    """How many alarms there were, and of what."""
    return {"times": int(row["alarms"]), "reason": named(int(row["codes"]), CODES)}


@kind(
    code="V45",
    zh="非法点火或位移",
    en="Unauthorised ignition or movement",
    classes="LCHF",
    severity=Severity.SERIOUS,
    clause="《危险化学品安全管理条例》（条款号待核实） "
    "(Regulation on the Safe Management of Hazardous Chemicals, number unverified)",
    limits={
        "alarms": 1,
        "window_ms": 600_000,
        "gap_ms": 300_000,
        "merge_ms": 600_000,
        "drive_kmh": 5.0,
        "shift_dm": 500,
        "far_dm": 5_000,
        "within_ms": 600_000,
    },
    state=_STATE,
    sparse=True,
    wakes=lambda batch: given(batch.alarm, _THEFT | _IGNITION | _DISPLACEMENT) | off(batch),
    measures=_measures,
    why=Why(
        measured=Words(
            "{reason}，共 {times} 次。",
            "The vehicle showed {reason}, {times} times.",
        ),
        limit=Words(
            "车辆不得被擅自启动、移动；终端报被盗、非法点火或非法位移，或熄火状态下 {within_ms} 内位移超过 {far_dm}，"
            "即构成；相隔不超过 {merge_ms} 的并为一起。",
            "No vehicle is started or moved by the unauthorised; an alarm of theft, unlawful ignition or displacement "
            "is enough, or more than {far_dm} within {within_ms} with the ignition off; those within {merge_ms} are "
            "one violation.",
        ),
        clears=Words(
            "有拖车、托运或施救安排的，登记豁免；终端点火信号线未接的，修复并核实后，即不构成。",
            "An exemption for a tow, a transport or a rescue; or an ignition wire that was found loose and mended.",
        ),
        sure=Words(
            "由终端防盗报警报告。",
            "Told by the terminal's guard against theft.",
        ),
        doubt=Words(
            "仅由熄火状态下的位移推断，可能为拖车、轮渡、托运，或点火信号线未接。",
            "Told only by places that change with the ignition off: it may be a tow, a ferry, a transport, or an "
            "ignition wire that is loose.",
        ),
    ),
    examples=(
        Example("unlawful ignition", {"speed_kmh": (0,) * 4, "alarm": (0, _IGNITION, _IGNITION, 0)}, every_s=30,
                raised=(1,)),
        Example("towed away", {"speed_kmh": (0, 0, 20, 20, 20, 20, 20, 20), "status": _OFF}, every_s=30, raised=(6,)),
        Example("driven", {"speed_kmh": (0, 0, 20, 20, 20, 20, 20, 20), "status": _ON}, every_s=30, raised=()),
        Example("pushed aside", {"speed_kmh": (0, 0, 10, 10, 10, 10, 0, 0), "status": _OFF}, every_s=30, raised=()),
        Example("creeping", {"speed_kmh": (2,) * 40, "status": _OFF}, every_s=30, raised=()),
        Example("ignition not known", {"speed_kmh": (20,) * 10}, every_s=30, raised=()),
        Example("theft and displacement", {"speed_kmh": (0,) * 6, "alarm": (_THEFT, 0, 0, _DISPLACEMENT, 0, 0)},
                every_s=120, raised=(0,), kind="H"),
        Example("a taxi", {"speed_kmh": (0,) * 4, "alarm": _THEFT}, every_s=30, raised=(), kind="T"),
    ),
)  # fmt: skip
def unauthorized_movement(batch: Enriched, limits: Limits, state: State) -> Found:
    """The terminal tells of theft, unlawful ignition or displacement, or the vehicle moves with its ignition off.

    Codes of a fix: by its alarm bits where they are given, 1 ``theft`` bit 26, 2 ``ignition`` bit 27, 4
    ``displacement`` bit 28; 8 ``moved``, it is displaced: see `towed`. Alarms, raising, merging and ends: see
    `clusters`. Severity 3; ``moved`` is doubtful: where there are no other codes it is a lead. There is no table of tow
    orders: who has one is exempt (``exemptions``).

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``alarm``, ``status``, ``speed_kmh``, ``distance_dm``, ``jump``, place.
    limits : Limits
        See `clusters` and `towed`.
    state : structured array, (slots,)
        ``cluster`` and ``anchor``; changed in place.

    Returns
    -------
    Found of ``CLUSTERED``, (m,)

    Source: regulation §4, V45.
    """
    told = coded(batch.alarm, _THEFT, _IGNITION, _DISPLACEMENT)
    told[displaced(batch, limits, state["anchor"])] |= _MOVED
    grade = np.full(len(batch), Severity.SERIOUS, np.uint8)
    return cluster(batch, told, limits, state["cluster"], grade=grade, doubtful=_MOVED)
