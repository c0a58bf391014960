"""V07: more than eight hours of driving in twenty-four."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.rolling import ROLLING, rolling_facts, rolling_measures, rolling_total
from detectors.why import Why, Words


@kind(
    code="V07",
    zh="累计驾驶超时",
    en="Too much driving in a day and a night",
    classes="LCH",
    severity=Severity.SERIOUS,
    clause="《道路旅客运输企业安全管理规范》第三十八条（危货参照GA/T 2372-2026；款项待核实） "
    "(Passenger Transport Safety Norms art. 38; hazardous goods by GA/T 2372-2026; item unverified)",
    limits={"limit_ms": 28_800_000, "warn_ms": 1_800_000},
    state=ROLLING,
    measures=rolling_measures,
    why=Why(
        measured=Words(
            "24小时内累计驾驶最长达 {driven_s}，超过限值 {excess_s}（按车辆计）。",
            "As much as {driven_s} was driven within 24 hours, {excess_s} above the limit (counted for the vehicle).",
        ),
        limit=Words(
            "24小时内累计驾驶不得超过 {limit_ms}；24小时取当前十分钟时段及其前143个十分钟时段。",
            "At most {limit_ms} may be driven in 24 hours: the ten minutes that the fix lies in and the 143 before.",
        ),
        clears=Words(
            "任意24小时内累计驾驶不超过 {limit_ms}，即不构成；由两名驾驶员轮换驾驶的，须按驾驶员分别核实。",
            "Driving for {limit_ms} or less in any 24 hours; where two drivers took turns, each one's share must be "
            "checked.",
        ),
        sure=Words(
            "停车时间和数据中断期间推定的驾驶均未计入；车辆登记一名驾驶员，其间也未出现第二名驾驶员。",
            "Neither stops nor driving behind gaps of data are counted; the vehicle has one driver on the register, "
            "and no second one was seen in that time.",
        ),
        doubt=Words(
            "车辆登记两名以上驾驶员，或24小时内出现过两名驾驶员：累计的是车辆的行驶时间，未必由一人驾驶。",
            "The vehicle has more than one driver on the register, or two were seen in these 24 hours: what is counted "
            "is the vehicle's driving, which need not be one driver's.",
        ),
        facts=rolling_facts,
    ),
    warns=Words(
        "24小时内已累计驾驶 {driven_s}，再驾驶 {left_s} 即达限值 {limit_ms}：请安排换班或休息。",
        "{driven_s} were driven within 24 hours: {left_s} are left of {limit_ms}. Another driver or a long rest is "
        "due.",
    ),
    examples=(
        Example("eight hours and five minutes", {"speed_kmh": (70,) * 98}, every_s=300, raised=(97,)),
        Example("exactly eight hours", {"speed_kmh": (70,) * 97}, every_s=300, raised=()),
        Example(
            "a rest is no end of it",
            {"speed_kmh": (70,) * 48 + (0,) * 12 + (70,) * 50},
            every_s=300,
            raised=(109,),
        ),
        Example(
            "what was driven more than a day ago is forgotten",
            {"speed_kmh": (70,) * 50 + (0,) * 240 + (70,) * 90},
            every_s=300,
            raised=(),
        ),
        Example(
            "two drivers seen are a lead",
            {"speed_kmh": (70,) * 98, "driver": ("one",) * 50 + ("two",) * 48},
            every_s=300,
            raised=(97,),
            kind="H",
        ),
        Example("a truck", {"speed_kmh": (70,) * 98}, every_s=300, raised=(), kind="F"),
    ),
)
def cumulative_driving(batch: Enriched, limits: Limits, state: State) -> Found:
    """More than 8 h of driving in the ten minutes that a fix lies in and the 143 before.

    Every piece of drive of the driving activity (rulebook §4; without gap-drive, without stops) falls into
    buckets of 600 000 ms of epoch time, bucket k being [600 000 k, 600 000 (k + 1)), split exactly. It is
    counted whatever class the vehicle is of then, and when it is not registered.

    A fix is *tested* where driving is applied by the pair that it ends (also a pending stretch that becomes
    driving at it), after all of that, once, if the vehicle is then of class L, C or H. Let t be its time, total
    what lies in buckets floor(t / 600 000) - 143 to floor(t / 600 000), and ``limit_ms``, ``warn_ms`` the
    parameters in force at this fix:

    - total > ``limit_ms``, and the vehicle's latest V07 has t - ``raised_ms`` < 86 400 000: its ``ends_ms`` = t.
    - total > ``limit_ms`` otherwise: a new one, ``begins_ms`` = ``raised_ms`` = ``ends_ms`` = t, at the place of
      this fix. Severity 3. It is a lead, of severity 2, where the register says ``drivers`` >= 2 at t, or where
      two fixes accepted in these 144 buckets, this one included, driving or not, carry different drivers. Neither
      changes later.
    - ``limit_ms`` - ``warn_ms`` < total <= ``limit_ms``, and no fix was tested with a total above
      ``limit_ms`` - ``warn_ms`` since the last one tested with a total not above it (or ever): a warning at t.

    ``driven_s`` is the highest total of the tests that raised or extended the episode. An episode is over at
    the first accepted fix with t - ``raised_ms`` >= 86 400 000.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``pieces``, the drivers and ``crew``.
    limits : Limits
        See `rolling.rolling_total`.
    state : structured array of ``ROLLING``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``ROLLED``, (m,)

    Source: rulebook §4, §6.
    """
    return rolling_total(batch, limits.applies, limits, state)
