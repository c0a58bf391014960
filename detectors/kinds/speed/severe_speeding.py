"""V04: half as fast again as the road allows."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.verbs import HOLD, hold, speed_facts, speed_measures
from detectors.why import Why, Words


@kind(
    code="V04",
    zh="严重超速",
    en="Severe speeding",
    classes="LCHBTF",
    severity=Severity.SEVERE,
    clause="《道路交通安全法》第九十九条 (Road Traffic Safety Law art. 99)",
    limits={
        "ratio": 1.5,
        "margin_kmh": 0.0,
        "points": 3,
        "hold_ms": 10_000,
        "gap_ms": 120_000,
        "merge_ms": 60_000,
    },
    state=HOLD,
    sparse=True,
    measures=speed_measures,
    fenced=lambda batch: batch.limit_fence,
    why=Why(
        measured=Words(
            "最高车速 {peak_kmh}，该处限速 {limit_kmh}，超出 {over_kmh}（{over_ratio}）。",
            "Highest speed {peak_kmh} where the limit is {limit_kmh}: {over_kmh} above it ({over_ratio}).",
        ),
        limit=Words(
            "限速 {limit_kmh}，取道路围栏 {fence} 的限速与本车型最高限速中较低者；达到 {bound_kmh}（限速的 {ratio}）"
            "即为严重超速。",
            "The limit of {limit_kmh} is the lower of that of road fence {fence} and the most that the vehicle's "
            "class may drive; {bound_kmh} ({ratio} of it) and more is severe.",
        ),
        guessed=Words(
            "该处未匹配到道路，限速 {limit_kmh} 为本车型默认值（推定）；达到 {bound_kmh}（限速的 {ratio}）即为严重超"
            "速。",
            "No road is known at the place: {limit_kmh} is the default of the vehicle's class, a guess; {bound_kmh} "
            "({ratio} of it) and more is severe.",
        ),
        along=Words(
            "限速 {limit_kmh}，取所匹配道路 {road} 的限速与本车型最高限速中较低者；达到 {bound_kmh}（限速的 {ratio}）即"
            "为严重超速。",
            "The limit of {limit_kmh} is the lower of that of road {road}, which the fixes were matched to, and the "
            "most that the vehicle's class may drive; {bound_kmh} ({ratio} of it) and more is severe.",
        ),
        clears=Words(
            "车速低于 {bound_kmh}；或连续达到该值不足 {hold_ms}、不足 {points} 个定位点，即不构成（仍可能构成一般超"
            "速）。",
            "A speed below {bound_kmh}; or reaching it for less than {hold_ms}, or for fewer than {points} fixes in "
            "a row (it may be ordinary speeding still).",
        ),
        sure=Words(
            "至判定成立时，各定位点均匹配到道路，限速有据。",
            "Up to when it was established, every fix was on a known road.",
        ),
        doubt=Words(
            "判定所依据的定位点中有未匹配到道路的，其限速为车型默认值，属推定。",
            "Some fix that it rests on was on no known road: its limit is the default of the class, a guess.",
        ),
        facts=speed_facts,
    ),
    examples=(
        Example("exactly half above, 10 s", {"speed_kmh": (90,) * 3, "limit_kmh": 60.0}, every_s=5, raised=(2,)),
        Example("not quite", {"speed_kmh": (89.9,) * 9, "limit_kmh": 60.0}, every_s=5, raised=()),
        Example("two fixes", {"speed_kmh": (120, 120, 60), "limit_kmh": 60.0}, every_s=30, raised=()),
    ),
)
def severe_speeding(batch: Enriched, limits: Limits, state: State) -> Found:
    """Ground speed at least 1.5 times the road's limit, held: three fixes over at least 10 s.

    A V01 or V02 episode that shares an instant with it is superseded by it: not counted, without a
    case of its own. Where no road is known the episode is a lead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh`` and ``limit_kmh`` [km/h].
    limits : Limits
        See `verbs.hold`.
    state : structured array of ``HOLD``, (vehicles,)
        Changed in place.

    Returns
    -------
    Found of ``HELD``, (m,)

    Source: rulebook §3, §6.
    """
    return hold(
        batch,
        limits.applies,
        limits,
        state,
        severity=Severity.SEVERE,
        limit_kmh=batch.limit_kmh,
        fence=batch.limit_fence,
        road=batch.limit_road,
        unmatched=(batch.limit_fence < 0) & (batch.limit_road < 0),
        reach=True,
    )
