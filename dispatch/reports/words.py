"""Words: how a report says numbers, times and states."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from dispatch.reports.facts import UNOPENED
from ingest.moment import BEIJING
from ledger.moves import STATE_NAMES

SEVERITIES = {4: "严重", 3: "较重", 2: "一般", 1: "提示"}
STATES = {UNOPENED: "待推送", **{str(state): zh for state, (zh, _) in STATE_NAMES.items()}, "": "无须办理"}
"""State of a case to its name, in the order of its course."""
REJECTED = {
    "unqualified": "数据不合格",
    "no_fix": "未定位",
    "backfill": "盲区补传",
    "duplicate": "重复",
    "late": "晚到",
    "unconfirmed": "待确认的首点",
    "drift": "漂移",
}
"""Why the gate took no notice of a fix."""
UNREADABLE = {"malformed": "不是定位记录", "encoding": "编码错误", "oversize": "记录过长", "truncated": "压缩流中断"}
"""Why a record is no fix."""
COLORS = {1: "蓝", 2: "黄", 3: "黑", 4: "白", 5: "绿", 91: "农黄", 92: "农绿", 93: "黄绿", 94: "渐变绿", 9: "其他"}
"""JT/T 697.7 and JT/T 415 plate colours."""

_MEASURES = {
    "peak_kmh": ("最高", "km/h", 1.0, 1),
    "limit_kmh": ("限速", "km/h", 1.0, 0),
    "distance_m": ("行驶", "km", 0.001, 1),
}
_DURATIONS = {"excess_s": "超时", "drive_s": "行驶"}
_BASIS = {"driver": "按驾驶员计", "vehicle": "按车辆计"}

_KNOWN = [*_MEASURES, *_DURATIONS, "basis", "fence"]

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]")


def clean(text: str) -> str:
    """Text without characters that no document shows: controls, turns of the writing direction."""
    return _UNFIT.sub("□", text)


def at(time_ms: int, like: str = "%m-%d %H:%M:%S") -> str:
    """Beijing time of a moment; a dash where no calendar has it."""
    try:
        moment = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(BEIJING)
    except (ValueError, OverflowError, OSError):
        return "—"
    return moment.strftime(like)


def on(day: date) -> str:
    """2026年11月27日."""
    return f"{day.year}年{day.month}月{day.day}日"


def moment(time_ms: int) -> str:
    """2026年11月28日06时00分."""
    then = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(BEIJING)
    return f"{on(then.date())}{then:%H时%M分}"


def lasting(seconds: float) -> str:
    """4小时12分, 3分05秒, 40秒."""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours}小时{minutes:02d}分"
    return f"{minutes}分{whole % 60:02d}秒" if minutes else f"{whole}秒"


def share(part: int, whole: int) -> str:
    """Percentage with two digits; 100 only where it is all, a dash of nothing."""
    if not whole:
        return "—"
    hundredths = (part * 20_000 + whole) // (2 * whole)
    return f"{(10_000 if part == whole else min(hundredths, 9_999)) / 100:.2f}%"


def plate(text: str, color: int) -> str:
    """Plate with its colour."""
    return clean(f"{text}（{COLORS.get(color, color)}）")


def measured(measures: Mapping[str, Any], fence_names: Mapping[str, str]) -> str:
    """What a kind measured, in words; what has no words yet is printed by its name."""
    said = []
    for name, value in sorted(measures.items(), key=_order):
        if name in _MEASURES and isinstance(value, int | float):
            word, unit, factor, digits = _MEASURES[name]
            said.append(f"{word}{value * factor:.{digits}f}{unit}")
        elif name in _DURATIONS and isinstance(value, int | float):
            said.append(_DURATIONS[name] + lasting(value))
        elif name == "fence":
            said.append(clean(fence_names.get(str(value), str(value))))
        elif name == "basis":
            said.append(_BASIS.get(str(value), clean(str(value))))
        else:
            said.append(clean(f"{name} {value}"))
    return "，".join(said)


def _order(item: tuple[str, Any]) -> tuple[int, str]:
    """Known measures in the order of their words, others by name: JSON keeps no order."""
    name = item[0]
    return (_KNOWN.index(name) if name in _KNOWN else len(_KNOWN)), name
