"""V41: many warnings of a collision."""

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

CODES = ("forward_collision", "lane_departure", "too_close", "pedestrian", "blind_spot")
_RISKS = bits("adas", 1, 2, 3, 4, least=2) | bits("bsd", 1, 2, 3)
_CLOSE, _AHEAD, _FAINT = one("adas", 3, 2), one("adas", 1, 2), one("adas", 1, 1)


def _measures(row: Any) -> dict[str, object]:
    """How many alarms there were, and of what."""
    return {"times": int(row["alarms"]), "reason": named(int(row["codes"]), CODES)}


@kind(
    code="V41",
    zh="碰撞危险预警",
    en="Risk of collision",
    classes="LCHBF",
    severity=Severity.GENERAL,
    clause="《中华人民共和国道路交通安全法》第四十三条 (Road Traffic Safety Law art. 43)",
    limits={"alarms": 5, "window_ms": 1_800_000, "gap_ms": 300_000, "merge_ms": 1_800_000},
    state=CLUSTER,
    sparse=True,
    wakes=lambda batch: batch.items & _RISKS != 0,
    measures=_measures,
    why=Why(
        measured=Words(
            "终端报告二级碰撞危险 {times} 次：{reason}。",
            "The terminal told {times} times of a risk of collision, of level 2: {reason}.",
        ),
        limit=Words(
            "应与前车保持安全距离；{window_ms} 内二级报警 {alarms} 次即构成，相隔不超过 {merge_ms} 的并为一起；"
            "单次报警只是行为信号。",
            "Drivers keep their distance; {alarms} alarms of level 2 within {window_ms} are enough, those within "
            "{merge_ms} are one violation; a single one is but a signal.",
        ),
        clears=Words(
            "{window_ms} 内二级报警不足 {alarms} 次，或核实为设备误报，即不构成。",
            "Fewer than {alarms} alarms of level 2 within {window_ms}, or alarms that are found to be false.",
        ),
        sure=Words(
            "由终端高级驾驶辅助系统多次报告。",
            "Told several times by the vehicle's driver assistance.",
        ),
    ),
    examples=(
        Example("five within twenty minutes", {"speed_kmh": (60,) * 18, "items": (_CLOSE, 0, _AHEAD, 0) * 4 + (0, 0)},
                every_s=120, raised=(8,)),
        Example("four", {"speed_kmh": (60,) * 10, "items": (_CLOSE, 0) * 4 + (0, 0)}, every_s=120, raised=()),
        Example("of level 1", {"speed_kmh": (60,) * 20, "items": (_FAINT, 0) * 10}, every_s=60, raised=()),
        Example("five within forty minutes", {"speed_kmh": (60,) * 10, "items": (_CLOSE, 0) * 5}, every_s=300,
                raised=()),
        Example("in the blind spot", {"speed_kmh": (60,) * 12, "items": (one("bsd", 2), 0) * 6}, every_s=60,
                raised=(8,)),
    ),
)  # fmt: skip
def collision_risk(batch: Enriched, limits: Limits, state: State) -> Found:
    """The terminal warns five times within 30 minutes of a collision.

    Codes of a fix: by the driver assistance alarms (``adas``) of level 2 or above that it tells of, 1
    ``forward_collision`` type 1, 2 ``lane_departure`` type 2, 4 ``too_close`` type 3, 8 ``pedestrian`` type 4; 16
    ``blind_spot``, it tells of a blind spot alarm (``bsd``) of any type: these have no levels. Alarms, raising, merging
    and ends: see `clusters`. Severity 2: single alarms are signals and no violation. Never a lead.

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

    Source: regulation §4, V41.
    """
    told = coded(batch.items, *(bits("adas", type_, least=2) for type_ in (1, 2, 3, 4)), bits("bsd", 1, 2, 3))
    return cluster(batch, told, limits, state, grade=np.full(len(batch), Severity.GENERAL, np.uint8))
