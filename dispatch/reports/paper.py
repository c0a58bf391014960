"""Paper: a report in words and tables. Every format prints this and nothing else, so that all have the same numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

from dispatch.reports.facts import Facts, Member, Row, Totals
from dispatch.reports.words import (
    REJECTED,
    SEVERITIES,
    STATES,
    UNREADABLE,
    at,
    clean,
    lasting,
    moment,
    on,
    plate,
    share,
)

Cell = str | int

SUMMARY, DETAIL, QUALITY = "汇总", "违规明细", "数据质量"
"""Sheets of a workbook."""


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column, and its share of the width; numbers stand right."""

    name: str
    width: float
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``wide``: it needs a page of its own, turned. ``total``: the last row is a sum."""

    title: str
    sheet: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = "无"
    wide: bool = False
    total: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """A report, ready to be printed."""

    issuer: str
    number: str
    title: str
    subtitle: str
    reason: str
    summary: tuple[str, ...]
    tables: tuple[Table, ...]
    statement: tuple[str, ...]
    dated: str


def compose(facts: Facts) -> Paper:
    """Put facts into words and tables."""
    detail = "" if facts.whole else f"（数据截至{moment(facts.closed_ms)}）"
    return Paper(
        issuer=facts.issuer,
        number=clean(facts.number),
        title=clean(f"{_who(facts)}道路运输车辆动态监控日报"),
        subtitle=f"（{on(facts.day)}）{detail}",
        reason=clean(facts.reason),
        summary=tuple(_summary(facts)),
        tables=tuple(_tables(facts)),
        statement=tuple(_statement(facts)),
        dated=on_closing(facts),
    )


def on_closing(facts: Facts) -> str:
    """Date under the report."""
    return moment(facts.closed_ms).partition("日")[0] + "日"


def _who(facts: Facts) -> str:
    return facts.party.company_name or facts.party.county_name or facts.area


def _summary(facts: Facts) -> Iterable[str]:
    totals, fixes = facts.totals, facts.fixes
    who = clean(_who(facts))
    if facts.party.company and facts.party.county:
        who += f"（{clean(facts.party.county_name)}）"
    online = f"{on(facts.day)}，{who}在册营运车辆{totals.registered:,}辆，上线{totals.online:,}辆"
    online += f"，上线率{share(totals.online, totals.registered)}。" if totals.registered else "。"
    accepted = share(fixes.accepted, fixes.received)
    received = (
        f"全日接收定位记录{fixes.received:,}条，采信{fixes.accepted:,}条，采信率{accepted}。"
        if fixes.received
        else "全日未接收到定位记录。"
    )
    yield online + received
    if totals.violations:
        parts = "、".join(
            f"{SEVERITIES[grade]}{totals.by_severity[grade - 1]:,}起"
            for grade in SEVERITIES
            if totals.by_severity[grade - 1]
        )
        found = f"全日共识别违规行为{totals.violations:,}起，其中{parts}。"
        kinds = sorted((kind for kind in facts.kinds if kind.violations), key=lambda kind: -kind.violations)
        named = "、".join(f"{clean(kind.name)}{kind.violations:,}起" for kind in kinds[:3])
        yield (
            found + f"主要违规类型为{named}。"
            if len(kinds) > 1
            else found.rstrip("。") + f"，均为{clean(kinds[0].name)}。"
        )
    else:
        yield (
            "全日未识别到违规行为。"
            if fixes.received
            else "全日未识别到违规行为，但因未接收到定位记录，不能据此认定无违规。"
        )
    apart = []
    if totals.leads:
        apart.append(f"疑似线索{totals.leads:,}起，待核实，不计入违规总数")
    if totals.superseded:
        apart.append(f"被同车更重违规并入{totals.superseded:,}起，列示而不计数")
    if totals.withdrawn:
        apart.append(f"撤销{totals.withdrawn:,}起")
    if apart:
        yield "另有" + "；".join(apart) + "。"
    if totals.violations:
        done = totals.violations - totals.unfinished - totals.states.get("", 0)
        yield (
            f"截至{moment(facts.cases_ms)}，上述违规中须办理{totals.violations - totals.states.get('', 0):,}起，"
            f"已办结{done:,}起，办理中{totals.unfinished:,}起，其中逾期{totals.overdue:,}起。"
        )


def _tables(facts: Facts) -> Iterable[Table]:
    totals = facts.totals
    yield Table(
        "违规行为分类统计",
        SUMMARY,
        (
            Column("代码", 1),
            Column("违规类型", 3.2),
            *(Column(name, 1, number=True) for name in SEVERITIES.values()),
            Column("合计", 1, number=True),
            Column("疑似线索", 1.4, number=True),
            Column("并入更重", 1.4, number=True),
        ),
        tuple(_kinds(facts)),
        empty="全日未识别到违规行为",
        total=True,
    )
    yield _parts("分行业情况", "行业", facts.modules, totals)
    if not facts.party.company:
        head = "企业" if facts.party.county else "县市"
        yield _parts(f"分{head}情况", head, facts.members, totals)
    yield Table(
        "办理情况",
        SUMMARY,
        (Column("办理状态", 4), Column("起数", 1, number=True)),
        tuple((STATES.get(state, state), count) for state, count in sorted(totals.states.items(), key=_state)),
        empty="无须办理的违规行为" if totals.violations else "无违规行为须办理",
    )
    yield Table(
        "定位数据质量",
        QUALITY,
        (Column("项目", 4), Column("条数", 2, number=True), Column("占比", 1.5, number=True)),
        tuple(_quality(facts)),
    )
    if not facts.party.county and not facts.party.company:
        yield Table(
            "无法识别的记录",
            QUALITY,
            (Column("原因", 4), Column("条数", 2, number=True)),
            tuple(
                (UNREADABLE.get(reason, clean(reason)), count) for reason, count in sorted(facts.quarantined.items())
            ),
        )
    yield _detail(facts)
    if facts.withdrawn:
        yield _withdrawn(facts)


def _kinds(facts: Facts) -> Iterable[tuple[Cell, ...]]:
    for kind in facts.kinds:
        by_grade = tuple(reversed(kind.by_severity))
        yield kind.code, clean(kind.name), *by_grade, kind.violations, kind.leads, kind.superseded
    totals = facts.totals
    if facts.kinds:
        by_grade = tuple(reversed(totals.by_severity))
        yield "", "合计", *by_grade, totals.violations, totals.leads, totals.superseded


def _state(item: tuple[str, int]) -> int:
    order = list(STATES)
    return order.index(item[0]) if item[0] in order else len(order)


def _parts(title: str, head: str, members: list[Member], totals: Totals) -> Table:
    return Table(
        title,
        SUMMARY,
        (
            Column(head, 3.2),
            *(Column(name, 1.1, number=True) for name in ("在册", "上线")),
            Column("上线率", 1.5, number=True),
            *(Column(name, 1, number=True) for name in ("违规", *SEVERITIES.values(), "线索")),
            Column("未办结", 1.4, number=True),
            Column("逾期", 1, number=True),
        ),
        tuple(_part(one) for one in [*members, _sum(totals)] if members),
        total=True,
    )


def _part(one: Member) -> tuple[Cell, ...]:
    rate, by_grade = share(one.online, one.registered), tuple(reversed(one.by_severity))
    head = (clean(one.name) or "未登记", one.registered, one.online, rate, one.violations)
    return *head, *by_grade, one.leads, one.unfinished, one.overdue


def _sum(totals: Totals) -> Member:
    return Member(
        code="",
        name="合计",
        registered=totals.registered,
        online=totals.online,
        by_severity=totals.by_severity,
        leads=totals.leads,
        unfinished=totals.unfinished,
        overdue=totals.overdue,
    )


def _quality(facts: Facts) -> Iterable[tuple[Cell, ...]]:
    fixes = facts.fixes
    yield "接收", fixes.received, share(fixes.received, fixes.received)
    yield "采信", fixes.accepted, share(fixes.accepted, fixes.received)
    for reason, name in REJECTED.items():
        yield f"未采信：{name}", fixes.rejected.get(reason, 0), share(fixes.rejected.get(reason, 0), fixes.received)
    yield "其中带补传标志", fixes.backfilled, share(fixes.backfilled, fixes.received)
    yield "其中次日零时后到达", fixes.after, share(fixes.after, fixes.received)


def _statement(facts: Facts) -> Iterable[str]:
    yield (
        f"本日报依据{moment(facts.closed_ms)}关账前到达的定位数据和登记信息第{facts.registry_version}版编制，"
        "日期与时刻均为北京时间；违规按确认时刻归日，办理状态为关账时的状态。"
    )
    if not facts.whole:
        yield "关账时当日尚未结束，本日报不含此后的数据；全日数据以更正日报为准。"
    late = facts.fixes.backfilled + facts.fixes.rejected.get("late", 0)
    kept = f"补传、晚到记录{late:,}条"
    if facts.quarantined:
        kept += f"，无法识别的记录{sum(facts.quarantined.values()):,}条，均已留存备查"
    if facts.totals.unregistered:
        kept += f"；另有未登记车辆{facts.totals.unregistered:,}辆上传数据"
    yield kept + "。关账后补传的数据或撤销的违规，以编号更正日报公布，原日报不作改动。"
    yield "系统识别结果属监管线索，用于行政处罚前须经执法人员审核；被同车更重违规并入的，列示而不计数。"


def _detail(facts: Facts) -> Table:
    columns = [Column("序号", 0.8, number=True), Column("车牌", 2.1), Column("违规类型", 2.3), Column("等级", 0.9)]
    columns += [Column("开始时间", 2), Column("历时", 2), Column("发生地", 2), Column("情况", 6.5)]
    if not facts.party.county and not facts.party.company:
        columns.append(Column("县市", 1.6))
    if not facts.party.company:
        columns.append(Column("企业", 3))
    columns.append(Column("办理状态", 2.2))
    rows = tuple(_violation(facts, number, row) for number, row in enumerate(facts.violations, 1))
    return Table(DETAIL, DETAIL, tuple(columns), rows, empty="全日未识别到违规行为", wide=True)


def _violation(facts: Facts, number: int, row: Row) -> tuple[Cell, ...]:
    said: list[Cell] = [
        number,
        plate(row.plate, row.plate_color),
        clean(facts.kind_names[row.kind]),
        SEVERITIES[row.severity],
        at(row.begins_ms),
        lasting((row.ends_ms - row.begins_ms) / 1000) + ("（持续）" if row.open else ""),
        clean(facts.county_names.get(row.place_county, "")) or "—",
        clean(row.told) or "—",
    ]
    if not facts.party.county and not facts.party.company:
        said.append(clean(facts.county_names.get(row.county, "")) or "未登记")
    if not facts.party.company:
        said.append(clean(facts.company_names.get(row.company, "")) or "未登记")
    said.append(_standing(facts, row))
    return tuple(said)


def _standing(facts: Facts, row: Row) -> str:
    if row.superseded_by:
        graver = facts.kind_names.get(row.superseded_by, row.superseded_by)
        return f"并入{clean(graver)}，不计数"
    said = STATES.get(row.state, row.state) + ("（逾期）" if row.overdue else "")
    return f"疑似线索，{said}" if row.lead else said


def _withdrawn(facts: Facts) -> Table:
    return Table(
        "撤销的违规",
        DETAIL,
        (
            Column("车牌", 2),
            Column("违规类型", 2.4),
            Column("开始时间", 2),
            Column("撤销时间", 2),
            Column("企业", 3),
            Column("原因", 5),
        ),
        tuple(
            (
                plate(one.plate, one.plate_color),
                clean(facts.kind_names[one.kind]),
                at(one.begins_ms),
                at(one.withdrawn_ms),
                clean(facts.company_names.get(one.company, "")) or "未登记",
                clean(one.reason) or "—",
            )
            for one in facts.withdrawn
        ),
        wide=True,
    )
