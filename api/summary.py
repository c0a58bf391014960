"""Summary of a replay, in words for people."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.replay import Summary
from detectors.catalogue import CATALOGUE

REASONS = {
    "malformed": "不是定位记录 no position record",
    "encoding": "编码错误 wrong encoding",
    "oversize": "行过长 line too long",
    "truncated": "压缩流中断 broken gzip stream",
    "unqualified": "数据不合格 out of range or unreadable",
    "no_fix": "未定位 receiver without a fix",
    "backfill": "盲区补报 back-filled",
    "duplicate": "重复 duplicate",
    "late": "迟到 late",
    "unconfirmed": "待确认 first after an absence",
    "drift": "漂移 drift",
}


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column.startswith("数量") else "left", no_wrap=True)
    return table


def tell(console: Console, summary: Summary, episodes: Sequence[dict[str, object]]) -> None:
    """Print what was read, what was refused and why, and what was found."""
    console.print(
        f"读取 {summary.fixes:,} 条定位记录，采信 {summary.accepted:,} 条"
        f"（read {summary.fixes:,} fixes, accepted {summary.accepted:,}）"
    )
    if summary.unregistered:
        console.print(
            f"未登记车辆 unknown vehicles: {summary.unregistered:,} 条，保留但不判定 kept, they raise nothing"
        )
    if summary.rejects.counts:
        table = _table("数量 rows", "原因 reason", "")
        for reason, words in REASONS.items():
            if summary.rejects.counts[reason]:
                table.add_row(f"{summary.rejects.counts[reason]:,}", reason, words)
        console.print(table)
        for reject in sorted(summary.rejects.shown):
            console.print(Text(f"  line {reject.line}: {reject.reason}: {reject.detail}"), soft_wrap=True)
    counts = Counter(str(episode["kind"]) for episode in episodes)
    console.print(f"违规事件 {len(episodes):,} 起 episodes")
    if episodes:
        table = _table("数量", "代码", "名称 name", "严重 severe", "线索 lead")
        for code, count in sorted(counts.items()):
            own = [episode for episode in episodes if episode["kind"] == code]
            severities = Counter(int(str(episode["severity"])) for episode in own)
            grades = "  ".join(f"Sev{grade}: {number}" for grade, number in sorted(severities.items()))
            kind = CATALOGUE[code]
            leads = sum(bool(episode["lead"]) for episode in own)
            table.add_row(f"{count:,}", code, f"{kind.zh} {kind.en}", grades, str(leads))
        console.print(table)
