"""V03: a coach above four fifths of the limit at night."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.verbs import HOLD, hold, speed_measures


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
    measures=speed_measures,
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
        unmatched=batch.limit_fence < 0,
    )
