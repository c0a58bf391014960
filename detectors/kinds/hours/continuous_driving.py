"""V05: more than four hours without a rest."""

from detectors.counters import COUNTER, counter, counter_measures
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits


@kind(
    code="V05",
    zh="连续驾驶超时",
    en="Driving on without a rest",
    classes="LCHFBT",
    severity=Severity.SERIOUS,
    clause="《道路交通安全法实施条例》第六十二条第(七)项 (Road Traffic Safety Regulations art. 62(7))",
    limits={"limit_ms": 14_400_000, "severe_ms": 18_000_000},
    state=COUNTER,
    measures=counter_measures,
    over="pieces",
    examples=(
        Example("four hours and a minute", {"speed_kmh": (70,) * 242}, every_s=60, raised=(241,)),
        Example("exactly four hours", {"speed_kmh": (70,) * 241}, every_s=60, raised=()),
        Example(
            "a rest of 20 minutes between",
            {"speed_kmh": (70,) * 180 + (0,) * 20 + (70,) * 180},
            every_s=60,
            raised=(),
        ),
        Example(
            "19 minutes are no rest",
            {"speed_kmh": (70,) * 180 + (0,) * 19 + (70,) * 180},
            every_s=60,
            raised=(260,),
        ),
        Example(
            "a stop of 4 minutes counts as driving",
            {"speed_kmh": (70,) * 180 + (0,) * 4 + (70,) * 60},
            every_s=60,
            raised=(241,),
        ),
    ),
)
def continuous_driving(batch: Enriched, limits: Limits, state: State) -> Found:
    """More than 4 h of driving since the last rest of at least 20 minutes, or change of driver.

    Stops under 5 minutes count as driving; stops from 5 to under 20 minutes neither add nor reset.
    Severe above 5 h. A lead where only driving behind gaps of data carries it over the limit, where
    a gap of 20 minutes or more may have been a rest, or where the vehicle has two drivers and the
    fixes do not show one and the same.

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
    return counter(batch, limits.applies, limits, state)
