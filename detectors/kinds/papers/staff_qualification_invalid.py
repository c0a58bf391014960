"""V30: the driver's qualification does not hold, or hazardous goods travel without a qualified escort."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from detectors.enrich import Enriched
from detectors.found import WARNED, Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.reminders import REMINDED, numbered, paper_facts, remind, tally_measures
from detectors.tallies import COUNTED, TALLY, Rows, driving, tally
from detectors.why import Why, Words
from ingest.batch import Bool, Int64
from ingest.moment import DAY_MS
from ingest.papers import Papers
from ingest.registry import CLASSES, driver_code
from ingest.status import LOADED_BIT, told

_STATE = np.dtype([("tally", TALLY), ("reminded", REMINDED)], align=True)
_SERVES = {letter: ("L", "C") if letter in "LC" else (letter,) for letter in CLASSES}
"""Class of a vehicle to the qualifications that serve it: that of passenger transport is one."""

_REASONS = ("unqualified", "lapsed", "no_escort")
_UNQUALIFIED, _LAPSED, _NO_ESCORT = (np.uint8(code) for code in range(3))
_LOW = (1 << 32) - 1
_FULL = 0x302


def _measures(row: Any) -> dict[str, object]:
    """What was driven, whose qualification is missing and why, with its number and end."""
    found = tally_measures(row)
    return found if row["fact"] == WARNED else found | {"reason": _REASONS[row["code"]]}


class _Drivers(NamedTuple):
    """Fixes with a known driver, (k,), and when qualifications that serve the vehicle's class end [ms].

    Attributes
    ----------
    held_ms : int64, (k,)
        The last end among those that hold; 0 where none does.
    last_ms : int64, (k,)
        The last end among those, one of each sort, that began last; 0 where none had begun.
    """

    at: Int64
    held_ms: Int64
    last_ms: Int64


def _drivers(batch: Enriched, limits: Limits, papers: Papers) -> _Drivers:
    """Look drivers up in their own order: a search then goes on where the one before ended."""
    at = np.flatnonzero(limits.applies & (batch.driver != 0)) if len(papers) else np.zeros(0, np.int64)
    at = at[np.argsort(batch.driver[at], kind="stable")]
    at = at[batch.around.registry.papers["staff"].holding(batch.driver[at], batch.time_ms[at]) >= 0]
    held_ms, last_ms = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for own, sort in _served(batch, at):
        time_ms = batch.time_ms[at[own]]
        row = papers.latest(batch.driver[at[own]], time_ms, sort)
        end_ms = np.where(row >= 0, papers.to_ms[row], 0)
        last_ms[own] = np.maximum(last_ms[own], end_ms)
        held_ms[own] = np.maximum(held_ms[own], np.where(end_ms > time_ms, end_ms, 0))
    order = np.argsort(at)
    return _Drivers(at[order], held_ms[order], last_ms[order])


def _served(batch: Enriched, at: Int64) -> Iterator[tuple[Int64, str]]:
    """Places in `at` of the fixes whose class a qualification serves, and its sort."""
    for letter, sorts in _SERVES.items() if len(at) else ():
        own = np.flatnonzero(batch.kind[at] == CLASSES.index(letter))
        yield from ((own, sort) for sort in sorts if len(own))


def _without_escort(batch: Enriched, limits: Limits, papers: Papers) -> Bool:
    """Where hazardous goods travel and nobody on the roster is a qualified escort, (n,)."""
    found = np.zeros(len(batch), np.bool_)
    registry = batch.around.registry
    roster = registry.papers["roster"]
    if not len(papers) or not roster.count("escort"):
        return found
    at = np.flatnonzero(limits.applies & batch.of_class("H"))
    full = told(batch.status[at], LOADED_BIT)
    at = at[full | (registry.papers["waybills"].holding(batch.vehicle[at], batch.time_ms[at]) >= 0)]
    found[at] = True
    staff = roster.column("staff", driver_code, np.int64)
    for row in roster.every(batch.vehicle[at], batch.time_ms[at], "escort"):
        found[at[papers.holding(staff[row], batch.time_ms[at], "escort") >= 0]] = False
    return found


def _invalid(batch: Enriched, limits: Limits, state: State, drivers: _Drivers, papers: Papers) -> Rows:
    """Driving without the qualifications, by day."""
    n = len(batch)
    code, ended_ms, whose = np.zeros(n, np.uint8), np.zeros(n, np.int64), np.zeros(n, np.int64)
    what = _without_escort(batch, limits, papers).astype(np.uint8)
    code[what == 1] = _NO_ESCORT
    missing = drivers.held_ms == 0
    at, last_ms = drivers.at[missing], drivers.last_ms[missing]
    what[at] = 1
    code[at] = np.where(last_ms != 0, _LAPSED, _UNQUALIFIED)
    ended_ms[at], whose[at] = last_ms, batch.driver[at]
    grade = np.where(batch.of_class("H"), np.uint8(Severity.SEVERE), np.uint8(Severity.SERIOUS))
    return tally(
        batch, what, limits, state["tally"],
        grade=grade, code=code, detail=batch.kind, ended_ms=ended_ms, whose=whose,
    )  # fmt: skip


def _ending(batch: Enriched, limits: Limits, state: State, drivers: _Drivers, papers: Papers) -> Rows:
    """Qualifications that will end within the days of warning, at drives."""
    due_ms = batch.time_ms + limits.at("warn_days") * DAY_MS
    near = (drivers.held_ms != 0) & (drivers.held_ms <= due_ms[drivers.at]) & driving(batch, limits)[drivers.at]
    at = drivers.at[near]
    until_ms = np.zeros(len(at), np.int64)
    for own, sort in _served(batch, at):
        row = papers.holding(batch.driver[at[own]], batch.time_ms[at[own]], sort)
        until_ms[own] = np.where(row >= 0, np.maximum(papers.lasting(row, sort), until_ms[own]), until_ms[own])
    soon = until_ms <= due_ms[at]
    at, until_ms = at[soon], until_ms[soon]
    who = batch.driver[at]
    return remind(
        batch, at, np.maximum(who & _LOW, 1), until_ms, limits.slot, state["reminded"],
        code=np.full(len(at), _LAPSED), detail=batch.kind[at], who=who,
    )  # fmt: skip


@kind(
    code="V30",
    zh="从业资格无效",
    en="Staff without a valid qualification",
    classes="LCHBTF",
    severity=Severity.SERIOUS,
    clause="《道路运输从业人员管理规定》（条款号待核实）；《危险化学品安全管理条例》（押运人员，条款号待核实） "
    "(Road Transport Staff Rules, number unverified; Hazardous Chemicals Safety Regulations, escorts, unverified)",
    limits={**COUNTED, "open_dm": 50_000, "open_ms": 600_000, "warn_days": 30},
    state=_STATE,
    sparse=True,
    measures=_measures,
    why=Why(
        measured=Words(
            "{reason}（资格证编号 {number}，到期 {ended}），当日仍行驶 {distance_m}，历时 {drive_s}。",
            "While {reason} (qualification number {number}, ended {ended}), {distance_m} were driven in {drive_s} that "
            "day.",
        ),
        limit=Words(
            "驾驶员须持有与车辆类别相应的有效从业资格，载运危险货物须有持有效资格的押运员随车，依登记的从业资格与排班；"
            "一日内行驶超过 {open_dm} 或超过 {open_ms} 即构成。",
            "A driver needs a qualification for the vehicle's class that holds, and hazardous goods an escort with "
            "one, by the registers of qualifications and of the roster; more than {open_dm} or {open_ms} of driving in "
            "one day is enough.",
        ),
        clears=Words(
            "行驶前资格已取得或续期、押运员已排班（补录亦可）；或当日行驶不超过 {open_dm} 且不超过 {open_ms}，"
            "即不构成。未登记的驾驶员不作认定。",
            "A qualification gained or renewed, or an escort put on the roster, before the drive, also where that is "
            "registered later; or driving no more than {open_dm} and no more than {open_ms} in the day. Drivers who "
            "are not registered as staff are not asked.",
        ),
        sure=Words(
            "只计前后两个定位点均无有效资格的行驶；数据中断超过 {gap_ms} 的行程未计入。",
            "Only driving between two fixes at which a qualification was missing counts; gaps of data above {gap_ms} "
            "are left out.",
        ),
        facts=paper_facts,
    ),
    tables=("qualifications", "roster"),
    warns=Words(
        "驾驶员从业资格（编号 {number}）将于 {ended} 到期，请及时换证。",
        "The driver's qualification (number {number}) ends at {ended}: renew it in time.",
    ),
    examples=(
        Example(
            "ended on the day before",
            {"speed_kmh": (60,) * 13, "driver": "A"},
            every_s=30,
            raised=(11,),
            papers={
                "staff": ({"staff": "A", "role": "driver"},),
                "qualifications": ({"staff": "A", "qualification": "L", "number": "1", "valid_to": "2026-03-01"},),
            },
        ),
        Example(
            "a qualification for freight serves no coach; ten minutes",
            {"speed_kmh": (20,) * 25, "driver": "B"},
            every_s=30,
            raised=(21,),
            papers={
                "staff": ({"staff": "B", "role": "driver"},),
                "qualifications": ({"staff": "B", "qualification": "F"},),
            },
        ),
        Example(
            "that of charters serves lines",
            {"speed_kmh": (60,) * 13, "driver": "C"},
            every_s=30,
            raised=(),
            papers={
                "staff": ({"staff": "C", "role": "driver"},),
                "qualifications": ({"staff": "C", "qualification": "C"},),
            },
        ),
        Example(
            "nobody knows the driver",
            {"speed_kmh": (60,) * 13, "driver": "Z"},
            every_s=30,
            raised=(),
            papers={
                "staff": ({"staff": "D", "role": "driver"},),
                "qualifications": ({"staff": "D", "qualification": "F"},),
            },
        ),
        Example(
            "ends in a week, told once",
            {"speed_kmh": (60,) * 30, "driver": "G"},
            every_s=30,
            raised=(),
            papers={
                "staff": ({"staff": "G", "role": "driver"},),
                "qualifications": ({"staff": "G", "qualification": "L", "number": "1", "valid_to": "2026-03-08"},),
            },
        ),
        Example(
            "full, with an escort whose qualification ended",
            {"speed_kmh": (60,) * 13, "driver": "H", "status": _FULL},
            every_s=30,
            raised=(11,),
            kind="H",
            papers={
                "staff": ({"staff": "H", "role": "driver"},),
                "qualifications": (
                    {"staff": "H", "qualification": "H"},
                    {"staff": "EH", "qualification": "escort", "valid_to": "2026-03-01"},
                ),
                "roster": ({"role": "escort", "staff": "EH"},),
            },
        ),
        Example(
            "a waybill, and one of two escorts is qualified",
            {"speed_kmh": (60,) * 13, "driver": "I"},
            every_s=30,
            raised=(),
            kind="H",
            papers={
                "staff": ({"staff": "I", "role": "driver"},),
                "qualifications": (
                    {"staff": "I", "qualification": "H"},
                    {"staff": "FI", "qualification": "escort"},
                ),
                "roster": ({"role": "escort", "staff": "EI"}, {"role": "escort", "staff": "FI"}),
                "waybills": ({"number": "1", "valid_from": "2026-03-02", "valid_to": "2026-03-02"},),
            },
        ),
    ),
)
def staff_qualification_invalid(batch: Enriched, limits: Limits, state: State) -> Found:
    """More than 5 km or 10 min driven in one Beijing day by staff without a qualification that holds.

    Nothing is asked where the registry has no row in ``qualifications`` at all. The condition at a fix of a registered
    vehicle, t its time:

    - *driver*: it carries a driver, some row of ``staff`` (of any role) holds for the driver at t, and no row of
      ``qualifications`` that serves the vehicle's class does: its sort is the class letter; for L and for C both L and
      C serve, passenger transport being one qualification; or
    - *escort*: the class is H, goods travel (a row of ``waybills`` holds for the vehicle at t, or the fix's status is
      given with bit 8 set: half or full), some row of ``roster`` in the registry, of any vehicle and time, has role
      ``escort``, and of no row with role ``escort`` that holds for the vehicle at t does the staff have a row of
      ``qualifications`` of sort ``escort`` that holds at t.

    Which pairs count, begin, raise and end: see `tallies.tally` (channel 1, ``open_dm``, ``open_ms``; a pair counts
    whichever of the two it is at either end). Grade 4 where the fix's class is H, else 3. What is said of the paper
    is *driver* where both apply: ``reason`` is ``lapsed``, with the last end among, of each sort that serves, the row
    that began last (at or before t), and its number (of both L and C with that end, that of L), or ``unqualified``
    where none had begun; else ``no_escort``. Never a lead.

    Warning: at a fix whose pair is driving (as in V29) with a driver who is registered as staff and holds such a
    qualification: of each sort that serves and of which a row holds at t, the end of the driver's rows of that sort
    without a break is taken; the last of these ends is told where it is <= t + ``warn_days`` × 86 400 000 (the
    parameter at the fix). See `reminders.remind`: whose it is, is the driver's code modulo 2^32 (1 for 0).

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``driver`` and ``status``.
    limits : Limits
        See `tallies.tally`.
    state : structured array, (vehicles,)
        ``tally`` and ``reminded``; changed in place.

    Returns
    -------
    Found of ``TALLIED``, (m,)

    Source: regulation §4, V30.
    """
    papers = batch.around.registry.papers["qualifications"]
    drivers = _drivers(batch, limits, papers)
    found = _invalid(batch, limits, state, drivers, papers).beside(_ending(batch, limits, state, drivers, papers))
    for letter, sorts in _SERVES.items() if len(found) else ():
        lapsed = (found["code"] == _LAPSED) & (found["detail"] == CLASSES.index(letter))
        for sort in reversed(sorts):
            numbered(found, lapsed, papers, sort, found["who"])
    return found
