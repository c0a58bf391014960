"""V09: a coach on the road between two and five in the morning."""

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.totals import NIGHT_TOTAL, small_hours_total, total_measures
from detectors.why import Why, Words


@kind(
    code="V09",
    zh="凌晨2-5时违规运行",
    en="Running in the small hours",
    classes="LC",
    severity=Severity.SERIOUS,
    clause="《道路旅客运输企业安全管理规范》第三十八条第(五)项 (Passenger Transport Safety Norms art. 38(5))",
    limits={"open_ms": 600_000, "open_dm": 50_000, "severe_ms": 3_600_000},
    state=NIGHT_TOTAL,
    sparse=True,
    measures=total_measures,
    why=Why(
        measured=Words(
            "凌晨2时至5时之间行驶 {drive_s}，{distance_m}。",
            "Driven for {drive_s} and {distance_m} between two and five in the morning.",
        ),
        limit=Words(
            "凌晨2时至5时客运车辆应停止运行（登记豁免或持有有效接驳运输证的除外）；行驶达 {open_ms} 或 {open_dm} 即构"
            "成，超过 {severe_ms} 为严重。",
            "Coaches that are neither registered as exempt nor hold a valid relay permit stand still from two to five; "
            "{open_ms} or {open_dm} of driving is enough, above {severe_ms} it is severe.",
        ),
        clears=Words(
            "在该时段停车；或行驶不足 {open_ms} 且不足 {open_dm}；或线路已登记豁免；或持有当时有效的接驳运输证，即不"
            "构成。",
            "Standing still in these hours; or driving for less than {open_ms} and less than {open_dm}; or a line "
            "registered as exempt; or a relay permit that was valid then.",
        ),
        sure=Words(
            "数据中断期间推定的行驶未计入；计入的行驶期间，车辆未登记豁免，也没有登记有效的接驳运输证。",
            "Driving behind gaps of data is left out; where it counted, the vehicle was not exempt and no valid relay "
            "permit was registered.",
        ),
    ),
    over="pieces",
    tables=("permits",),
    examples=(
        Example("ten minutes", {"speed_kmh": (20,) * 21}, every_s=30, raised=(20,), start="02:30:00"),
        Example("five kilometres", {"speed_kmh": (80,) * 9}, every_s=30, raised=(8,), start="02:30:00"),
        Example("at five it is over", {"speed_kmh": (20,) * 41}, every_s=30, raised=(), start="04:50:30"),
        Example(
            "an exempt line",
            {"speed_kmh": (80,) * 21},
            every_s=30,
            raised=(),
            start="02:30:00",
            registered={"small_hours_exempt": "1"},
        ),
        Example(
            "a relay permit",
            {"speed_kmh": (80,) * 21},
            every_s=30,
            raised=(),
            start="02:30:00",
            papers={"permits": ({"permit": "relay", "valid_from": "2026-03-01", "valid_to": "2026-04-01"},)},
        ),
        Example(
            "a relay permit that ran out at 02:33",
            {"speed_kmh": (80,) * 21},
            every_s=30,
            raised=(13,),
            start="02:30:00",
            papers={"permits": ({"permit": "relay", "valid_to": "2026-03-02T02:33:00"},)},
        ),
        Example(
            "a permit for something else",
            {"speed_kmh": (80,) * 21},
            every_s=30,
            raised=(8,),
            start="02:30:00",
            papers={"permits": ({"permit": "detour"},)},
        ),
    ),
)
def small_hours_running(batch: Enriched, limits: Limits, state: State) -> Found:
    """A coach that is not exempt drives 10 minutes or 5 km inside [02:00, 05:00) of one Beijing day.

    Severe above one hour. Driving behind gaps of data does not count. One episode a night.

    Exempt is who is registered with ``small_hours_exempt``, or for whom a ``relay`` permit (接驳运输证) holds, at
    the later fix of the pair that applies the driving: such driving does not count.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``pieces``, ``exempt`` and permits.
    limits : Limits
        See `totals.small_hours_total`.
    state : structured array of ``NIGHT_TOTAL``, (vehicles,)
        Changed in place.

    Returns
    -------
    Found of ``TOTALLED``, (m,)

    Source: rulebook §4, §6.
    """
    relayed = batch.paper("permits", "relay") >= 0
    return small_hours_total(batch, limits.applies & ~batch.exempt & ~relayed, limits, state)
