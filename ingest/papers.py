"""Papers: dated rows about vehicles and staff, and which of them holds at a time."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.batch import Int32, Int64
from ingest.fences import ALL_CLASSES
from ingest.table import RegistryError, Row

_CLOCK = 1 << 42
"""Times are told apart from 1970 until the year 2109 [ms]; a row without an end reaches over it."""

VEHICLE = "vehicle"
STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Sort:
    """What a table of papers is.

    Attributes
    ----------
    name : str
        Of its CSV file and of its collection.
    zh, en : str
        What it is called.
    holder : str
        Whose its rows are: ``vehicle`` (columns ``plate``, ``plate_color``), ``staff`` (column ``staff``, the text
        that fixes carry as driver), or empty: nobody's.
    by : str
        Column that tells papers of one table apart; empty for a table of one sort.
    sorts : tuple of str
        What may stand there.
    required : tuple of str
        Further columns that must be filled.
    columns : tuple of str
        Further columns that may be filled.
    alone : tuple of str, optional
        Rows that agree in holder, sort and these columns may not hold at the same time; None where they may.
    some : tuple of str
        Columns of which one at least must be filled.
    ends : bool
        Every row must have an end.
    """

    name: str
    zh: str
    en: str
    holder: str
    by: str = ""
    sorts: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    alone: tuple[str, ...] | None = None
    some: tuple[str, ...] = ()
    ends: bool = False

    @property
    def known(self) -> tuple[str, ...]:
        """All columns, in order."""
        holder = {VEHICLE: ("plate", "plate_color"), STAFF: ("staff",)}.get(self.holder, ())
        by = (self.by,) if self.by else ()
        return (*holder, *by, *self.required, *self.columns, "valid_from", "valid_to")


DOCUMENTS = ("operation_permit", "annual_review", "inspection", "compulsory_insurance", "carrier_insurance")
"""道路运输证, 年度审验, 检验检测, 交强险, 承运人责任险."""

PERMITS = ("relay", "hazmat_pass", "restricted_hours", "closure_pass", "detour", "dispatch")
"""接驳运输证, 危货通行证, 限时段通行证, 管控期通行证, 绕行许可, 调度指令."""

SORTS = {
    sort.name: sort
    for sort in (
        Sort("status", "车辆状态", "Status of vehicles", VEHICLE, "status",
             ("suspended", "deregistered", "transferred", "unlicensed"), alone=()),
        Sort("documents", "车辆证照", "Documents of vehicles", VEHICLE, "document", DOCUMENTS,
             columns=("number",), alone=()),
        Sort("permits", "许可", "Permits", VEHICLE, "permit", PERMITS, columns=("number", "fence"), alone=("fence",)),
        Sort("waybills", "危货电子运单", "Waybills", VEHICLE, columns=("number", "goods"), ends=True),
        Sort("charters", "包车备案", "Charter sheets", VEHICLE, columns=("number", "route", "counties"), ends=True),
        Sort("assignments", "线路配车", "Routes of vehicles", VEHICLE, required=("route",), alone=("route",)),
        Sort("duties", "行车任务", "Blocks of trips that vehicles run", VEHICLE, required=("block",)),
        Sort("roster", "排班", "Crew of vehicles", VEHICLE, "role", ("driver", "escort"), required=("staff",)),
        Sort("exits", "出站登记", "Records of leaving a station", VEHICLE, required=("station",)),
        Sort("qualifications", "从业资格", "Qualifications of staff", STAFF, "qualification",
             ("L", "C", "H", "B", "T", "F", "escort"), columns=("number",), alone=()),
        Sort("staff", "从业人员", "Staff", STAFF, "role", ("driver", "escort"), columns=("company",), alone=()),
        Sort("exemptions", "豁免", "Exemptions", "", required=("kind", "reason"),
             columns=("number", "plate", "plate_color", "class", "county", "company", "fence"),
             some=("plate", "class", "county", "company", "fence"), ends=True),
    )
}  # fmt: skip
"""Tables of papers by name."""


class _Sheet:
    """Rows of one sort, by holder, then begin."""

    def __init__(self, row: Int32, holder: Int64, from_ms: Int64, to_ms: Int64) -> None:
        order = np.lexsort((from_ms, holder))
        self.row = row[order]
        self.holders = np.unique(holder)
        rank = np.searchsorted(self.holders, holder[order])
        self.key = rank * _CLOCK + np.clip(from_ms[order], 0, _CLOCK - 1)
        until = rank * _CLOCK + np.clip(to_ms[order], 0, _CLOCK - 1)
        self.until = np.maximum.accumulate(until) if len(until) else until
        longest = np.where(until == self.until, np.arange(len(until)), 0)
        self.longest = np.maximum.accumulate(longest) if len(longest) else longest
        self.rank = rank

    def before(self, holder: Int64, time_ms: Int64) -> tuple[Int64, Int64]:
        """Place of the holder's last row begun by then, -1 for none; and the moment as a key; (n,)."""
        if not len(self.key):
            return np.full(len(holder), -1), np.zeros(len(holder), np.int64)
        rank = np.minimum(np.searchsorted(self.holders, holder), len(self.holders) - 1)
        moment = rank * _CLOCK + np.clip(time_ms, 0, _CLOCK - 2)
        at = np.searchsorted(self.key, moment, side="right") - 1
        found = (at >= 0) & (self.holders[rank] == holder) & (self.rank[at] == rank)
        return np.where(found, at, -1), moment


class Papers:
    """The rows of one table as columns.

    Attributes
    ----------
    sort : Sort
    rows : list of Row
        As they were written down, in their order.
    holder : int64, (r,)
        Row of the vehicle, or ``registry.driver_code`` of the staff; -1 for nobody.
    from_ms, to_ms : int64, (r,)
        When each holds: from the first, until before the second [ms].
    """

    def __init__(self, sort: Sort, rows: Sequence[Row], holder: Sequence[int]) -> None:
        self.sort, self.rows = sort, list(rows)
        self.holder: Int64 = np.array(holder, np.int64)
        spans = [row.validity() for row in rows]
        self.from_ms: Int64 = np.array([begin for begin, _ in spans], np.int64)
        self.to_ms: Int64 = np.array([end for _, end in spans], np.int64)
        self._sheets: dict[str, _Sheet] = {}
        self._columns: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, column: str) -> NDArray[Any]:
        """A column as texts, (r + 1,); the last is empty, for row -1."""
        return np.array([*(row.text(column) for row in self.rows), ""], np.object_)

    def column(self, name: str, read: Callable[[str], Any], dtype: Any) -> NDArray[Any]:
        """What is read out of a column, always by the same reader, (r + 1,); the last of an empty text, for row -1."""
        if name not in self._columns:
            self._columns[name] = np.array([read(text) for text in self.texts(name)], dtype)
        return self._columns[name]

    def _sheet(self, sort: str) -> _Sheet:
        if sort not in self._sheets:
            texts = self.texts(self.sort.by)[:-1] if sort else None
            chosen = np.arange(len(self)) if texts is None else np.flatnonzero(texts == sort)
            self._sheets[sort] = _Sheet(
                chosen.astype(np.int32), self.holder[chosen], self.from_ms[chosen], self.to_ms[chosen]
            )
        return self._sheets[sort]

    def count(self, sort: str) -> int:
        """How many rows there are of this sort, whenever they hold."""
        return len(self._sheet(sort).key)

    def holding(self, holder: Int32 | Int64, time_ms: Int64, sort: str = "") -> Int32:
        """Row of this sort (any, if empty) that holds for each holder at each time, (n,); -1 where none does.

        Of several the one that holds longest.
        """
        sheet = self._sheet(sort)
        at, moment = sheet.before(np.asarray(holder, np.int64), time_ms)
        holds = (at >= 0) & (sheet.until[at] > moment) if len(sheet.key) else np.zeros(len(at), np.bool_)
        found: Int32 = np.full(len(at), -1, np.int32)
        found[holds] = sheet.row[sheet.longest[at[holds]]]
        return found

    def every(self, holder: Int32 | Int64, time_ms: Int64, sort: str = "") -> Iterator[Int32]:
        """All rows of this sort that hold for each holder at each time, in as many columns (n,) as are needed.

        A holder's rows come in one column each, in the others stands -1.
        """
        sheet = self._sheet(sort)
        at, moment = sheet.before(np.asarray(holder, np.int64), time_ms)
        while len(sheet.key) and (within := (at >= 0) & (sheet.until[at] > moment)).any():
            row = sheet.row[at]
            yield np.where(within & (self.to_ms[row] > time_ms), row, -1)
            at = np.where(within, at - 1, -1)

    def begun(self, holder: Int32 | Int64, from_ms: Int64, to_ms: Int64) -> Iterator[Int32]:
        """All rows of each holder that begin in a time, its ends included, in as many columns (n,) as are needed.

        A holder's rows come in one column each, the latest first; in the others stands -1.
        """
        sheet, holder = self._sheet(""), np.asarray(holder, np.int64)
        at, _ = sheet.before(holder, to_ms)
        while len(sheet.key):
            row = np.where(at >= 0, sheet.row[at], -1)
            within = (at >= 0) & (self.holder[row] == holder) & (self.from_ms[row] >= from_ms)
            if not within.any():
                return
            yield np.where(within, row, -1)
            at = np.where(within, at - 1, -1)

    def lasting(self, row: Int32 | Int64, sort: str = "") -> Int64:
        """Until when the holder of each row holds papers of this sort without a break from it on, (n,) [ms]."""
        end = self.to_ms[row]
        while True:
            following = self.holding(self.holder[row], end, sort)
            longer = (following >= 0) & (self.to_ms[following] > end)
            if not longer.any():
                return end
            end = np.where(longer, self.to_ms[following], end)

    def latest(self, holder: Int32 | Int64, time_ms: Int64, sort: str = "") -> Int32:
        """Row of this sort that began last by each time, whether it holds still or not, (n,); -1 where none had."""
        sheet = self._sheet(sort)
        at, _ = sheet.before(np.asarray(holder, np.int64), time_ms)
        found: Int32 = np.full(len(at), -1, np.int32)
        found[at >= 0] = sheet.row[at[at >= 0]]
        return found


def check_paper(sort: Sort, row: Row) -> None:
    """See that a row is what its table asks for.

    Raises
    ------
    RegistryError
        A column that must be filled and is not, a sort or a plate colour that there is not, a validity that is
        reversed or has no end where it must.
    """
    if sort.by and row.text(sort.by) not in sort.sorts:
        row.fail(sort.by, f"one of {', '.join(sort.sorts)}")
    for field in sort.required:
        row.text(field, required=True)
    if sort.some and not any(map(row.text, sort.some)):
        row.fail(sort.some[0], f"one of {', '.join(sort.some)} at least")
    if "class" in sort.known and set(row.text("class")) - set(ALL_CLASSES):
        row.fail("class", f"letters of {ALL_CLASSES}, or nothing for all")
    row.whole("plate_color", 2, 0, 255)
    row.validity()
    if sort.ends:
        row.text("valid_to", required=True)


def overlaps(sort: Sort, rows: Sequence[Row], holder: Sequence[int]) -> Iterator[tuple[Row, RegistryError]]:
    """Rows, each sound by itself, that hold at the same time as one before them, where only one may."""
    held: dict[tuple[Any, ...], list[tuple[int, int, Row]]] = {}
    for row, who in zip(rows, holder, strict=True) if sort.alone is not None else ():
        begin, end = row.validity()
        spans = held.setdefault((who, row.text(sort.by) if sort.by else "", *map(row.text, sort.alone or ())), [])
        at = bisect_left(spans, begin, key=lambda span: span[0])
        try:
            if at < len(spans) and spans[at][0] < end:
                row.fail("valid_to", f"a time not after the begin of the one in line {spans[at][2].line}: they overlap")
            if at and spans[at - 1][1] > begin:
                before = spans[at - 1][2].line
                row.fail("valid_from", f"a time not before the end of the one in line {before}: they overlap")
        except RegistryError as error:
            yield row, error
        else:
            spans.insert(at, (begin, end, row))
