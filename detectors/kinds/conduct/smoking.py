"""V38: smoking at the wheel."""

import numpy as np

from detectors.clusters import CLUSTER, cluster
from detectors.codes import coded
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.kinds.conduct.phone_use import alarm_measures
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.items import bits, one

_SMOKING = bits("dsm", 3) | bits("abnormal", 2)
_TOLD = one("dsm", 3)


@kind(
    code="V38",
    zh="驾驶时抽烟",
    en="Smoking at the wheel",
    classes="LCHBTF",
    severity=Severity.NOTICE,
    clause="《道路旅客运输企业安全管理规范》、《危险货物道路运输安全管理办法》（条款号待核实） (Safety Management "
    "Norms for Passenger Carriers; Measures for the Safety of Road Transport of Dangerous Goods, numbers unverified)",
    limits={"alarms": 1, "window_ms": 600_000, "gap_ms": 300_000, "merge_ms": 600_000},
    state=CLUSTER,
    sparse=True,
    wakes=lambda batch: batch.items & _SMOKING != 0,
    measures=alarm_measures,
    why=Why(
        measured=Words(
            "终端报告驾驶员抽烟 {times} 次。",
            "The terminal told {times} times that the driver smoked.",
        ),
        limit=Words(
            "驾驶时不得抽烟；终端报警 {alarms} 次即构成，相隔不超过 {merge_ms} 的并为一起；危险货物车辆为火源，"
            "一律为严重。",
            "No smoking at the wheel; {alarms} alarm of the terminal is enough, those within {merge_ms} are one "
            "violation; with hazardous goods, to which it sets fire, it is severe.",
        ),
        clears=Words(
            "图片或视频显示未抽烟，即不构成。",
            "A picture that shows nobody smoking.",
        ),
        sure=Words(
            "由终端驾驶员行为分析报告；认定前应核对图片。",
            "Told by the terminal's analysis of the driver; the picture is to be looked at.",
        ),
    ),
    examples=(
        Example("once", {"speed_kmh": (60,) * 4, "items": (0, _TOLD, 0, 0)}, every_s=20, raised=(1,)),
        Example("with hazardous goods", {"speed_kmh": (60,) * 4, "items": (0, _TOLD, 0, 0)}, every_s=20, raised=(1,),
                kind="H"),
        Example("all the time is once", {"speed_kmh": (60,) * 6, "items": bits("abnormal", 2)}, every_s=240,
                raised=(0,)),
        Example("again after eleven minutes", {"speed_kmh": (60,) * 13, "items": (_TOLD, *(0,) * 10, _TOLD, 0)},
                every_s=60, raised=(0, 11)),
        Example("the phone is another kind", {"speed_kmh": (60,) * 4, "items": one("dsm", 2)}, every_s=20, raised=()),
    ),
)  # fmt: skip
def smoking(batch: Enriched, limits: Limits, state: State) -> Found:
    """The terminal tells that the driver smokes; within 10 minutes it is one episode.

    The one code of a fix: it tells of driver alarm (``dsm``) type 3, of any level, or of abnormal driving bit 2, at any
    speed. Alarms, raising, merging and ends: see `clusters`. A fix gives severity 4 where the vehicle is of class H at
    it, else 1. Never a lead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``items``.
    limits : Limits
        See `clusters`.
    state : structured array of ``CLUSTER``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``CLUSTERED``, (m,)

    Source: regulation §4, V38.
    """
    grade = np.where(batch.of_class("H"), np.uint8(Severity.SEVERE), np.uint8(Severity.NOTICE))
    return cluster(batch, coded(batch.items, _SMOKING), limits, state, grade=grade)
