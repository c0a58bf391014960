"""V39: a driver who falls asleep, as his terminal sees him."""

from typing import Any

import numpy as np

from detectors.clusters import CLUSTER, cluster
from detectors.codes import coded, named
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.items import bits, one

CODES = ("fatigue", "severe_fatigue")
_SEVERE = 2
_FATIGUE, _SEVERE_FATIGUE = bits("dsm", 1) | bits("abnormal", 0), bits("dsm", 1, least=2)
_FIRST, _SECOND = one("dsm", 1), one("dsm", 1, 2)


def _measures(row: Any) -> dict[str, object]:
    """How many alarms there were, and of which levels."""
    return {"times": int(row["alarms"]), "reason": named(int(row["codes"]), CODES)}


@kind(
    code="V39",
    zh="生理疲劳",
    en="Drowsiness",
    classes="LCHBTF",
    severity=Severity.SERIOUS,
    clause="《中华人民共和国道路交通安全法》第二十二条；《疲劳驾驶认定》GA/T 2372 "
    "(Road Traffic Safety Law art. 22; GA/T 2372)",
    limits={"alarms": 3, "window_ms": 900_000, "gap_ms": 300_000, "merge_ms": 900_000},
    state=CLUSTER,
    sparse=True,
    wakes=lambda batch: batch.items & (_FATIGUE | _SEVERE_FATIGUE) != 0,
    measures=_measures,
    why=Why(
        measured=Words(
            "终端报告驾驶员疲劳状态 {times} 次：{reason}。",
            "The terminal told {times} times of a drowsy driver: {reason}.",
        ),
        limit=Words(
            "过度疲劳不得驾驶；二级报警一次，或 {window_ms} 内报警 {alarms} 次即构成，相隔不超过 {merge_ms} "
            "的并为一起。",
            "Nobody drives who is overtired; one alarm of level 2, or {alarms} alarms within {window_ms}, are "
            "enough; those within {merge_ms} are one violation.",
        ),
        clears=Words(
            "图片或视频显示驾驶员未闭眼、未打哈欠；或停车休息，一级报警不足 {alarms} 次，即不构成。",
            "A picture that shows a driver with open eyes; or fewer than {alarms} alarms of level 1.",
        ),
        sure=Words(
            "由终端驾驶员状态监测报告；认定前应核对闭眼2秒以上的视频。连续驾驶时长另由超时驾驶各类判定。",
            "Told by the terminal's watch over the driver; the film should show eyes closed for 2 s. How long was "
            "driven is judged by the kinds of driving hours.",
        ),
    ),
    examples=(
        Example("level 2", {"speed_kmh": (60,) * 4, "items": (0, _SECOND, 0, 0)}, every_s=20, raised=(1,)),
        Example("three of level 1", {"speed_kmh": (60,) * 14, "items": (_FIRST, 0, 0, 0, 0, 0) * 2 + (_FIRST, 0)},
                every_s=60, raised=(12,)),
        Example("two of level 1", {"speed_kmh": (60,) * 14, "items": (_FIRST, 0, 0, 0, 0, 0, 0) * 2}, every_s=60,
                raised=()),
        Example("three within sixteen minutes", {"speed_kmh": (60,) * 18,
                "items": (_FIRST, *(0,) * 7) * 2 + (_FIRST, 0)}, every_s=60, raised=()),
        Example("one that lasts", {"speed_kmh": (60,) * 8, "items": bits("abnormal", 0)}, every_s=60, raised=()),
        Example("after a hole it is told anew", {"speed_kmh": (0,) * 3, "items": _FIRST}, every_s=400, raised=(2,)),
    ),
)  # fmt: skip
def drowsiness_alarm(batch: Enriched, limits: Limits, state: State) -> Found:
    """The terminal tells of a drowsy driver: once at level 2, or three times within 15 minutes.

    Codes of a fix: 2 ``severe_fatigue``, it tells of driver alarm (``dsm``) type 1 of level 2 or above; else 1
    ``fatigue``, it tells of it at level 1, or of abnormal driving bit 0. One alarm ``severe_fatigue`` is enough alone.
    Alarms, raising, merging and ends: see `clusters`. Severity 3, never a lead: whether driving hours are exceeded as
    well is another kind's episode, beside this one.

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

    Source: regulation §4, V39.
    """
    told = coded(batch.items, _FATIGUE, _SEVERE_FATIGUE)
    told[(told & _SEVERE) != 0] = _SEVERE
    grade = np.full(len(batch), Severity.SERIOUS, np.uint8)
    return cluster(batch, told, limits, state, grade=grade, alone=_SEVERE)
