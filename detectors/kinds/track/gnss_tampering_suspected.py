"""V16: signs that a position is jammed, shielded or made up."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.tampering import SIGNED, tampering, tampering_measures
from detectors.why import Why, Words

_BLIND = {"speed_kmh": (100,) * 16, "recorder_speed_kmh": 100, "status": (3, *(1,) * 8, 3, *(1,) * 6)}
_STILL = {"speed_kmh": (60,) * 16, "recorder_speed_kmh": 60, "lat": (44.0,) * 16}
_TWICE = {"speed_kmh": (0,) * 18, "lon": (87.3, 87.5) * 9}


@kind(
    code="V16",
    zh="疑似干扰屏蔽或伪造定位",
    en="Positioning probably tampered with",
    classes="LCHF",
    severity=Severity.GENERAL,
    clause="《道路运输车辆动态监督管理办法》第二十七条、第三十七条 "
    "(Measures for Dynamic Supervision of Road Transport Vehicles arts. 27 and 37)",
    limits={
        "gap_ms": 300_000,
        "merge_ms": 600_000,
        "moving_kmh": 20.0,
        "blind_ms": 600_000,
        "repeat_ms": 604_800_000,
        "away_dm": 300_000,
        "differ_kmh": 20.0,
        "differ_points": 3,
        "differ_ms": 60_000,
        "frozen_ms": 900_000,
        "apart_dm": 50_000,
        "return_ms": 180_000,
        "return_points": 8,
        "twice_ms": 600_000,
    },
    state=SIGNED,
    measures=tampering_measures,
    why=Why(
        measured=Words("出现迹象：{sign}。", "A sign was seen: {sign}."),
        limit=Words(
            "标准：行驶（记录仪 {moving_kmh} 以上）中无定位超过 {blind_ms} 且 {repeat_ms} 内在相距 "
            "{away_dm} 以上的两处发生；卫星与记录仪速度相差超过 {differ_kmh} 达 {differ_ms}；行驶中坐标不变达 "
            "{frozen_ms}；同一车牌 {twice_ms} 内在相距 {apart_dm} 以上的两处交替出现 {return_points} 次。",
            "The marks: driving (above {moving_kmh} by the recorder) without a position for more than {blind_ms}, "
            "twice within {repeat_ms} at places {away_dm} apart; satellite and recorder more than {differ_kmh} apart "
            "for {differ_ms}; driving with coordinates that stay for {frozen_ms}; one plate "
            "alternating {return_points} times over {twice_ms} between places {apart_dm} apart.",
        ),
        clears=Words(
            "检修或更换终端、天线、脉冲线；登记信号盲区（隧道）；查清套牌或重复安装。",
            "A terminal, aerial and pulse line in order; tunnels registered as coverage holes; a plate that only one "
            "vehicle carries.",
        ),
        sure=Words("本项只作线索。", "This is never more than a lead."),
        doubt=Words(
            "设备故障、隧道群、套牌同样会留下此类迹象，须人工核实。",
            "A broken device, a chain of tunnels or a cloned plate leave the same signs: somebody must look.",
        ),
    ),
    examples=(
        Example("without a position at two places", _BLIND, every_s=150, raised=(15,)),
        Example("once only", {**_BLIND, "status": (3, *(1,) * 8, *(3,) * 7)}, every_s=150, raised=()),
        Example("parked underground", {**_BLIND, "recorder_speed_kmh": 0, "speed_kmh": (0,) * 16}, 150, ()),
        Example("recorder stands still", {"speed_kmh": (60,) * 4, "recorder_speed_kmh": 0}, every_s=30, raised=(2,)),
        Example("20 km/h apart", {"speed_kmh": (60,) * 4, "recorder_speed_kmh": 40}, every_s=30, raised=()),
        Example("no recorder", {"speed_kmh": (60,) * 4}, every_s=30, raised=()),
        Example("a quarter of an hour at one place", _STILL, every_s=60, raised=(15,)),
        Example("fourteen minutes", _STILL, every_s=56, raised=()),
        Example("two places in turn", _TWICE, every_s=60, raised=(17,)),
        Example("two places in turn for nine minutes", _TWICE, every_s=35, raised=()),
    ),
)
def gnss_tampering_suspected(batch: Enriched, limits: Limits, state: State) -> Found:
    """Four signs, over a vehicle's accepted fixes and those refused as ``no_fix`` or ``drift``, in arrival order.

    Other refused fixes are passed over. Parameters are at every fix those of the vehicle's latest accepted fix, that
    fix included (not those of a run's first fix). *On*: the vehicle is of class L C H F at its latest accepted fix,
    that fix included. t is a fix's own time.

    - ``speeds_differ``: a run of consecutive accepted fixes (refused ones in between break nothing), on, with a
      recorder speed, |speed − recorder| > ``differ_kmh``, each Δt ≤ ``gap_ms``. Sure from its first fix with ≥
      ``differ_points`` fixes and t − t_first ≥ ``differ_ms``.
    - ``frozen``: likewise, recorder speed > ``moving_kmh`` and lon and lat exactly those of the fix before it in the
      run; a fix elsewhere begins another run. Sure at t − t_first ≥ ``frozen_ms``.
    - ``no_position``: a run of ``no_fix`` fixes, on, with ignition (status bit 0x1), recorder > ``moving_kmh``, t − t
      of the one before ≤ ``gap_ms``; an accepted or drift fix, or a ``no_fix`` one that does not meet this, ends it;
      one not later than the run's last is passed over. None where the latest accepted fix lies in a ``coverage_hole``
      fence. At its first fix with t − t_first > ``blind_ms`` it is compared with the last run that came so far: it is
      sure if that one began at most ``repeat_ms`` before this one and the latest accepted fixes before the two lie ≥
      ``away_dm`` apart; then it takes that one's place. A run that is not sure at that fix never is.
    - ``two_places``: drift fixes at ≥ ``apart_dm`` from the latest accepted fix, on; nearer ones are passed over. A
      run goes on at one with t − t of the run's last ≤ ``return_ms`` that does not jump from it, else another begins.
      A *return* is one of the run, not its first, with an accepted fix since the run's last. Sure at ≥
      ``return_points`` returns and t − t_first ≥ ``twice_ms``.

    At every fix of a sure run: if t_first − ``ends_ms`` of the vehicle's latest episode ≤ ``merge_ms`` that episode
    is extended (``ends_ms`` = max(``ends_ms``, t), the sign joins ``signs``), else one is raised: ``begins_ms`` =
    t_first, ``raised_ms`` = ``ends_ms`` = t, ``sign`` = this one; its place is that of the latest accepted fix at
    that moment. At an accepted fix ``speeds_differ`` is looked at before ``frozen``. A fix with Δt > ``gap_ms``, or
    where the vehicle is not on, ends the first two runs; where not on, all. Severity 2 and a lead, always.

    An episode is told to be over at the first accepted fix later than ``ends_ms`` by more than any set's ``merge_ms``
    from which no run that goes on could extend it.

    Counter-example: a recorder whose pulse line is broken shows 0 and accuses an honest receiver. And while satellite
    and recorder disagree V01 to V04 still believe the satellite.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh``, ``recorder_speed_kmh``, ``status``, places, ``inside("coverage_hole")`` and what arrived
        meanwhile.
    limits : Limits
    state : structured array of ``SIGNED``
        Changed in place.

    Returns
    -------
    Found of ``TAMPERED``, (m,)

    Source: rulebook §2, §6, regulation §4.
    """
    return tampering(batch, limits, state)
