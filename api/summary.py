"""Summary of a replay, in words for people: what was read, refused, found."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from api.replay import Summary
from detectors.catalogue import CATALOGUE
from ingest.moment import BEIJING
from ingest.rejects import Rejects

REASONS = {
    "malformed": "不是定位记录 no position record",
    "encoding": "编码错误 not in the feed's encoding",
    "oversize": "行过长 line too long",
    "truncated": "压缩流中断 broken gzip stream",
    "unqualified": "数据不合格 out of range or unreadable",
    "no_fix": "未定位 receiver without a fix",
    "backfill": "盲区补报 back-filled, enters the closing of its day",
    "duplicate": "重复 same time as the fix before",
    "late": "迟到 earlier than the fix before, enters the closing of its day",
    "unconfirmed": "待确认 first after an absence of over an hour",
    "drift": "漂移 farther away than any vehicle drives",
}
"""Reasons why a line or a fix was refused, in the order of the rulebook's gate."""

GRAVEST_SHOWN = 5
MEASURES_SHOWN = 3
"""Measures that a line about an episode shows, the first that its kind gives."""
_COMMON = {
    "kind", "plate", "plate_color", "begins_ms", "raised_ms", "ends_ms", "severity", "lead", "company", "county",
    "place_county", "superseded_by",
}  # fmt: skip


def lines(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows in columns as wide as their widest cell; those in `right` end flush."""
    widths = [max(cell_len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    out = []
    for row in rows:
        cells = []
        for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
            room = " " * (width - cell_len(cell))
            cells.append(room + cell if at in right else cell + room)
        out.append("  ".join(cells).rstrip())
    return out


def refused(rejects: Rejects) -> list[str]:
    """Counts of what was refused, by reason, and the first few of each."""
    counts = rejects.counts
    rows = [(f"{counts[reason]:,}", reason, words) for reason, words in REASONS.items() if counts[reason]]
    shown = [f"line {reject.line}: {reject.reason}: {reject.detail}" for reject in sorted(rejects.shown)]
    return [*lines(rows, right=(0,)), *shown]


def _found(episodes: Sequence[dict[str, object]]) -> list[str]:
    grades = Counter((str(episode["kind"]), int(str(episode["severity"]))) for episode in episodes)
    leads = Counter(str(episode["kind"]) for episode in episodes if episode["lead"])
    superseded = Counter(str(episode["kind"]) for episode in episodes if "superseded_by" in episode)
    rows = []
    for code in sorted({code for code, _ in grades}):
        own = {grade: count for (kind, grade), count in sorted(grades.items()) if kind == code}
        remarks = [f"Sev{grade} × {count:,}" for grade, count in own.items()]
        remarks += [f"线索 leads {leads[code]:,}"] if leads[code] else []
        remarks += [f"被取代 superseded {superseded[code]:,}"] if superseded[code] else []
        kind = CATALOGUE[code]
        rows.append((f"{sum(own.values()):,}", code, kind.zh, kind.en, ", ".join(remarks)))
    return lines(rows, right=(0,))


def _gravest(episodes: Sequence[dict[str, object]]) -> list[str]:
    """The gravest few in one line each: who, what, from when till when, Beijing time."""
    accused = [episode for episode in episodes if not episode["lead"] and "superseded_by" not in episode]
    accused.sort(key=lambda episode: -int(str(episode["severity"])))
    rows = []
    for episode in accused[:GRAVEST_SHOWN]:
        begins, ends = (
            datetime.fromtimestamp(int(str(episode[name])) / 1000, BEIJING) for name in ("begins_ms", "ends_ms")
        )
        told = [f"{name} {value}" for name, value in episode.items() if name not in _COMMON][:MEASURES_SHOWN]
        same_day = begins.date() == ends.date()
        span = (
            f"{begins:%Y-%m-%d %H:%M:%S} – {ends:%H:%M:%S}"
            if same_day
            else f"{begins:%Y-%m-%d %H:%M:%S} – {ends:%m-%d %H:%M:%S}"
        )
        grade, code = f"Sev{episode['severity']}", str(episode["kind"])
        rows.append((grade, str(episode["plate"]), code, CATALOGUE[code].zh, span, ", ".join(told)))
    return lines(rows)


def tell(console: Console, summary: Summary, episodes: Sequence[dict[str, object]]) -> None:
    """Print what was read, what was refused and why, and what was found."""
    blocks = [f"读取 read {summary.fixes:,} 条定位 fixes · 采信 accepted {summary.accepted:,}"]
    if summary.unregistered:
        blocks.append(f"未登记车辆 unknown_vehicle {summary.unregistered:,} · 保留但不判定 kept, they raise nothing")
    if summary.rejects.counts:
        blocks += [
            f"未采信 refused {summary.rejects.counts.total():,}",
            *(f"  {line}" for line in refused(summary.rejects)),
        ]
    blocks += [f"违规事件 episodes {len(episodes):,}", *(f"  {line}" for line in _found(episodes))]
    if gravest := _gravest(episodes):
        blocks += ["最严重 gravest", *(f"  {line}" for line in gravest)]
    console.print(Text("\n".join(blocks)), soft_wrap=True)
