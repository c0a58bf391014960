"""V37: a hand-held phone at the wheel."""

from typing import Any

import numpy as np

from detectors.clusters import CLUSTER, cluster
from detectors.codes import coded
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.items import bits, one

_PHONE = bits("dsm", 2) | bits("abnormal", 1)
_TOLD = one("dsm", 2)


def alarm_measures(row: Any) -> dict[str, object]:
    """How many alarms there were."""
    return {"times": int(row["alarms"])}


@kind(
    code="V37",
    zh="接打手持电话",
    en="Hand-held phone",
    classes="LCHBTF",
    severity=Severity.GENERAL,
    clause="《中华人民共和国道路交通安全法实施条例》第六十二条第（三）项 "
    "(Regulation on the Implementation of the Road Traffic Safety Law art. 62(3))",
    limits={"from_kmh": 30.0, "alarms": 1, "window_ms": 300_000, "gap_ms": 300_000, "merge_ms": 300_000},
    state=CLUSTER,
    sparse=True,
    wakes=lambda batch: batch.items & _PHONE != 0,
    measures=alarm_measures,
    why=Why(
        measured=Words(
            "终端报告驾驶员行车中接打手持电话 {times} 次。",
            "The terminal told {times} times that the driver held a phone while driving.",
        ),
        limit=Words(
            "驾驶时不得拨打接听手持电话；车速不低于 {from_kmh} 时终端报警 {alarms} 次即构成，相隔不超过 "
            "{merge_ms} 的并为一起。",
            "No hand-held phone at the wheel; {alarms} alarm of the terminal at {from_kmh} or more is enough, "
            "those within {merge_ms} are one violation.",
        ),
        clears=Words(
            "图片或视频显示未使用手持电话；或车速低于 {from_kmh}，即不构成。",
            "A picture that shows no phone in the hand; or a speed below {from_kmh}.",
        ),
        sure=Words(
            "由终端驾驶员行为分析报告；认定前应核对图片。",
            "Told by the terminal's analysis of the driver; the picture is to be looked at.",
        ),
    ),
    examples=(
        Example("at 60", {"speed_kmh": (60,) * 4, "items": (0, _TOLD, 0, 0)}, every_s=20, raised=(1,)),
        Example("by the video terminal", {"speed_kmh": (60,) * 4, "items": bits("abnormal", 1)}, every_s=20,
                raised=(0,)),
        Example("at 29", {"speed_kmh": (29,) * 4, "items": (0, _TOLD, 0, 0)}, every_s=20, raised=()),
        Example("again after four minutes", {"speed_kmh": (60,) * 8, "items": (_TOLD, 0, 0, 0, _TOLD, 0, 0, 0)},
                every_s=60, raised=(0,)),
        Example("again after six", {"speed_kmh": (60,) * 8, "items": (_TOLD, 0, 0, 0, 0, 0, _TOLD, 0)}, every_s=60,
                raised=(0, 6)),
        Example("smoking is another kind", {"speed_kmh": (60,) * 4, "items": one("dsm", 3)}, every_s=20, raised=()),
    ),
)  # fmt: skip
def phone_use(batch: Enriched, limits: Limits, state: State) -> Found:
    """The terminal tells at 30 km/h or more that the driver uses a hand-held phone; within 5 minutes it is one episode.

    The one code of a fix: its speed ≥ ``from_kmh`` and it tells of driver alarm (``dsm``) type 2, of any level, or of
    abnormal driving bit 1. Alarms, raising, merging and ends: see `clusters`. Severity 2, never a lead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``items``, ``speed_kmh``.
    limits : Limits
        See `clusters`; ``from_kmh`` [km/h].
    state : structured array of ``CLUSTER``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``CLUSTERED``, (m,)

    Source: regulation §4, V37.
    """
    told = coded(batch.items, _PHONE)
    told[~(batch.speed_kmh >= limits.at("from_kmh"))] = 0
    return cluster(batch, told, limits, state, grade=np.full(len(batch), Severity.GENERAL, np.uint8))
