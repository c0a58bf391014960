"""V11: a vehicle that was driving and is not heard any more."""

from typing import Any

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.silence import SILENCE, silence
from detectors.why import Why, Words
from ingest.status import IGNITION_BIT, told


def _measures(row: Any) -> dict[str, object]:
    """How long nothing was heard, so far as fix and tick tell, and how long that may be [s]."""
    until = max(int(row["raised_ms"]), int(row["ends_ms"]))
    return {"silent_s": (until - int(row["begins_ms"])) / 1000, "limit_s": int(row["limit_ms"]) / 1000}


_DRIVES = {"speed_kmh": (60, 60)}


@kind(
    code="V11",
    zh="行驶中掉线",
    en="Off line while driving",
    classes="LCHBF",
    severity=Severity.GENERAL,
    clause="《道路运输车辆动态监督管理办法》第二十六条、第二十七条 "
    "(Measures for Dynamic Supervision of Road Transport Vehicles arts. 26 and 27)",
    limits={"moving_kmh": 20.0, "silence_ms": 600_000, "hazmat_silence_ms": 300_000},
    state=SILENCE,
    measures=_measures,
    why=Why(
        measured=Words(
            "车辆行驶中（车速不低于 {moving_kmh}）信号中断，至少 {silent_s} 未收到定位。",
            "The vehicle was driving (at {moving_kmh} or more) when it fell silent: nothing for at least {silent_s}.",
        ),
        limit=Words(
            "行驶中中断不得超过 {limit_s}；已登记的信号盲区围栏内、点火关闭时不计。",
            "While driving, silence may last {limit_s}; not counted in a registered coverage hole, nor with the "
            "ignition off.",
        ),
        clears=Words(
            "终端保持在线；中断处登记为信号盲区；或平台、网络故障时段登记豁免，即不构成。",
            "A terminal that stays on line; a coverage hole registered where the signal was lost; an exemption for the "
            "time in which platform or network failed.",
        ),
        sure=Words(
            "以事件时间心跳计量，不依赖服务器时钟；平台或网络故障不作区分。",
            "Measured against ticks of event time; a failure of platform or network looks the same.",
        ),
    ),
    examples=(
        Example("eleven minutes", _DRIVES, every_s=660, raised=(1,)),
        Example("ten minutes", _DRIVES, every_s=600, raised=()),
        Example("slow", {"speed_kmh": (19, 60)}, every_s=660, raised=()),
        Example("ignition off", {**_DRIVES, "status": 2}, every_s=660, raised=()),
        Example("ignition on", {**_DRIVES, "status": 3}, every_s=660, raised=(1,)),
        Example("hazardous goods, six minutes", _DRIVES, every_s=360, raised=(1,), kind="H"),
        Example("a coach, six minutes", _DRIVES, every_s=360, raised=()),
        Example("heard without a position", {"speed_kmh": (60,) * 9, "status": (3,) + (1,) * 7 + (3,)}, 120, ()),
        Example(
            "in a coverage hole",
            _DRIVES,
            every_s=660,
            raised=(),
            fences=({"id": "A", "kind": "coverage_hole", "box": (87.2, 43.9, 87.4, 44.1)},),
        ),
    ),
)
def offline_mid_trip(batch: Enriched, limits: Limits, state: State) -> Found:
    """After an accepted fix of a moving vehicle nothing is heard for longer than ``silence_ms``, by the ticks.

    The watch begins at an accepted fix f (time t) where the vehicle is of class L C H B F, speed ≥ ``moving_kmh``,
    status is not given or has bit 0x1 (ignition), and no ``coverage_hole`` fence for its class holds the place. Every
    accepted fix ends the watch of the one before and may begin its own. A fix that the gate refused as ``no_fix`` or
    ``drift`` with a time later than t ends it as well: the terminal is on line. Fixes refused for other reasons
    (unqualified, back-filled, duplicate, late, unconfirmed) change nothing. Parameters are those of f; of class H at f
    ``hazmat_silence_ms`` stands for ``silence_ms``.

    Raised at the first tick of the vehicle's partition that stands behind f in arrival order and is later than
    t + ``silence_ms`` (exceeded, not reached). ``begins_ms`` = t, ``raised_ms`` = the tick's time, ``ends_ms`` = t
    while the silence lasts. It is over at the vehicle's next accepted fix, of any class, registered or not:
    ``ends_ms`` = that fix's time, which may be earlier than ``raised_ms`` where a fix was only delivered late. At the
    end of input it stays as it is. Severity 2, of class H at f 3; never a lead; it does not rise.

    A file brings no ticks; replay makes one for each full minute that the clock passes, see `ticks.Clock`.

    Counter-example: when the platform itself, or a network, hears nobody but ticks go on, every moving vehicle is
    accused. No vehicle may be judged by others (rulebook §1.2): such spans are registered as exemptions.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``speed_kmh``, ``status``, ``inside("coverage_hole")`` and what arrived meanwhile.
    limits : Limits
        ``moving_kmh``, ``silence_ms``, ``hazmat_silence_ms``.
    state : structured array of ``SILENCE``
        Changed in place.

    Returns
    -------
    Found of ``SILENT``, (m,)

    Source: rulebook §1, regulation §4.
    """
    moving = batch.speed_kmh >= limits.at("moving_kmh")
    running = (batch.status == -1) | told(batch.status, IGNITION_BIT)
    when = limits.applies & moving & running & (batch.inside("coverage_hole") < 0)
    return silence(batch, when, limits, state)
