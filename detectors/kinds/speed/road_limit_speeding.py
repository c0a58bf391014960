"""V01: above the limit of the road."""

from math import nan

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.verbs import HOLD, hold, speed_facts, speed_measures
from detectors.why import Why, Words


@kind(
    code="V01",
    zh="道路限速超速",
    en="Speeding against the road's limit",
    classes="LCHBTF",
    severity=Severity.GENERAL,
    clause="《道路交通安全法》第四十二条 (Road Traffic Safety Law art. 42)",
    limits={
        "ratio": 1.0,
        "margin_kmh": 3.0,
        "points": 3,
        "hold_ms": 30_000,
        "gap_ms": 120_000,
        "merge_ms": 60_000,
        "severe_ratio": 1.2,
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
            "限速 {limit_kmh}，取道路围栏 {fence} 的限速与本车型最高限速中较低者；高于 {bound_kmh}（限速的 {ratio} "
            "加 {margin_kmh}）才计；两个以上定位点达限速的 {severe_ratio} 为较重。",
            "The limit of {limit_kmh} is the lower of that of road fence {fence} and the most that the vehicle's "
            "class may drive; only speeds above {bound_kmh} ({ratio} of the limit plus {margin_kmh}) count; two "
            "fixes at {severe_ratio} of the limit make it serious.",
        ),
        guessed=Words(
            "该处未匹配到道路，限速 {limit_kmh} 为本车型默认值（推定）；高于 {bound_kmh}（限速的 {ratio} 加 "
            "{margin_kmh}）才计；两个以上定位点达限速的 {severe_ratio} 为较重。",
            "No road is known at the place: {limit_kmh} is the default of the vehicle's class, a guess; only speeds "
            "above {bound_kmh} ({ratio} of the limit plus {margin_kmh}) count; two fixes at {severe_ratio} of the "
            "limit make it serious.",
        ),
        along=Words(
            "限速 {limit_kmh}，取所匹配道路 {road} 的限速与本车型最高限速中较低者；高于 {bound_kmh}（限速的 {ratio} 加 "
            "{margin_kmh}）才计；两个以上定位点达限速的 {severe_ratio} 为较重。",
            "The limit of {limit_kmh} is the lower of that of road {road}, which the fixes were matched to, and the "
            "most that the vehicle's class may drive; only speeds above {bound_kmh} ({ratio} of the limit plus "
            "{margin_kmh}) count; two fixes at {severe_ratio} of the limit make it serious.",
        ),
        clears=Words(
            "车速不高于 {bound_kmh}；或连续高于该值不超过 {hold_ms}、不足 {points} 个定位点，即不构成。",
            "A speed of {bound_kmh} or less; or being above it for {hold_ms} or less, or for fewer than {points} "
            "fixes in a row.",
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
        Example("a minute above", {"speed_kmh": (110,) * 7, "limit_kmh": 100.0}, every_s=10, raised=(4,)),
        Example("one noisy fix", {"speed_kmh": (90, 140, 90), "limit_kmh": 100.0}, every_s=10, raised=()),
        Example("within the margin", {"speed_kmh": (103,) * 9, "limit_kmh": 100.0}, every_s=10, raised=()),
        Example("exactly 30 s", {"speed_kmh": (110,) * 4, "limit_kmh": 100.0}, every_s=10, raised=()),
        Example("no limit known", {"speed_kmh": (150,) * 4, "limit_kmh": nan}, every_s=10, raised=()),
        Example(
            "a gap of data is not bridged",
            {"speed_kmh": (110,) * 4, "limit_kmh": 100.0},
            every_s=121,
            raised=(),
        ),
        Example(
            "twice, 70 s apart",
            {"speed_kmh": (110,) * 5 + (90,) * 6 + (110,) * 5, "limit_kmh": 100.0},
            every_s=10,
            raised=(4, 15),
        ),
    ),
)
def road_limit_speeding(batch: Enriched, limits: Limits, state: State) -> Found:
    """Ground speed above the road's limit, held.

    Three fixes over more than 30 s, each more than 3 km/h above the limit at its place, no two of
    them more than 120 s apart. Runs that begin within 60 s of the episode's end belong to it.
    Serious when the second highest ratio of speed to limit reaches 1.2. Where no road is known, the
    class's default limit is a guess: the episode is a lead.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh`` [km/h] and ``limit_kmh`` [km/h]; a NaN limit never raises.
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
        severity=Severity.GENERAL,
        limit_kmh=batch.limit_kmh,
        fence=batch.limit_fence,
        road=batch.limit_road,
        unmatched=(batch.limit_fence < 0) & (batch.limit_road < 0),
    )
