"""V02: above the limit of a zone: a school, a station, a scenic road, a bridge."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.verbs import HOLD, hold, speed_facts, speed_measures
from detectors.why import Why, Words

_SCHOOL = ({"id": "S1", "kind": "speed", "limit_kmh": 30, "box": (87.29, 43.99, 87.31, 44.1)},)


@kind(
    code="V02",
    zh="区域限速超速",
    en="Speeding inside a zone",
    classes="LCHBF",
    severity=Severity.GENERAL,
    clause="《道路交通安全法》第四十二条 (Road Traffic Safety Law art. 42)",
    limits={
        "ratio": 1.0,
        "margin_kmh": 3.0,
        "points": 2,
        "hold_ms": 20_000,
        "gap_ms": 120_000,
        "merge_ms": 60_000,
        "severe_ratio": 1.2,
    },
    state=HOLD,
    sparse=True,
    measures=speed_measures,
    fenced=lambda batch: batch.least("speed").fence,
    why=Why(
        measured=Words(
            "区域内最高车速 {peak_kmh}，区域限速 {limit_kmh}，超出 {over_kmh}（{over_ratio}）。",
            "Highest speed {peak_kmh} in a zone where the limit is {limit_kmh}: {over_kmh} above it ({over_ratio}).",
        ),
        limit=Words(
            "限速 {limit_kmh} 来自限速区域围栏 {fence}；高于 {bound_kmh}（限速的 {ratio} 加 {margin_kmh}）才计；两个"
            "以上定位点达限速的 {severe_ratio} 为较重。",
            "The limit of {limit_kmh} is that of speed zone {fence}; only speeds above {bound_kmh} ({ratio} of the "
            "limit plus {margin_kmh}) count; two fixes at {severe_ratio} of the limit make it serious.",
        ),
        clears=Words(
            "在区域内车速不高于 {bound_kmh}；或连续高于该值不超过 {hold_ms}、不足 {points} 个定位点，即不构成。",
            "A speed of {bound_kmh} or less inside the zone; or being above it for {hold_ms} or less, or for fewer "
            "than {points} fixes in a row.",
        ),
        sure=Words(
            "各定位点均在限速区域围栏之内，限速有据。",
            "Every fix that it rests on was inside a zone with a limit of its own.",
        ),
        facts=speed_facts,
    ),
    examples=(
        Example("past a school", {"speed_kmh": (45,) * 4}, every_s=10, raised=(3,), fences=_SCHOOL),
        Example("exactly 20 s", {"speed_kmh": (45,) * 3}, every_s=10, raised=(), fences=_SCHOOL),
        Example("outside any zone", {"speed_kmh": (45,) * 9}, every_s=10, raised=()),
        Example("a taxi", {"speed_kmh": (45,) * 9}, every_s=10, raised=(), kind="T", fences=_SCHOOL),
    ),
)
def zone_speeding(batch: Enriched, limits: Limits, state: State) -> Found:
    """Ground speed above the least limit of the speed fences around the vehicle, held.

    Two fixes over more than 20 s, each more than 3 km/h above. Serious when the second highest
    ratio of speed to the fence's limit reaches 1.2.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh`` [km/h] and ``least("speed")``; outside all zones nothing is raised.
    limits : Limits
        See `verbs.hold`.
    state : structured array of ``HOLD``, (vehicles,)
        Changed in place.

    Returns
    -------
    Found of ``HELD``, (m,)

    Source: rulebook §3, §6.
    """
    zone = batch.least("speed")
    return hold(
        batch,
        limits.applies & (zone.fence >= 0),
        limits,
        state,
        severity=Severity.GENERAL,
        limit_kmh=zone.limit_kmh,
        fence=zone.fence,
    )
