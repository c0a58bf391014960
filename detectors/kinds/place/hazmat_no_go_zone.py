"""V20: hazardous goods where they may not go."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.verbs import HOLD, hold, no_measures
from detectors.why import Why, Words


@kind(
    code="V20",
    zh="危货驶入禁行区域",
    en="Hazardous goods in a no-go area",
    classes="H",
    severity=Severity.SEVERE,
    clause="《危险化学品安全管理条例》第四十九条（条款号待核实） "
    "(Hazardous Chemicals Safety Regulations art. 49, number unverified)",
    limits={"points": 2, "hold_ms": 30_000, "gap_ms": 300_000, "merge_ms": 60_000},
    state=HOLD,
    measures=no_measures,
    fenced=lambda batch: batch.no_go_fence,
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
            "不驶入该区域；或在内不足 {hold_ms}、少于 {points} 个定位点，即不构成。通行证未参与判定，持有有效通行证"
            "可申诉。",
            "Not entering the area; or being inside for less than {hold_ms}, or for fewer than {points} fixes. "
            "Passes were not looked at: whoever holds a valid one may appeal.",
        ),
        sure=Words(
            "定位点与围栏边界逐点精确比对。",
            "Every fix was compared exactly with the area's boundary.",
        ),
    ),
    examples=(
        Example("30 s inside", {"speed_kmh": (30,) * 4, "no_go_fence": 0}, every_s=10, raised=(3,)),
        Example("20 s inside", {"speed_kmh": (30,) * 3, "no_go_fence": 0}, every_s=10, raised=()),
        Example("outside", {"speed_kmh": (30,) * 9, "no_go_fence": -1}, every_s=10, raised=()),
        Example("a bus", {"speed_kmh": (30,) * 9, "no_go_fence": 0}, every_s=10, raised=(), kind="B"),
    ),
)
def hazmat_no_go_zone(batch: Enriched, limits: Limits, state: State) -> Found:
    """A hazardous-goods vehicle inside a no-go fence: two fixes over at least 30 s, at any speed.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``no_go_fence``.
    limits : Limits
        See `verbs.hold`.
    state : structured array of ``HOLD``, (vehicles,)
        Changed in place.

    Returns
    -------
    Found of ``HELD``, (m,)

    Source: rulebook §3, §6.
    """
    inside = limits.applies & (batch.no_go_fence >= 0)
    return hold(batch, inside, limits, state, severity=Severity.SEVERE, fence=batch.no_go_fence)
