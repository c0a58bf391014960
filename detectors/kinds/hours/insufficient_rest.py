"""V08: a stop that was too short for the rest that was due."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.rests import JOINED, rest_measures, short_rests
from detectors.why import Why, Words


@kind(
    code="V08",
    zh="停车休息不足",
    en="Too short a rest",
    classes="LCHF",
    severity=Severity.GENERAL,
    clause="《道路交通安全法实施条例》第六十二条第(七)项 (Road Traffic Safety Regulations art. 62(7))",
    limits={"after_ms": 7_200_000, "limit_ms": 14_400_000, "severe_ms": 18_000_000},
    state=JOINED,
    measures=rest_measures,
    why=Why(
        measured=Words(
            "驾驶 {before_s} 后仅停车 {stop_s} 即继续行驶，停车前后合计驾驶 {driven_s}。",
            "After {before_s} of driving a stop of only {stop_s}; with what was driven behind it, {driven_s} in all.",
        ),
        limit=Words(
            "驾驶满 {after_ms} 后，停车达 {short_stop_ms} 而不足 {rest_ms} 的不算休息，其前后的驾驶合并计算，合计不得超"
            "过 {limit_ms}；连续驾驶已超过 {severe_ms} 的按连续驾驶超时（严重）处理，不另计。",
            "After {after_ms} of driving, a stop of {short_stop_ms} or more but below {rest_ms} is no rest: the "
            "driving before and behind it is joined, and may come to {limit_ms} at most. Above {severe_ms} without a "
            "rest it is severe driving on, and this is not raised beside it.",
        ),
        clears=Words(
            "停车休息不少于 {rest_ms}；或停车前后合计驾驶不超过 {limit_ms}；或更换驾驶员，即不构成。",
            "A rest of at least {rest_ms}; or driving for {limit_ms} or less in all; or another driver.",
        ),
        sure=Words(
            "数据中断期间推定的驾驶未计入，可能是休息的中断之后重新累计；登记两名以上驾驶员的，记录显示为同一人驾驶。",
            "Driving behind gaps of data is left out, and a gap that may have been a rest begins it anew; where more "
            "than one driver is registered, the fixes show one and the same.",
        ),
        doubt=Words(
            "车辆登记两名以上驾驶员，而记录不能证明为同一人驾驶。",
            "The vehicle has more than one driver on the register, and the fixes do not show one and the same.",
        ),
    ),
    over="pieces",
    examples=(
        Example(
            "ten minutes after two hours, then two more",
            {"speed_kmh": (70,) * 24 + (0,) * 2 + (70,) * 26},
            every_s=300,
            raised=(51,),
        ),
        Example(
            "exactly four hours in all",
            {"speed_kmh": (70,) * 24 + (0,) * 2 + (70,) * 25},
            every_s=300,
            raised=(),
        ),
        Example(
            "twenty minutes are a rest",
            {"speed_kmh": (70,) * 24 + (0,) * 4 + (70,) * 47},
            every_s=300,
            raised=(),
        ),
        Example(
            "a stop before two hours is none that was due",
            {"speed_kmh": (70,) * 23 + (0,) * 2 + (70,) * 28},
            every_s=300,
            raised=(),
        ),
        Example(
            "after four hours and a half",
            {"speed_kmh": (70,) * 54 + (0,) * 3 + (70,) * 4},
            every_s=300,
            raised=(58,),
        ),
        Example(
            "after five hours it is severe driving on",
            {"speed_kmh": (70,) * 60 + (0,) * 3 + (70,) * 4},
            every_s=300,
            raised=(),
        ),
        Example(
            "a bus",
            {"speed_kmh": (70,) * 24 + (0,) * 2 + (70,) * 26},
            every_s=300,
            raised=(),
            kind="B",
        ),
    ),
)
def insufficient_rest(batch: Enriched, limits: Limits, state: State) -> Found:
    """A stop of 5 to under 20 minutes after 2 h of driving or more, and the joined driving then exceeds 4 h.

    *Joined* is a sum of ms over the parts of the driving activity (rulebook §4), in the order in which they are
    applied: every piece of drive adds to it (gap-drive does not), and so does every short stop (S < 300 000) where it
    is not 0. It is 0 again after a rest (S >= 1 200 000) is over, after a change of driver, and after an unknown part
    of at least 1 200 000. *All* is the same sum with gap-drive, and an unknown part does not set it to 0. Both run
    whatever class the vehicle is of, and keep the parameters of the pair in which joined begins (its earlier fix), as
    the counters of V05 do. 1 200 000 and 300 000 are ``rest_ms`` and ``short_stop_ms`` of driving.

    A stop that is over with 300 000 <= S < 1 200 000, while joined >= ``after_ms`` and joined has no episode yet, is
    *noted*: the longest counts, of equal ones the first. A stop is over as in rulebook §4 (also at a change of driver).

    After each piece of drive, where the vehicle is of class L, C, H or F at the later fix of the pair that applied it
    (its time t_b), some stop is noted and joined > ``limit_ms``:

    - joined has no episode and all <= ``severe_ms``: one is raised, ``begins_ms`` = start of the first drive of joined,
      ``raised_ms`` = t_b, ``ends_ms`` = end of this piece. Severity 2. (Above ``severe_ms`` V05 is severe, which says
      more: none is raised.)
    - joined has one: its ``ends_ms`` = end of this piece, whatever all is.

    It is a lead where, when it is raised, the register says ``drivers`` >= 2 and not every accepted fix from the
    restart to t_b carries one and the same driver. The restart is the latest of: the vehicle's first accepted fix; the
    first accepted fix at or after the end of a rest that is over (whether anything was driven before it or not); the
    later fix of a pair with such an unknown part; the later fix of a pair of a change of driver.

    ``driven_s``: joined, when last tested; ``stop_s``: S of the stop that counts; ``before_s``: joined when it was
    over. An episode is over when joined is set to 0.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``pieces`` and ``crew``.
    limits : Limits
        See `rests.short_rests`.
    state : structured array of ``JOINED``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``RESTED``, (m,)

    Source: regulation §4, V08.
    """
    return short_rests(batch, limits.applies, limits, state)
