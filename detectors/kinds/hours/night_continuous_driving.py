"""V06: more than two hours of the night without a rest."""

from detectors.counters import COUNTER, counter, counter_measures
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits


@kind(
    code="V06",
    zh="夜间连续驾驶超时",
    en="Driving on through the night without a rest",
    classes="LC",
    severity=Severity.SERIOUS,
    clause="GA/T 2372-2026《机动车驾驶人疲劳驾驶认定规则》 (recognition of fatigue driving)",
    limits={"limit_ms": 7_200_000},
    state=COUNTER,
    measures=counter_measures,
    over="pieces",
    examples=(
        Example(
            "from 21:00 past midnight",
            {"speed_kmh": (70,) * 182},
            every_s=60,
            raised=(181,),
            start="21:00:00",
        ),
        Example("until midnight", {"speed_kmh": (70,) * 181}, every_s=60, raised=(), start="21:00:00"),
        Example("by day", {"speed_kmh": (70,) * 182}, every_s=60, raised=(), start="09:00:00"),
        Example("a truck", {"speed_kmh": (70,) * 182}, every_s=60, raised=(), start="21:00:00", kind="F"),
    ),
)
def night_continuous_driving(batch: Enriched, limits: Limits, state: State) -> Found:
    """A coach: more than 2 h of driving inside [22:00, 06:00) since the last rest or change of driver.

    The counter begins anew at each 22:00. Leads as for V05.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``pieces`` and the drivers.
    limits : Limits
        See `counters.counter`.
    state : structured array of ``COUNTER``, (vehicles,)
        Changed in place.

    Returns
    -------
    Found of ``COUNTED``, (m,)

    Source: rulebook §4, §6.
    """
    return counter(batch, limits.applies, limits, state, nightly=True)
