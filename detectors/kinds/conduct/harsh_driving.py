"""V42: harsh driving."""

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

CODES = ("acceleration", "braking", "turning", "idling", "stalling", "coasting", "overspeed")
_HARSH = bits("harsh", *range(1, 8))
_GAS, _BRAKE, _TURN = one("harsh", 1), one("harsh", 2), one("harsh", 3)


def _measures(row: Any) -> dict[str, object]:
    """How many alarms there were, and of what."""
    return {"times": int(row["alarms"]), "reason": named(int(row["codes"]), CODES)}


@kind(
    code="V42",
    zh="激烈驾驶",
    en="Harsh driving",
    classes="LCHBF",
    severity=Severity.GENERAL,
    clause="《道路旅客运输企业安全管理规范》（条款号待核实）；《中华人民共和国道路交通安全法实施条例》"
    "第六十二条第（四）项 (Safety Management Norms for Passenger Carriers, number unverified; Regulation on the "
    "Implementation of the Road Traffic Safety Law art. 62(4))",
    limits={"alarms": 3, "window_ms": 1_800_000, "gap_ms": 300_000, "merge_ms": 1_800_000},
    state=CLUSTER,
    sparse=True,
    wakes=lambda batch: batch.items & _HARSH != 0,
    measures=_measures,
    why=Why(
        measured=Words(
            "终端报告激烈驾驶 {times} 次：{reason}。",
            "The terminal told {times} times of harsh driving: {reason}.",
        ),
        limit=Words(
            "应平稳驾驶，不得空挡滑行；{window_ms} 内报警 {alarms} 次即构成，相隔不超过 {merge_ms} 的并为一起；"
            "单次报警只是行为信号。",
            "Drivers drive smoothly and do not coast in neutral; {alarms} alarms within {window_ms} are enough, "
            "those within {merge_ms} are one violation; a single one is but a signal.",
        ),
        clears=Words(
            "{window_ms} 内报警不足 {alarms} 次，或属紧急避险，即不构成。",
            "Fewer than {alarms} alarms within {window_ms}, or an emergency that called for it.",
        ),
        sure=Words(
            "由终端加速度与车辆总线数据多次报告。",
            "Told several times by the terminal, from acceleration and the vehicle's bus.",
        ),
    ),
    examples=(
        Example("three times", {"speed_kmh": (60,) * 12, "items": (_GAS, 0, 0, 0, _BRAKE, 0, 0, 0, _TURN, 0, 0, 0)},
                every_s=120, raised=(8,)),
        Example("twice", {"speed_kmh": (60,) * 12, "items": (_GAS, 0, 0, 0, _BRAKE, 0, 0, 0, 0, 0, 0, 0)},
                every_s=120, raised=()),
        Example("braking and turning are two", {"speed_kmh": (60,) * 6, "items": (_BRAKE | _TURN, 0, 0, _GAS, 0, 0)},
                every_s=60, raised=(3,)),
        Example("three within forty minutes", {"speed_kmh": (60,) * 6, "items": (_GAS, 0) * 3}, every_s=600,
                raised=()),
        Example("a taxi", {"speed_kmh": (60,) * 6, "items": (_GAS, 0) * 3}, every_s=60, raised=(), kind="T"),
    ),
)  # fmt: skip
def harsh_driving(batch: Enriched, limits: Limits, state: State) -> Found:
    """The terminal tells three times within 30 minutes of harsh driving.

    Codes of a fix, by the types of driving alarms (``harsh``) that it tells of: 1 ``acceleration`` type 1, 2
    ``braking`` 2, 4 ``turning`` 3, 8 ``idling`` 4, 16 ``stalling`` 5, 32 ``coasting`` 6, 64 ``overspeed`` (of the
    engine) 7. Alarms, raising, merging and ends: see `clusters`. Severity 2: single alarms are signals and no
    violation. Never a lead.

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

    Source: regulation §4, V42.
    """
    told = coded(batch.items, *(bits("harsh", type_) for type_ in range(1, 8)))
    return cluster(batch, told, limits, state, grade=np.full(len(batch), Severity.GENERAL, np.uint8))
