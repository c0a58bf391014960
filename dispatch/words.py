"""Words: an event in one line and in a letter, in Chinese or in English."""

import re
from collections.abc import Mapping
from typing import Any

from ledger.moves import STATE_NAMES

_ZH = {
    "violation.raised": "违规新增", "violation.risen": "违规升级", "violation.ended": "违规结束",
    "violation.withdrawn": "违规撤销", "violation.warned": "违规预警", "case.moved": "案件流转",
    "report.issued": "日报发布",
}  # fmt: skip
_EN = {
    "violation.raised": "Violation found", "violation.risen": "Violation graver", "violation.ended": "Violation ended",
    "violation.withdrawn": "Violation withdrawn", "violation.warned": "Warning before a violation",
    "case.moved": "Case moved", "report.issued": "Report issued",
}  # fmt: skip
_LEVELS_ZH = {1: "提示", 2: "一般", 3: "较重", 4: "严重"}
_LEVELS_EN = {1: "notice", 2: "general", 3: "serious", 4: "severe"}
_STATES_ZH = {str(state): zh for state, (zh, _) in STATE_NAMES.items()}
_FIELDS_ZH = {
    "plate": "车牌", "kind": "种类", "severity": "等级", "company": "企业", "county": "县市", "begins": "开始",
    "raised": "认定", "ends": "截至", "clause": "依据", "measures": "测得", "from": "原状态", "to": "现状态",
    "words": "说明", "due": "时限", "number": "编号", "day": "日期", "edition": "版次", "reason": "更正原因",
    "violation": "违规编号", "warned": "预警时间", "warning": "预警编号", "report": "报告编号",
}  # fmt: skip

Event = Mapping[str, Any]
"""The body of a delivery: ``type``, ``timestamp``, ``data``."""


def headline(event: Event, language: str = "zh-CN") -> str:
    """One line that says what has happened; without line breaks, whatever the event holds."""
    kind, data = str(event.get("type", "")), event.get("data")
    if not isinstance(data, Mapping):
        data = {}
    zh = language != "en"
    parts: list[Any] = [(_ZH if zh else _EN).get(kind, kind)]
    if kind == "report.issued":
        about = _name(data, "company") or _name(data, "county") or ("全州" if zh else "prefecture")
        parts += [data.get("number"), data.get("day"), about]
    else:
        levels = _LEVELS_ZH if zh else _LEVELS_EN
        parts += [data.get("kind"), data.get("kind_zh" if zh else "kind_en"), levels.get(_whole(data.get("severity")))]
        parts += [data.get("plate"), _name(data, "company")]
        if kind == "case.moved":
            states = _STATES_ZH if zh else {}
            moved = [states.get(one, one) for one in (data.get("from"), data.get("to")) if isinstance(one, str)]
            parts.append(" → ".join(moved))
        elif kind == "violation.warned":
            parts += [data.get("words_zh" if zh else "words_en")]
        else:
            parts += [data.get("begins")]
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", " ".join(str(part) for part in parts if part))


def letter(event: Event, language: str = "zh-CN") -> str:
    """The event as a letter of a few lines."""
    data: Mapping[str, Any] = event["data"]
    zh = language != "en"
    lines = [headline(event, language), ""]
    for field, name_zh in _FIELDS_ZH.items():
        value = data.get(field)
        if value in (None, "", {}):
            continue
        if field in ("company", "county"):
            value = _name(data, field)
        elif field == "measures":
            value = ", ".join(f"{name} {one}" for name, one in value.items())
        elif field == "severity":
            value = (_LEVELS_ZH if zh else _LEVELS_EN).get(value, value)
        elif field == "kind":
            value = f"{value} {data.get('kind_zh' if zh else 'kind_en', '')}"
        elif field in ("from", "to") and zh:
            value = _STATES_ZH.get(value, value)
        lines.append(f"{name_zh if zh else field}: {value}")
    foot = "本邮件由系统自动发送。" if zh else "This letter was sent by a program."
    return "\n".join([*lines, "", foot, ""])


def _name(data: Mapping[str, Any], field: str) -> Any:
    """Name of a company or county; its code where there is none."""
    return data.get(f"{field}_name") or data.get(field)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
