"""V40: a driver who minds something else than the road."""

from typing import Any

import numpy as np

from detectors.clusters import CLUSTER, cluster
from detectors.codes import coded, named
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.items import HANDS_OFF, NOT_AHEAD, SEAT_BELT, bits, one

CODES = ("distracted", "driver_abnormal", "hands_off", "no_belt", "not_ahead")
_HANDS_OFF = 4
_TYPES = (4, 5, HANDS_OFF, SEAT_BELT, NOT_AHEAD)
_DSM = bits("dsm", *_TYPES)
_AWAY, _BELT, _HANDS = one("dsm", 4), one("dsm", SEAT_BELT), one("dsm", HANDS_OFF)


def _measures(row: Any) -> dict[str, object]:
    """How many alarms there were, and of what."""
    return {"times": int(row["alarms"]), "reason": named(int(row["codes"]), CODES)}


@kind(
    code="V40",
    zh="分心驾驶",
    en="Distraction",
    classes="LCHBTF",
    severity=Severity.GENERAL,
    clause="《中华人民共和国道路交通安全法》第二十二条、第五十一条 (Road Traffic Safety Law arts. 22 and 51)",
    limits={"alarms": 3, "window_ms": 600_000, "gap_ms": 300_000, "merge_ms": 600_000},
    state=CLUSTER,
    sparse=True,
    wakes=lambda batch: batch.items & _DSM != 0,
    measures=_measures,
    why=Why(
        measured=Words(
            "终端报告驾驶员分心 {times} 次：{reason}。",
            "The terminal told {times} times of a distracted driver: {reason}.",
        ),
        limit=Words(
            "驾驶员应专心安全驾驶并系安全带；{window_ms} 内报警 {alarms} 次即构成，双手脱离方向盘的为较重；"
            "相隔不超过 {merge_ms} 的并为一起。",
            "Drivers mind the road and wear a belt; {alarms} alarms within {window_ms} are enough, hands off the "
            "wheel make it serious; those within {merge_ms} are one violation.",
        ),
        clears=Words(
            "图片或视频显示未分心；或 {window_ms} 内报警不足 {alarms} 次，即不构成。",
            "Pictures that show a driver who minds the road; or fewer than {alarms} alarms within {window_ms}.",
        ),
        sure=Words(
            "由终端驾驶员行为分析多次报告；认定前应核对图片。",
            "Told several times by the terminal's analysis of the driver; the pictures are to be looked at.",
        ),
    ),
    examples=(
        Example("three times", {"speed_kmh": (60,) * 8, "items": (_AWAY, 0, 0) * 2 + (_BELT, 0)}, every_s=60,
                raised=(6,)),
        Example("three things at once", {"speed_kmh": (60,) * 3, "items": (0, _AWAY | _BELT | _HANDS, 0)}, every_s=60,
                raised=(1,)),
        Example("twice", {"speed_kmh": (60,) * 8, "items": (_AWAY, 0, 0, 0) * 2}, every_s=60, raised=()),
        Example("three within twelve minutes", {"speed_kmh": (60,) * 14, "items": (_AWAY, *(0,) * 5) * 2 + (_AWAY, 0)},
                every_s=60, raised=()),
        Example("no belt all the way is once", {"speed_kmh": (60,) * 14, "items": _BELT}, every_s=60, raised=()),
        Example("hands off later on", {"speed_kmh": (60,) * 10, "items": (_AWAY, 0, 0) * 2 + (_AWAY, 0, _HANDS, 0)},
                every_s=60, raised=(6,)),
    ),
)  # fmt: skip
def distraction(batch: Enriched, limits: Limits, state: State) -> Found:
    """The terminal tells three times within 10 minutes that the driver minds something else than the road.

    Codes of a fix, by the driver alarms (``dsm``) that it tells of, of any level: 1 ``distracted`` type 4, 2
    ``driver_abnormal`` type 5, 4 ``hands_off`` type 6, 8 ``no_belt`` type 7, 16 ``not_ahead`` type 8. Alarms, raising,
    merging and ends: see `clusters`. Severity 2, of ``hands_off`` 3. Never a lead.

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

    Source: regulation §4, V40.
    """
    told = coded(batch.items, *(bits("dsm", type_) for type_ in _TYPES))
    grade = np.full(len(batch), Severity.GENERAL, np.uint8)
    return cluster(batch, told, limits, state, grade=grade, heavy=_HANDS_OFF, heavier=int(Severity.SERIOUS))
