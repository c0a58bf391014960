"""V03: a coach above four fifths of the limit at night."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.verbs import HOLD, hold, speed_facts, speed_measures
from detectors.why import Why, Words


@kind(
    code="V03",
    zh="夜间超速",
    en="Speeding at night",
    classes="LC",
    severity=Severity.GENERAL,
    clause="《道路运输车辆动态监督管理办法》第二十四条 (Dynamic Supervision Measures art. 24)",
    limits={
        "ratio": 0.8,
        "margin_kmh": 3.0,
        "points": 3,
        "hold_ms": 30_000,
        "gap_ms": 120_000,
        "merge_ms": 60_000,
    },
    state=HOLD,
    sparse=True,
    measures=speed_measures,
    fenced=lambda batch: batch.limit_fence,
    why=Why(
        measured=Words(
            "夜间最高车速 {peak_kmh}，该处夜间限速 {allowed_kmh}，超出 {over_allowed_kmh}。",
            "Highest speed {peak_kmh} at night where {allowed_kmh} is the limit by night: {over_allowed_kmh} above it.",
        ),
        limit=Words(
            "22:00至次日06:00，客运车辆限速为日间限速 {limit_kmh} 的 {ratio}，即 {allowed_kmh}；日间限速取道路围栏 "
            "{fence} 的限速与本车型最高限速中较低者；高于 {bound_kmh}（另加 {margin_kmh}）才计。",
            "From 22:00 to 06:00 a coach may drive {ratio} of the limit by day of {limit_kmh}, that is "
            "{allowed_kmh}; the limit by day is the lower of that of road fence {fence} and the most that the class "
            "may drive; only speeds above {bound_kmh} ({margin_kmh} more) count.",
        ),
        guessed=Words(
            "22:00至次日06:00，客运车辆限速为日间限速 {limit_kmh} 的 {ratio}，即 {allowed_kmh}；该处未匹配到道路，日"
            "间限速为本车型默认值（推定）；高于 {bound_kmh}（另加 {margin_kmh}）才计。",
            "From 22:00 to 06:00 a coach may drive {ratio} of the limit by day of {limit_kmh}, that is "
            "{allowed_kmh}; no road is known at the place, the limit by day is the default of the class, a guess; "
            "only speeds above {bound_kmh} ({margin_kmh} more) count.",
        ),
        along=Words(
            "22:00至次日06:00，客运车辆限速为日间限速 {limit_kmh} 的 {ratio}，即 {allowed_kmh}；日间限速取所匹配道路 "
            "{road} 的限速与本车型最高限速中较低者；高于 {bound_kmh}（另加 {margin_kmh}）才计。",
            "From 22:00 to 06:00 a coach may drive {ratio} of the limit by day of {limit_kmh}, that is "
            "{allowed_kmh}; the limit by day is the lower of that of road {road}, which the fixes were matched to, "
            "and the most that the class may drive; only speeds above {bound_kmh} ({margin_kmh} more) count.",
        ),
        clears=Words(
            "夜间车速不高于 {bound_kmh}；或连续高于该值不超过 {hold_ms}、不足 {points} 个定位点，即不构成。",
            "A speed of {bound_kmh} or less by night; or being above it for {hold_ms} or less, or for fewer than "
            "{points} fixes in a row.",
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
        Example(
            "90 where 100 is allowed by day",
            {"speed_kmh": (90,) * 6, "limit_kmh": 100.0},
            every_s=10,
            raised=(4,),
            start="23:00:00",
        ),
        Example("the same by day", {"speed_kmh": (90,) * 6, "limit_kmh": 100.0}, every_s=10, raised=()),
        Example(
            "begun before 22:00",
            {"speed_kmh": (90,) * 7, "limit_kmh": 100.0},
            every_s=10,
            raised=(6,),
            start="21:59:40",
        ),
        Example(
            "over at 06:00",
            {"speed_kmh": (90,) * 8, "limit_kmh": 100.0},
            every_s=10,
            raised=(),
            start="05:59:30",
        ),
        Example(
            "83 is not above",
            {"speed_kmh": (83,) * 6, "limit_kmh": 100.0},
            every_s=10,
            raised=(),
            start="23:00:00",
        ),
    ),
)
def night_speeding(batch: Enriched, limits: Limits, state: State) -> Found:
    """A coach's ground speed above 80 % of the road's limit from 22:00 to before 06:00, held.

    Three fixes over more than 30 s, each more than 3 km/h above 0.8 × limit. May stand beside V01 or
    V04 of the same span. Where no road is known the episode is a lead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh``, ``limit_kmh`` [km/h] and the Beijing clock.
    limits : Limits
        See `verbs.hold`.
    state : structured array of ``HOLD``, (vehicles,)
        Changed in place.

    Returns
    -------
    Found of ``HELD``, (m,)
        ``limit_kmh`` is the full limit.

    Source: rulebook §3, §6.
    """
    return hold(
        batch,
        limits.applies & batch.at_night(),
        limits,
        state,
        severity=Severity.GENERAL,
        limit_kmh=batch.limit_kmh,
        fence=batch.limit_fence,
        road=batch.limit_road,
        unmatched=(batch.limit_fence < 0) & (batch.limit_road < 0),
    )
