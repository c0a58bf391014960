"""V43: driven with cameras that see nothing."""

from typing import Any

import numpy as np

from detectors.codes import coded, named
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.lasting import LASTING, lasting
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.items import bits

CODES = ("signal_lost", "covered", "", "", "", "", "", "repeated")
_LOST, _COVERED = bits("video_alarm", 0), bits("video_alarm", 1)


def _measures(row: Any) -> dict[str, object]:
    """What is wrong with the cameras."""
    return {"reason": named(int(row["codes"]), CODES)}


@kind(
    code="V43",
    zh="摄像头遮挡或视频丢失",
    en="Camera covered or video lost",
    classes="LCH",
    severity=Severity.GENERAL,
    clause="《道路运输车辆动态监督管理办法》第二十七条 (Dynamic Supervision Rules 2022 art. 27)",
    limits={
        "points": 3,
        "hold_ms": 0,
        "driven_ms": 300_000,
        "gap_ms": 300_000,
        "merge_ms": 1_800_000,
        "pair_ms": 300_000,
        "drive_kmh": 5.0,
        "repeat_days": 3,
    },
    state=LASTING,
    sparse=True,
    wakes=lambda batch: batch.items & (_LOST | _COVERED) != 0,
    measures=_measures,
    why=Why(
        measured=Words(
            "车辆行驶中{reason}。",
            "Driven with this, as the terminal told: {reason}.",
        ),
        limit=Words(
            "视频装置应保持有效；连续报告期间行驶不少于 {driven_ms} 即构成；七日内有 {repeat_days} 日如此，疑为规避，为"
            "较重。",
            "Cameras are kept in working order; {driven_ms} of driving while it is told without a break is enough; on "
            "{repeat_days} of seven days it looks like evasion and is serious.",
        ),
        clears=Words(
            "行驶不足 {driven_ms} 即恢复；或只在停车时出现，即不构成。",
            "Cameras that see again before {driven_ms} of driving; or that are blind at a standstill only.",
        ),
        sure=Words(
            "由终端视频报警连续报告，行驶时间由卫星定位计算。",
            "Told by the terminal's video alarms fix after fix; the driving was measured by satellite.",
        ),
    ),
    examples=(
        Example("five minutes covered", {"speed_kmh": (60,) * 8, "items": _COVERED}, every_s=60, raised=(5,)),
        Example("four minutes", {"speed_kmh": (60,) * 8, "items": (_LOST,) * 5 + (0,) * 3}, every_s=60, raised=()),
        Example("at a standstill", {"speed_kmh": (0,) * 20 + (60,) * 3, "items": _LOST}, every_s=60, raised=()),
        Example("a light in between breaks nothing", {"speed_kmh": (60, 60, 60, 0, 0, 60, 60, 60, 60), "items": _LOST},
                every_s=60, raised=(7,)),
        Example("another camera is enough", {"speed_kmh": (60,) * 8, "items": (_LOST, _COVERED) * 4}, every_s=60,
                raised=(5,)),
        Example("again after half an hour", {"speed_kmh": (60,) * 24,
                "items": (_LOST,) * 4 + (0,) * 16 + (_LOST,) * 4}, every_s=120, raised=(3, 23)),
        Example("the card is full", {"speed_kmh": (60,) * 8, "items": bits("video_alarm", 2, 6)}, every_s=60,
                raised=()),
    ),
)  # fmt: skip
def camera_blocked(batch: Enriched, limits: Limits, state: State) -> Found:
    """Driven for 5 minutes while the terminal tells without a break that cameras are covered or their signal is lost.

    Codes of a fix: 1 ``signal_lost``, the video alarm has bit 0; 2 ``covered``, it has bit 1. Runs, confirmation,
    merging, what is repeated and ends: see `lasting`: ``driven_ms`` of driving, and ``repeat_days``. Severity 2; where
    it is repeated 3, with the code 128 ``repeated``. Never a lead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``items``.
    limits : Limits
        See `lasting`.
    state : structured array of ``LASTING``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``LASTED``, (m,)

    Source: regulation §4, V43.
    """
    told = coded(batch.items, _LOST, _COVERED)
    return lasting(batch, told, limits, state, grade=np.full(len(batch), Severity.GENERAL, np.uint8))
