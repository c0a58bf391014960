"""Words: how a report says numbers, times and states."""

import re
from datetime import UTC, date, datetime

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
