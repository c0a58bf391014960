"""V04: half as fast again as the road allows."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.verbs import HOLD, hold, speed_measures


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
    measures=speed_measures,
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
        unmatched=batch.limit_fence < 0,
        reach=True,
    )
