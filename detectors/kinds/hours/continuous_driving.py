"""V05: more than four hours without a rest."""

from detectors.counters import COUNTER, counter, counter_facts, counter_measures
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words


@kind(
    code="V05",
    zh="连续驾驶超时",
    en="Driving on without a rest",
    classes="LCHFBT",
    severity=Severity.SERIOUS,
    clause="《道路交通安全法实施条例》第六十二条第(七)项 (Road Traffic Safety Regulations art. 62(7))",
    limits={"limit_ms": 14_400_000, "severe_ms": 18_000_000, "warn_ms": 1_800_000},
    state=COUNTER,
    measures=counter_measures,
    why=Why(
        measured=Words(
            "自上次休息或更换驾驶员以来累计驾驶 {driven_s}，超过限值 {excess_s}（按{basis}计；数据中断按行驶理解）；"
            "若将数据中断理解为休息，则累计驾驶 {certain_s}。",
            "Driven for {driven_s} since the last rest or change of driver, {excess_s} above the limit (counted "
            "for {basis}, gaps of data read as driving); with gaps of data read as rest it is {certain_s}.",
        ),
        limit=Words(
            "连续驾驶不得超过 {limit_ms}；休息须连续停车不少于 {rest_ms}，停车不足 {short_stop_ms} 的计入驾驶；超过 "
            "{severe_ms} 为严重。",
            "At most {limit_ms} without a rest; a rest is a stop of at least {rest_ms}, a stop below "
            "{short_stop_ms} counts as driving; above {severe_ms} it is severe.",
        ),
        clears=Words(
            "在累计驾驶超过 {limit_ms} 之前连续停车休息不少于 {rest_ms}，或更换驾驶员，即不构成。",
            "A rest of at least {rest_ms}, or another driver, before more than {limit_ms} had been driven.",
        ),
        sure=Words(
            "不计数据中断期间推定的驾驶，仍超过限值，其间也没有可能是休息的中断；登记两名以上驾驶员的，记录显示为同"
            "一人驾驶。",
            "Without driving behind gaps of data it is above the limit still, and no gap may have been a rest; "
            "where more than one driver is registered, the fixes show one and the same.",
        ),
        doubt=Words(
            "可能的原因：数据中断期间推定的驾驶才使其超限；或数据中断可能是休息；或登记两名以上驾驶员而记录不能证明"
            "为同一人。",
            "It may be that only driving behind gaps of data carries it over the limit; that a gap of data was a "
            "rest; or that the vehicle has more than one driver and the fixes do not show one and the same.",
        ),
        facts=counter_facts,
    ),
    over="pieces",
    warns=Words(
        "已连续驾驶 {driven_s}，再驾驶 {left_s} 即达限值 {limit_ms}：请停车休息不少于 {rest_ms}，或更换驾驶员。",
        "Driven on for {driven_s}: {left_s} are left of {limit_ms}. A rest of at least {rest_ms} is due, or another "
        "driver.",
    ),
    version=2,
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

    Both readings of gaps are measured, as they stood when the counter was last tested above its limit:
    ``driven_s`` is the counter itself; ``certain_s`` leaves out driving behind gaps and begins anew at
    every unknown part of 20 minutes or more (a short stop is added to it only where it is not 0).

    Warned once per counter, while it has no episode: at the first piece of driving, tested like an
    episode, after which limit - ``warn_ms`` < counter <= limit. A counter that is taken up again is the
    same counter.

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
