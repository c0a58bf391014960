"""V24: on the road inside an area that is closed."""

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.places import ahead, kept, passed, unpassed
from detectors.spans import SPAN, span, way_measures
from detectors.why import Why, Words
from ingest.batch import Bool, Int32, Int64

SNOW = {
    "id": "S1",
    "kind": "closure",
    "box": (87.2, 43.9, 87.4, 44.1),
    "valid_from": "2026-03-02T07:00:00",
    "valid_to": "2026-03-02T12:00:00",
}


@kind(
    code="V24",
    zh="停运管控期间违规运行",
    en="Running against a closure order",
    classes="LCHB",
    severity=Severity.SEVERE,
    clause="《道路运输企业和城市客运企业安全生产重大事故隐患判定标准（试行）》第三条第(四)项（条款号待核实） "
    "(Criteria of Major Accident Hazards in Road Transport, trial, art. 3(4), number unverified)",
    limits={
        "moving_kmh": 5.0,
        "notice_ms": 1_800_000,
        "points": 3,
        "gap_ms": 300_000,
        "merge_ms": 300_000,
        "ahead_dm": 100_000,
    },
    state=SPAN,
    sparse=True,
    measures=way_measures,
    tables=("permits",),
    fenced=lambda batch: unpassed(batch, "closure", "closure_pass"),
    why=Why(
        measured=Words(
            "在停运管控围栏 {fence} 之内行驶，其间行驶 {distance_m}。",
            "Driven inside closed area {fence}: {distance_m} while the order was in force.",
        ),
        limit=Words(
            "管控令以围栏 {fence} 的有效期为准，发布 {notice_ms} 之后，区域内不得运行；车速达 {moving_kmh} 的定位点连续"
            "不少于 {points} 个即构成。",
            "The order is in force for as long as fence {fence} holds; from {notice_ms} after its start nothing may "
            "run inside it; {points} fixes in a row at {moving_kmh} or more are enough.",
        ),
        clears=Words(
            "在 {notice_ms} 之内驶离或停驶；或当时持有该管控（或不限区域）的通行证，事后补录的亦可；或管控令当时并未生"
            "效，即不构成。",
            "Having left or stopped within {notice_ms}; or a pass for this closure, or for all, that held then, also "
            "one that is handed in later; or an order that was not in force.",
        ),
        sure=Words(
            "定位点与围栏边界逐点精确比对，登记的通行证已核对。",
            "Every fix was compared exactly with the area's boundary, and the passes on record were looked at.",
        ),
    ),
    warns=Words(
        "前方所配线路穿过停运管控区域，请停驶或绕行。",
        "The assigned route ahead runs through a closed area: stop, or go round it.",
    ),
    examples=(
        Example("three fixes in the snow", {"speed_kmh": (40,) * 6}, every_s=10, raised=(2,), fences=(SNOW,)),
        Example("two fixes, then it stands", {"speed_kmh": (40, 40, *[0] * 9)}, every_s=10, raised=(), fences=(SNOW,)),
        Example("within the notice", {"speed_kmh": (40,) * 6}, every_s=10, raised=(), start="07:28:00", fences=(SNOW,)),
        Example(
            "as the notice ends", {"speed_kmh": (40,) * 6}, every_s=10, raised=(3,), start="07:29:50", fences=(SNOW,)
        ),
        Example("the day after", {"speed_kmh": (40,) * 6}, every_s=10, raised=(), start="12:00:00", fences=(SNOW,)),
        Example("freight", {"speed_kmh": (40,) * 6}, every_s=10, raised=(), kind="F", fences=(SNOW,)),
        Example(
            "with a pass",
            {"speed_kmh": (40,) * 6},
            every_s=10,
            raised=(),
            fences=(SNOW,),
            papers={"permits": ({"permit": "closure_pass", "fence": "S1"},)},
        ),
    ),
)
def closure_order_violation(batch: Enriched, limits: Limits, state: State) -> Found:
    """A vehicle moves inside a closed area: three fixes in a row, from half an hour after the order began.

    Condition at a fix: class L, C, H or B; speed ≥ ``moving_kmh`` 5; and inside at least one ``closure`` fence for
    its class and time (the fence's validity is that of the order) with t ≥ the fence's ``valid_from`` + ``notice_ms``
    1 800 000 (a fence without one always was), for which the vehicle has no pass: no row of ``permits`` of sort
    ``closure_pass`` holds at the fix whose ``fence`` is that fence's id or empty. The rest is `detectors.spans`:
    ``points`` 3, no time, no distance, ``gap_ms`` 300 000, ``merge_ms`` 300 000. Severity 4, never a lead. Shown are
    the fence of the episode's first fix (of several that count the one with the least limit, none is 0, of equal ones
    the first in the file) and the distance of its confirmed runs.

    A warning is given at a fix where the condition is false and `places.ahead` finds a closure that holds at the fix
    (with or without its notice) within ``ahead_dm`` along the assigned route in the direction of travel; once, until
    the condition is true, or none or another is ahead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh``, fences, permits and assignments.
    limits : Limits
        See `spans.span`; ``moving_kmh``, ``notice_ms``, ``ahead_dm`` (0 for no warnings), looked up at each fix.
    state : structured array of ``SPAN``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``SPANNED``, (m,)

    Source: regulation §4, V24.
    """
    without_pass = passed(batch, "closure_pass")
    begins_ms = batch.around.zones.begins_ms
    noticed_ms = batch.time_ms - limits.at("notice_ms")

    def counts(rows: Int64, which: Int32) -> Bool:
        noticed: Bool = begins_ms[which] <= noticed_ms[rows]
        return noticed & without_pass(rows, which)

    fence = kept(batch, "closure", counts)
    moving = batch.speed_kmh >= limits.at("moving_kmh")
    look = limits.at("ahead_dm"), limits.at("gap_ms")
    return span(
        batch,
        limits.applies & moving & (fence >= 0),
        limits,
        state,
        severity=np.full(len(batch), Severity.SEVERE, np.uint8),
        fence=fence,
        ahead=ahead(batch, "closure", limits.applies, *look, without_pass),
    )
