"""Explain: a violation in words and numbers, for those who must answer for it and those who judge it.

The sentences are the kind's own (`why.Why`); what is common to all kinds is said here.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from detectors.activity import DRIVING
from detectors.codes import SEVERAL
from detectors.kind import Kind
from detectors.why import Words
from ingest.moment import BEIJING

SEVERITIES: Mapping[int, Words] = {
    1: Words("提示", "notice"),
    2: Words("一般", "general"),
    3: Words("较重", "serious"),
    4: Words("严重", "severe"),
}
"""Names of severities."""

_MISSING = Words("（未记录）", "(not recorded)")
_TERMS: Mapping[str, Words] = {
    "driver": Words("驾驶员", "the driver"),
    "vehicle": Words("车辆", "the vehicle"),
    "no_position": Words("行驶中多处长时间无定位", "driving without a position, at several places"),
    "speeds_differ": Words("卫星与记录仪速度不符", "satellite and recorder speeds that differ"),
    "frozen": Words("行驶中坐标不变", "coordinates that stay while the vehicle drives"),
    "two_places": Words("同一车牌在两处交替出现", "one plate at two places in turn"),
    "operation_permit": Words("道路运输证", "operation permit"),
    "annual_review": Words("年度审验", "annual review"),
    "inspection": Words("检验检测", "inspection"),
    "compulsory_insurance": Words("交强险", "compulsory insurance"),
    "carrier_insurance": Words("承运人责任险", "carrier's liability insurance"),
    "unnumbered": Words("未登记", "not given"),
    "ever": Words("登记之初", "the register began"),
    "suspended": Words("报停", "suspended"),
    "deregistered": Words("注销", "deregistered"),
    "transferred": Words("转出", "transferred"),
    "unlicensed": Words("未许可", "unlicensed"),
    "no_sheet": Words("无有效包车备案", "without a charter sheet that held"),
    "off_route": Words("在包车备案的县市以外", "outside the counties of its charter sheet"),
    "load_told": Words("终端报告载货", "loaded, as its terminal says"),
    "load_guessed": Words("当日曾在装货场所停留后驶出", "after it had stood at a shipper's that day"),
    "unqualified": Words("驾驶员无相应从业资格记录", "the driver has no qualification for this class on record"),
    "lapsed": Words("驾驶员从业资格已到期", "the driver's qualification has ended"),
    "no_escort": Words("未排有效资格的押运员", "no escort with a qualification that holds is on the roster"),
    "other_driver": Words("当班驾驶员不在排班之列", "the driver is none of those on the roster"),
    "beyond": Words("在许可区域之外", "outside its area"),
    "away": Words("长期未返回许可区域", "long away from its area"),
    "no_driver": Words("无驾驶员登录", "no driver is logged in"),
    "missed": Words("脱班", "missed"),
    "late": Words("晚点", "late"),
    "early": Words("提前发车", "early"),
    "gap": Words("大间隔", "too far behind the trip before it"),
    "bunching": Words("串车", "too near to the trip before it"),
    "overloaded": Words("终端报超员", "overloading, as the terminal tells"),
    "not_counted": Words("未计数", "not counted"),
    "counted": Words("客流计数超过核定载客", "more people counted than it may carry"),
    "door": Words("车门打开", "an open door"),
    "door_alarm": Words("非法开门报警", "an alarm of a door opened unlawfully"),
    "phone": Words("接打手持电话", "a hand-held phone"),
    "smoking": Words("抽烟", "smoking"),
    "fatigue": Words("疲劳（一级）", "fatigue (level 1)"),
    "severe_fatigue": Words("疲劳（二级）", "fatigue (level 2)"),
    "distracted": Words("分神", "distraction"),
    "driver_abnormal": Words("驾驶员异常", "a driver who is not seen as he should be"),
    "hands_off": Words("双手脱离方向盘", "hands off the wheel"),
    "no_belt": Words("未系安全带", "no seat belt"),
    "not_ahead": Words("不目视前方", "not looking ahead"),
    "forward_collision": Words("前向碰撞", "forward collision"),
    "lane_departure": Words("车道偏离", "lane departure"),
    "too_close": Words("车距过近", "too close to the vehicle ahead"),
    "pedestrian": Words("行人碰撞", "pedestrian ahead"),
    "blind_spot": Words("盲区接近", "somebody in the blind spot"),
    "acceleration": Words("急加速", "harsh acceleration"),
    "braking": Words("急减速", "harsh braking"),
    "turning": Words("急转弯", "harsh turning"),
    "idling": Words("长时间怠速", "long idling"),
    "stalling": Words("异常熄火", "stalling"),
    "coasting": Words("空挡滑行", "coasting in neutral"),
    "overspeed": Words("发动机超转", "engine overspeed"),
    "signal_lost": Words("视频信号丢失", "lost video"),
    "covered": Words("摄像头遮挡", "a covered camera"),
    "repeated": Words("多日反复", "on several days"),
    "gnss": Words("定位模块故障", "a fault of the positioning module"),
    "antenna": Words("天线故障", "a fault of the antenna"),
    "low_power": Words("主电源欠压", "low main power"),
    "power_cut": Words("主电源断电", "main power cut"),
    "module": Words("外设故障", "a fault of display, speech, camera or card reader"),
    "cut_moving": Words("行驶中断电", "power cut while it was moving"),
    "operated": Words("带故障继续运行", "still operated with the fault"),
    "theft": Words("被盗报警", "an alarm of theft"),
    "ignition": Words("非法点火报警", "an alarm of unlawful ignition"),
    "displacement": Words("非法位移报警", "an alarm of unlawful displacement"),
    "moved": Words("熄火位移", "displacement with the ignition off"),
}
_DEFAULTS = Words(
    "判定参数按目录默认值列示；当地另有登记的，以当时登记的为准。",
    "Parameters are shown with the catalogue's defaults; where others were registered, those counted.",
)
_LEAD = Words(
    "线索，须核实后方可认定，等级不高于一般（2级）。{doubt}",
    "A lead, to be checked before anybody is accused; at most general (2). {doubt}",
)
_SURE = Words("已判定，等级{name}（{severity}级）。{sure}", "Established; severity {name} ({severity}). {sure}")
_LATE = Words(
    "事后补录的，须覆盖全部时段方自动撤销；只覆盖一部分的，可以申诉。",
    "What is handed in later withdraws it by itself where it holds for all of the time; where it holds for a part "
    "only, an appeal is the way.",
)
_VERSIONS = Words(
    "按规则第{rule_version}版、登记第{registry_version}版判定。",
    "Judged by version {rule_version} of the rule and version {registry_version} of the registry.",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Texts:
    """An explanation in one language.

    Attributes
    ----------
    measured : str
        What was measured.
    limit : str
        Which limit that broke, and where it came from.
    since : str
        From when until when, by Beijing clocks.
    clause : str
        The law it rests on.
    clears : str
        What would have cleared it.
    certainty : str
        How grave and how sure it is.
    """

    measured: str
    limit: str
    since: str
    clause: str
    clears: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """An explanation in Chinese and in English."""

    zh: Texts
    en: Texts


def explain(kind: Kind, violation: Mapping[str, Any]) -> Explanation:
    """Say in words why a violation is one.

    Parameters
    ----------
    kind : Kind
    violation : mapping
        ``begins_ms``, ``raised_ms``, ``ends_ms``, ``severity``, ``lead`` and ``measures``. Optional: ``status``
        (unless it is ``open``, the end counts as the end); ``rule_version`` and ``registry_version``, told at the end;
        ``fence_name`` and ``road_name``, shown for the ids;
        ``parameters``, those that counted, by name (without them the defaults are shown, and said to be defaults).
    """
    return Explanation(_texts(kind, violation, 0), _texts(kind, violation, 1))


def _texts(kind: Kind, violation: Mapping[str, Any], language: int) -> Texts:
    why, measures = kind.why, violation["measures"]
    own = violation.get("parameters")
    parameters = _plain(DRIVING) | _plain(kind.limits) | dict(own or {})
    numbers = {**parameters, **measures, **_facts(kind, measures, parameters)}
    for place in ("fence", "road"):
        if violation.get(f"{place}_name"):
            numbers[place] = violation[f"{place}_name"]
    shown = _Shown({name: show(name, value)[language] for name, value in numbers.items()})
    shown.missing = _MISSING[language]
    say = _said(shown, language)
    limit = why.guessed if why.guessed is not None and "fence" not in measures else why.limit
    if why.along is not None and "road" in measures:
        limit = why.along
    space = " " if language else ""
    told = {name: violation.get(name) for name in ("rule_version", "registry_version")}
    versions = "" if None in told.values() else _VERSIONS[language].format(**told)
    return Texts(
        measured=say(why.measured),
        limit=say(limit) + ("" if own else space + _DEFAULTS[language]),
        since=_since(violation)[language],
        clause=_clause(kind.clause)[language],
        clears=say(why.clears) + (space + _LATE[language] if kind.tables else ""),
        certainty=say(_certainty(kind, violation)) + (space + versions if versions else ""),
    )


def warned(kind: Kind, measures: Mapping[str, Any]) -> Words:
    """Say in words what a warning before a violation warns of; empty where the kind gives no warnings.

    Parameters
    ----------
    kind : Kind
    measures : mapping
        Of the warning, with the parameters that counted; for those that it lacks, the defaults are shown.
    """
    if kind.warns is None:
        return Words("", "")
    parameters = _plain(DRIVING) | _plain(kind.limits)
    numbers = {**parameters, **measures, **_facts(kind, measures, parameters)}
    texts = []
    for language in (0, 1):
        shown = _Shown({name: show(name, value)[language] for name, value in numbers.items()})
        shown.missing = _MISSING[language]
        texts.append(_said(shown, language)(kind.warns))
    return Words(*texts)


class _Shown(dict[str, str]):
    """Numbers as they are shown; one that an old row lacks is said to be missing."""

    missing = ""

    def __missing__(self, name: str) -> str:
        return self.missing


def _said(shown: _Shown, language: int) -> Callable[[Words], str]:
    """Fill a sentence; Chinese has no blanks between its letters."""

    def say(words: Words) -> str:
        return re.sub("(?<=[一-鿿]) (?=[一-鿿])", "", words[language].format_map(shown))

    return say


def _plain(defaults: Mapping[str, Any]) -> dict[str, float]:
    """Parameters that are the same for all classes."""
    return {name: value for name, value in defaults.items() if not isinstance(value, Mapping)}


def _facts(kind: Kind, measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, float | str]:
    try:
        return kind.why.facts(measures, parameters)
    except KeyError:  # a measure that an old row lacks
        return {}


def _certainty(kind: Kind, violation: Mapping[str, Any]) -> Words:
    severity = int(violation["severity"])
    if violation["lead"]:
        doubt = kind.why.doubt or Words("", "")
        return Words(*(text.format(doubt=said).strip() for text, said in zip(_LEAD, doubt, strict=True)))
    names = SEVERITIES[severity]
    return Words(
        *(
            text.format(name=name, severity=severity, sure=sure)
            for text, name, sure in zip(_SURE, names, kind.why.sure, strict=True)
        )
    )


def _clause(clause: str) -> Words:
    """A clause, whose English stands in brackets behind the Chinese, in each language."""
    zh, bracket, en = clause.partition(" (")
    return Words(zh, f"{en.removesuffix(')')} ({zh})") if bracket else Words(clause, clause)


# --- how numbers are shown -------------------------------------------------------------------------------------------


def show(name: str, value: Any) -> Words:
    """A number with the unit that its name ends with, for people."""
    if isinstance(value, str):
        terms = [_TERMS.get(term) for term in value.split(SEVERAL)]
        known = [term for term in terms if term is not None]
        if len(known) < len(terms):
            return Words(value, value)
        return Words("、".join(term.zh for term in known), SEVERAL.join(term.en for term in known))
    if value is None or not math.isfinite(value):
        return _MISSING
    unit = name.rsplit("_", 1)[-1]
    if unit == "kmh":
        return Words(*[f"{value:.1f} km/h"] * 2)
    if unit == "ratio":
        return Words(*[f"{_trimmed(100 * value)}%"] * 2)
    if unit in ("s", "ms"):
        return duration(value / 1000 if unit == "ms" else value)
    if unit in ("m", "dm"):
        return _distance(value / 10 if unit == "dm" else value)
    return Words(*[_trimmed(value)] * 2)


def duration(seconds: float) -> Words:
    """A time span, like 4小时12分, cut to whole seconds [s]."""
    if seconds <= -1:
        back = duration(-seconds)
        return Words(f"-{back.zh}", f"-{back.en}")
    if 0 < seconds < 1:
        return Words("不足1秒", "less than 1 s")
    minutes, rest = divmod(int(seconds), 60)
    parts = (minutes // 60, minutes % 60, rest)
    zh = "".join(f"{part}{unit}" for part, unit in zip(parts, ("小时", "分", "秒"), strict=True) if part)
    en = " ".join(f"{part} {unit}" for part, unit in zip(parts, ("h", "min", "s"), strict=True) if part)
    return Words(zh or "0秒", en or "0 s")


def moment(time_ms: int, *, day: bool = True) -> Words:
    """A time by Beijing clocks, like 11月28日 08:31:05, cut to whole seconds [ms of the epoch]."""
    at = datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(BEIJING)
    clock = f"{at:%H:%M:%S}"
    return (
        Words(f"{at.month}月{at.day}日 {clock}", f"{at.day} {_MONTHS[at.month - 1]} {clock}")
        if day
        else Words(clock, clock)
    )


def _distance(metres: float) -> Words:
    if metres < 1000:
        return Words(f"{_trimmed(metres)}米", f"{_trimmed(metres)} m")
    kilometres = _trimmed(metres / 1000)
    return Words(f"{kilometres}公里", f"{kilometres} km")


def _trimmed(value: float) -> str:
    """A number with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def _since(violation: Mapping[str, Any]) -> Words:
    begins, raised, ends = (int(violation[name]) for name in ("begins_ms", "raised_ms", "ends_ms"))
    began = moment(begins)

    def later(time_ms: int) -> Words:
        """With its day only where that is another."""
        return moment(time_ms, day=moment(time_ms).zh.split()[0] != began.zh.split()[0])

    told, end, lasted = later(raised), later(ends), duration((ends - begins) / 1000)
    if violation.get("status") == "open":
        last = Words(
            f"最近一次见于{end.zh}，尚未结束，至今历时{lasted.zh}",
            f"last seen at {end.en} and not over yet, {lasted.en} so far",
        )
    else:
        last = Words(f"止于{end.zh}，历时{lasted.zh}", f"over at {end.en}, after {lasted.en}")
    return Words(
        f"自{began.zh}起（北京时间），{told.zh}判定成立，{last.zh}。",
        f"Since {began.en} (Beijing time), established at {told.en}, {last.en}.",
    )
