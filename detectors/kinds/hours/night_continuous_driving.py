"""V06: more than two hours of the night without a rest."""

from detectors.counters import COUNTER, counter, counter_facts, counter_measures
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.why import Why, Words


@kind(
    code="V06",
    zh="夜间连续驾驶超时",
    en="Driving on through the night without a rest",
    classes="LC",
    severity=Severity.SERIOUS,
    clause="GA/T 2372-2026《机动车驾驶人疲劳驾驶认定规则》 (recognition of fatigue driving)",
    limits={"limit_ms": 7_200_000, "warn_ms": 1_800_000},
    state=COUNTER,
    measures=counter_measures,
    why=Why(
        measured=Words(
            "夜间自上次休息或更换驾驶员以来累计驾驶 {driven_s}，超过限值 {excess_s}（按{basis}计；数据中断按行驶理"
            "解）；若将数据中断理解为休息，则累计驾驶 {certain_s}。",
            "Driven for {driven_s} of the night since the last rest or change of driver, {excess_s} above the "
            "limit (counted for {basis}, gaps of data read as driving); with gaps of data read as rest it is "
            "{certain_s}.",
        ),
        limit=Words(
            "22:00至次日06:00，客运车辆连续驾驶不得超过 {limit_ms}，每晚22:00起重新累计；休息须连续停车不少于 "
            "{rest_ms}，停车不足 {short_stop_ms} 的计入驾驶。",
            "From 22:00 to 06:00 a coach may be driven for at most {limit_ms} without a rest, counted anew each "
            "night; a rest is a stop of at least {rest_ms}, a stop below {short_stop_ms} counts as driving.",
        ),
        clears=Words(
            "在夜间累计驾驶超过 {limit_ms} 之前连续停车休息不少于 {rest_ms}，或更换驾驶员，即不构成。",
            "A rest of at least {rest_ms}, or another driver, before more than {limit_ms} of the night had been "
            "driven.",
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
        "夜间已连续驾驶 {driven_s}，再驾驶 {left_s} 即达限值 {limit_ms}：请停车休息不少于 {rest_ms}，或更换驾驶员。",
        "Driven on for {driven_s} of the night: {left_s} are left of {limit_ms}. A rest of at least {rest_ms} is due, "
        "or another driver.",
    ),
    version=2,
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

    The counter begins anew at each 22:00. Leads, both readings of gaps and warnings as for V05; each
    night's counter is one of its own.

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
