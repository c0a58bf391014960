"""V20: hazardous goods where they may not go."""

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.places import ahead, passed, unpassed
from detectors.spans import SPAN, span
from detectors.verbs import no_measures
from detectors.why import Why, Words

CORE = {"id": "N1", "kind": "hazmat_no_go", "box": (87.29, 43.99, 87.31, 44.01)}


@kind(
    code="V20",
    zh="危货驶入禁行区域",
    en="Hazardous goods in a no-go area",
    classes="H",
    severity=Severity.SEVERE,
    clause="《危险化学品安全管理条例》第四十九条（条款号待核实） "
    "(Hazardous Chemicals Safety Regulations art. 49, number unverified)",
    limits={"points": 2, "hold_ms": 30_000, "gap_ms": 300_000, "merge_ms": 60_000, "ahead_dm": 100_000},
    state=SPAN,
    sparse=True,
    measures=no_measures,
    tables=("permits",),
    fenced=lambda batch: unpassed(batch, "hazmat_no_go", "hazmat_pass"),
    why=Why(
        measured=Words(
            "危险货物运输车辆的定位点位于禁行围栏 {fence} 之内。",
            "Fixes of a vehicle that carries hazardous goods were inside no-go area {fence}.",
        ),
        limit=Words(
            "危险货物运输车辆不得进入禁行围栏 {fence}，不论车速；在内不少于 {points} 个定位点且达 {hold_ms} 即构成。",
            "Vehicles that carry hazardous goods may not enter no-go area {fence} at any speed; {points} fixes "
            "inside over at least {hold_ms} are enough.",
        ),
        clears=Words(
            "不驶入该区域；或在内不足 {hold_ms}、少于 {points} 个定位点；或当时持有该区域（或不限区域）的危货通行证，"
            "事后补录的亦可，即不构成。",
            "Not entering the area; or being inside for less than {hold_ms}, or for fewer than {points} fixes; or a "
            "pass for hazardous goods that held then, for this area or for all, also one that is handed in later.",
        ),
        sure=Words(
            "定位点与围栏边界逐点精确比对，登记的通行证已核对。",
            "Every fix was compared exactly with the area's boundary, and the passes on record were looked at.",
        ),
    ),
    warns=Words(
        "前方所配线路穿过危货禁行围栏，请绕行或出示通行证。",
        "The assigned route ahead runs through a no-go area for hazardous goods: go round it, or carry a pass.",
    ),
    examples=(
        Example("30 s inside", {"speed_kmh": (30,) * 4}, every_s=10, raised=(3,), fences=(CORE,)),
        Example("20 s inside", {"speed_kmh": (30,) * 3}, every_s=10, raised=(), fences=(CORE,)),
        Example("outside", {"speed_kmh": (30,) * 9, "lon": 87.4}, every_s=10, raised=(), fences=(CORE,)),
        Example("a bus", {"speed_kmh": (30,) * 9}, every_s=10, raised=(), kind="B", fences=(CORE,)),
        Example(
            "with a pass",
            {"speed_kmh": (30,) * 9},
            every_s=10,
            raised=(),
            fences=(CORE,),
            papers={"permits": ({"permit": "hazmat_pass", "fence": "N1"},)},
        ),
        Example(
            "a pass that ends on the way",
            {"speed_kmh": (30,) * 9},
            every_s=10,
            raised=(5,),
            fences=(CORE,),
            papers={"permits": ({"permit": "hazmat_pass", "valid_to": "2026-03-02T08:00:20"},)},
        ),
        Example(
            "a pass for one of two areas",
            {"speed_kmh": (30,) * 9},
            every_s=10,
            raised=(3,),
            fences=(CORE, {**CORE, "id": "N2"}),
            papers={"permits": ({"permit": "hazmat_pass", "fence": "N1"},)},
        ),
    ),
    version=2,
)
def hazmat_no_go_zone(batch: Enriched, limits: Limits, state: State) -> Found:
    """A hazardous-goods vehicle inside a no-go fence: two fixes over at least 30 s, at any speed.

    Condition at a fix: class H, and inside at least one ``hazmat_no_go`` fence for its class and time for which the
    vehicle has no pass: no row of ``permits`` of sort ``hazmat_pass`` holds at the fix whose ``fence`` is that fence's
    id or empty. Of two fences around a fix of which one is passed the other counts. The rest is `detectors.spans`:
    ``points`` 2, ``hold_ms`` 30 000 (reached), ``gap_ms`` 300 000, ``merge_ms`` 60 000. Severity 4, never a lead.
    Shown is the fence of the episode's first fix: of several that count the one with the least limit (none is 0),
    of equal ones the first in the file.

    A warning is given at a fix outside such fences for which `places.ahead` finds one within ``ahead_dm`` along the
    assigned route in the direction of travel; once, until the vehicle is inside one, or none or another is ahead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``inside("hazmat_no_go")``, permits and assignments.
    limits : Limits
        See `spans.span`; ``ahead_dm``, looked up at each fix, 0 for no warnings.
    state : structured array of ``SPAN``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``SPANNED``, (m,)

    Source: rulebook §3, §6.
    """
    fence = unpassed(batch, "hazmat_no_go", "hazmat_pass")
    look = limits.at("ahead_dm"), limits.at("gap_ms")
    return span(
        batch,
        limits.applies & (fence >= 0),
        limits,
        state,
        severity=np.full(len(batch), Severity.SEVERE, np.uint8),
        fence=fence,
        ahead=ahead(batch, "hazmat_no_go", limits.applies, *look, passed(batch, "hazmat_pass")),
    )
