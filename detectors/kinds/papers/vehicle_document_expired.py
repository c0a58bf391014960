"""V29: a vehicle is driven on a document that has expired."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import WARNED, Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.reminders import REMINDED, numbered, paper_facts, remind, tally_measures
from detectors.tallies import COUNTED, TALLY, Rows, driving, tally
from detectors.why import Why, Words
from ingest.moment import DAY_MS
from ingest.papers import DOCUMENTS

_STATE = np.dtype([("tally", TALLY), ("reminded", REMINDED)], align=True)
_INSPECTION = DOCUMENTS.index("inspection")


def _measures(row: Any) -> dict[str, object]:
    """What was driven, the document with its number and end, and how many had expired at once."""
    found = tally_measures(row) | {"paper": DOCUMENTS[row["code"]]}
    return found if row["fact"] == WARNED else found | {"expired": int(row["detail"])}


def _expired(batch: Enriched, limits: Limits, state: State) -> Rows:
    """Driving on expired documents, by day."""
    n, papers = len(batch), batch.around.registry.papers["documents"]
    severe_ms = limits.parameter("severe_days") * DAY_MS
    grade, code, count = (np.zeros(n, np.uint8) for _ in range(3))
    ended_ms = np.zeros(n, np.int64)
    for number, sort in enumerate(DOCUMENTS if len(papers) else ()):
        rows = np.flatnonzero(limits.applies & (batch.paper("documents", sort) < 0))
        last = papers.latest(batch.vehicle[rows], batch.time_ms[rows], sort)
        rows, last = rows[last >= 0], last[last >= 0]
        end = papers.to_ms[last]
        severe = (number == _INSPECTION) & (batch.time_ms[rows] - end > severe_ms[limits.index[rows]])
        own = np.where(severe, np.uint8(Severity.SEVERE), np.uint8(Severity.SERIOUS))
        worse = (own > grade[rows]) | ((own == grade[rows]) & (end < ended_ms[rows]))
        count[rows] += np.uint8(1)
        grade[rows[worse]], code[rows[worse]], ended_ms[rows[worse]] = own[worse], number, end[worse]
    what = (grade > 0).astype(np.uint8)
    return tally(
        batch, what, limits, state["tally"], grade=grade, code=code, detail=count, ended_ms=ended_ms
    )  # fmt: skip


def _ending(batch: Enriched, limits: Limits, state: State) -> Rows:
    """Documents that will end within the days of warning, at drives."""
    papers = batch.around.registry.papers["documents"]
    due_ms = batch.time_ms + limits.at("warn_days") * DAY_MS
    drives = limits.applies & driving(batch, limits) if len(papers) else np.zeros(len(batch), np.bool_)
    found: list[tuple[int, int, int]] = []
    for number, sort in enumerate(DOCUMENTS if len(papers) else ()):
        held = batch.paper("documents", sort)
        rows = np.flatnonzero(drives & (held >= 0) & (papers.to_ms[held] <= due_ms))
        until_ms = papers.lasting(held[rows], sort)
        soon = until_ms <= due_ms[rows]
        found += zip(rows[soon].tolist(), [number] * int(soon.sum()), until_ms[soon].tolist(), strict=True)
    table = np.array(sorted(found), np.int64).reshape(-1, 3)
    row, code, until_ms = table[:, 0].copy(), table[:, 1], table[:, 2].copy()
    return remind(batch, row, code + 1, until_ms, limits.slot, state["reminded"], code=code.astype(np.uint8))


@kind(
    code="V29",
    zh="车辆证照逾期营运",
    en="Operation on an expired vehicle document",
    classes="LCHBTF",
    severity=Severity.SERIOUS,
    clause="《道路运输车辆技术管理规定》第二十一条；《道路交通安全法》第九十八条 "
    "(Technical Management of Road Transport Vehicles art. 21; Road Traffic Safety Law art. 98)",
    limits={**COUNTED, "open_dm": 50_000, "severe_days": 30, "warn_days": 30},
    state=_STATE,
    sparse=True,
    measures=_measures,
    why=Why(
        measured=Words(
            "{paper}（编号 {number}）已于 {ended} 到期，当日仍行驶 {distance_m}，历时 {drive_s}；同时逾期的证照共 "
            "{expired} 项。",
            "The {paper} (number {number}) ended at {ended}, yet {distance_m} were driven in {drive_s} that day; "
            "documents expired at the same time: {expired}.",
        ),
        limit=Words(
            "营运车辆的证照须在有效期内，依登记的车辆证照；一日内逾期行驶超过 {open_dm} 即构成，检验检测逾期超过 "
            "{severe_days} 天为严重。",
            "A vehicle operates on documents that hold, by the register of its documents; more than {open_dm} of "
            "driving in one day is enough; an inspection that ended more than {severe_days} days ago makes it severe.",
        ),
        clears=Words(
            "行驶前已续期（证照补录亦可）；或逾期后当日行驶不超过 {open_dm}，即不构成。从未登记过的证照不作认定。",
            "A document renewed before the drive, also where that is registered later; or driving no more than "
            "{open_dm} in a day after its end. A sort of document that was never registered is not asked for.",
        ),
        sure=Words(
            "只计前后两个定位点均有证照逾期的行驶；数据中断超过 {gap_ms} 的行程未计入。",
            "Only driving between two fixes at which a document had expired counts; gaps of data above {gap_ms} are "
            "left out.",
        ),
        facts=paper_facts,
    ),
    tables=("documents",),
    warns=Words(
        "{paper}（编号 {number}）将于 {ended} 到期，请及时续办。",
        "The {paper} (number {number}) ends at {ended}: renew it in time.",
    ),
    examples=(
        Example(
            "the insurance ended on the day before",
            {"speed_kmh": (60,) * 13},
            every_s=30,
            raised=(11,),
            papers={"documents": ({"document": "compulsory_insurance", "number": "1", "valid_to": "2026-03-01"},)},
        ),
        Example(
            "an inspection that ended long ago, and a permit",
            {"speed_kmh": (60,) * 13},
            every_s=30,
            raised=(11,),
            papers={
                "documents": (
                    {"document": "operation_permit", "number": "1", "valid_to": "2026-01-01"},
                    {"document": "inspection", "number": "2", "valid_to": "2026-01-20"},
                )
            },
        ),
        Example(
            "the inspection is thirty days old while it drives",
            {"speed_kmh": (60,) * 19},
            every_s=30,
            raised=(11,),
            papers={"documents": ({"document": "inspection", "valid_to": "2026-01-31T08:07:00"},)},
        ),
        Example(
            "renewed",
            {"speed_kmh": (60,) * 13},
            every_s=30,
            raised=(),
            papers={
                "documents": (
                    {"document": "inspection", "number": "1", "valid_to": "2026-03-01"},
                    {"document": "inspection", "number": "2", "valid_from": "2026-03-02"},
                )
            },
        ),
        Example(
            "ends in a week, told once",
            {"speed_kmh": (60,) * 30},
            every_s=30,
            raised=(),
            papers={
                "documents": (
                    {"document": "inspection", "number": "1", "valid_to": "2026-03-08"},
                    {"document": "carrier_insurance", "number": "2", "valid_to": "2026-03-09"},
                )
            },
        ),
        Example(
            "never registered, or not yet",
            {"speed_kmh": (60,) * 13},
            every_s=30,
            raised=(),
            papers={"documents": ({"document": "inspection", "valid_from": "2026-04-01"},)},
        ),
        Example(
            "five kilometres exactly",
            {"speed_kmh": (60,) * 11},
            every_s=30,
            raised=(),
            papers={"documents": ({"document": "annual_review", "valid_to": "2026-03-01"},)},
        ),
    ),
)
def vehicle_document_expired(batch: Enriched, limits: Limits, state: State) -> Found:
    """More than 5 km driven in one Beijing day while some document of the vehicle has expired.

    A sort of document (``papers.DOCUMENTS``, in that order) has expired at a fix when some row of it for the vehicle
    began at or before the fix's time t and none holds at t; it ended at the ``valid_to`` of the row that began last.
    The condition at a fix: the vehicle is registered, of any class, and some sort has expired. The fix's grade is 4
    where the inspection ended more than ``severe_days`` × 86 400 000 ms before t (as the parameter is at the fix),
    else 3; its document is, among those with that grade, the one that ended first, of those the first sort. Which
    pairs count, begin, raise, rise and end: see `tallies.tally` (channel 1, ``open_dm``). ``paper``, ``number`` and
    ``ended`` are of that document, ``expired`` is how many sorts had expired at that fix. Never a lead.

    Warning: at a registered fix whose pair is driving (0 < dt <= ``gap_ms``, speed at a >= ``drive_kmh``, no jump;
    parameters at the fix) every sort of which a row holds at t, whose holder has papers of the sort without a break
    until an end <= t + ``warn_days`` × 86 400 000, is a candidate; one a fix is told, the first in order of sorts
    whose end is not the last one told of that sort. See `reminders.remind`.

    Parameters
    ----------
    batch : Enriched, (n,)
    limits : Limits
        See `tallies.tally`.
    state : structured array, (vehicles,)
        ``tally`` and ``reminded``; changed in place.

    Returns
    -------
    Found of ``TALLIED``, (m,)

    Source: regulation §4, V29.
    """
    papers = batch.around.registry.papers["documents"]
    found = _expired(batch, limits, state).beside(_ending(batch, limits, state))
    for number, sort in enumerate(DOCUMENTS if len(found) else ()):
        numbered(found, found["code"] == number, papers, sort, found["vehicle"])
    return found
