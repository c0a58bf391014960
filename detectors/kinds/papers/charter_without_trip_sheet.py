"""V26: a charter coach drives without a charter sheet, or outside the counties of its sheets."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.reminders import paper_facts, tally_measures
from detectors.tallies import COUNTED, TALLY, tally
from detectors.why import Why, Words
from ingest.batch import Int8
from ingest.registry import Registry
from ingest.table import listed

_NO_SHEET, _OUTSIDE, _INSIDE = (np.uint8(channel) for channel in (1, 2, 3))
_BOX = {"box": (87.0, 43.0, 88.0, 44.02)}
_COUNTY = ({"id": "652301", "kind": "county", **_BOX},)
_OTHERS = {"charters": ({"number": "9", "valid_from": "2026-02-01", "valid_to": "2026-02-02"},)}


def _measures(row: Any) -> dict[str, object]:
    """What was driven, for what reason it counts, and what was driven inside the counties of sheets."""
    reason = "off_route" if row["channel"] == _OUTSIDE else "no_sheet"
    return tally_measures(row) | {"reason": reason, "inside_m": int(row["third_dm"]) / 10}


def _channels(batch: Enriched, limits: Limits) -> Int8:
    """What each fix counts as, (n,)."""
    registry: Registry = batch.around.registry
    papers = registry.papers["charters"]
    what = np.zeros(len(batch), np.uint8)
    at = np.flatnonzero(limits.applies) if len(papers) else np.zeros(0, np.int64)
    holds, free, inside = (np.zeros(len(at), np.bool_) for _ in range(3))
    counties = papers.column("counties", listed, np.object_)
    known = batch.around.zones.ids("county")
    for row in papers.every(batch.vehicle[at], batch.time_ms[at]):
        holds |= row >= 0
        sheets, back = np.unique(row, return_inverse=True)
        bound = (row >= 0) & np.array([bool(own) and own <= known for own in counties[sheets]], np.bool_)[back]
        free |= (row >= 0) & ~bound
        asked = np.flatnonzero(bound)
        rows = at[asked]
        place = batch.lon[rows], batch.lat[rows], batch.time_ms[rows], batch.kind[rows]
        where = batch.around.zones.least("county", *place).fence
        pairs, back = np.unique(np.stack([row[asked], where]), axis=1, return_inverse=True)
        allowed = [fence >= 0 and registry.fences[fence].id in counties[sheet] for sheet, fence in pairs.T.tolist()]
        inside[asked] |= np.array(allowed, np.bool_)[back.reshape(-1)]
    what[at] = np.select([~holds, free, inside], [_NO_SHEET, np.uint8(0), _INSIDE], _OUTSIDE)
    return what


@kind(
    code="V26",
    zh="包车无备案运行",
    en="Charter without a charter sheet",
    classes="C",
    severity=Severity.SERIOUS,
    clause="《道路旅客运输及客运站管理规定》（包车客运备案，条款号待核实） "
    "(Passenger Transport and Stations Rules, filing of charters, number unverified)",
    limits={**COUNTED, "open_dm": 50_000, "second_dm": 50_000, "share_percent": 20},
    state=TALLY,
    sparse=True,
    measures=_measures,
    why=Why(
        measured=Words(
            "当日{reason}行驶 {distance_m}，历时 {drive_s}；在备案县市内行驶 {inside_m}；备案编号{number}。",
            "Driven {reason}: {distance_m} in {drive_s} that day; inside the counties of its sheets: {inside_m}; "
            "number of the sheet: {number}.",
        ),
        limit=Words(
            "包车客运须凭有效的包车备案运行，依登记的包车备案；一日内无备案行驶超过 {open_dm} 即构成；有备案但在备案"
            "县市以外行驶超过 {second_dm} 且超过当日凭备案行驶里程的 {share_percent}%，亦构成（次日判定）。",
            "A charter coach runs on a charter sheet that holds, by the register of sheets; more than {open_dm} in one "
            "day without any is enough; so is, with sheets, more than {second_dm} outside their counties and more than "
            "{share_percent}% of what was driven on them that day (judged on a later day).",
        ),
        clears=Words(
            "行驶前已备案（补录亦可）；或无备案行驶不超过 {open_dm}；或备案所列县市涵盖所行驶区域，即不构成。",
            "A sheet filed for the time of the drive, also where it is handed in later; or driving no more than "
            "{open_dm} without one; or a sheet whose counties are those driven in.",
        ),
        sure=Words(
            "登记的全部包车备案均已比对；数据中断超过 {gap_ms} 的行程未计入。",
            "All registered charter sheets were looked at; gaps of data above {gap_ms} are left out.",
        ),
        facts=paper_facts,
    ),
    tables=("charters",),
    examples=(
        Example(
            "six kilometres without a sheet",
            {"speed_kmh": (60,) * 13},
            every_s=30,
            raised=(11,),
            papers=_OTHERS,
            fences=_COUNTY,
        ),
        Example(
            "a sheet that names no counties",
            {"speed_kmh": (60,) * 13},
            every_s=30,
            raised=(),
            papers={"charters": ({"number": "1", "valid_from": "2026-03-02", "valid_to": "2026-03-02"},)},
            fences=_COUNTY,
        ),
        Example(
            "most of the way outside the sheet's county, judged on the next day",
            {"speed_kmh": (60,) * 40},
            every_s=60,
            raised=(31,),
            start="23:29:30",
            papers={
                "charters": (
                    {"number": "1", "counties": "652301", "valid_from": "2026-03-02", "valid_to": "2026-03-03"},
                )
            },
            fences=_COUNTY,
        ),
        Example(
            "a second sheet for the other county",
            {"speed_kmh": (60,) * 40},
            every_s=60,
            raised=(),
            start="23:29:30",
            papers={
                "charters": (
                    {"number": "1", "counties": "652301", "valid_from": "2026-03-02", "valid_to": "2026-03-03"},
                    {"number": "2", "counties": "652302 652323", "valid_from": "2026-03-02", "valid_to": "2026-03-02"},
                )
            },
            fences=_COUNTY,
        ),
        Example("no sheets are known at all", {"speed_kmh": (60,) * 13}, every_s=30, raised=()),
        Example(
            "between two sheets",
            {"speed_kmh": (60,) * 30},
            every_s=30,
            raised=(),
            papers={
                "charters": (
                    {"number": "1", "valid_from": "2026-03-02", "valid_to": "2026-03-02T08:03:00"},
                    {"number": "2", "valid_from": "2026-03-02T08:07:30", "valid_to": "2026-03-02"},
                )
            },
            fences=_COUNTY,
        ),
    ),
)
def charter_without_trip_sheet(batch: Enriched, limits: Limits, state: State) -> Found:
    """More than 5 km in one Beijing day without a charter sheet; or too much of the day outside the sheets' counties.

    At a fix of a vehicle of class C, all rows of ``charters`` that hold for it at the fix's time are looked at; the
    county of a fix is the fence of kind ``county`` that `Enriched.inside` gives. Nothing is asked where the registry
    has no row in ``charters`` at all. The fix is

    - 1, without sheet: no row holds;
    - 0, free: some row that holds binds to no county: its ``counties`` (ids between blanks and any of
      ``,;，；、``) are empty, or name one that no ``county`` fence of the registry has, whenever and for whom it holds;
    - 3, inside: the county of the fix is named by some row that holds;
    - 2, outside: none of these, also where no ``county`` fence holds the fix.

    Which pairs count, begin, raise and end: see `tallies.tally`: channel 1 by ``open_dm``; channel 2 by its share, at
    the first fix of another day, ``second_dm`` and ``share_percent``. One episode a day at most: driving without a
    sheet raises first. Severity 3. Never a lead. ``inside_m`` is the distance in channel 3; ``reason`` is ``no_sheet``
    or ``off_route``, by the channel that raised it; with the latter goes the ``number`` of the sheet that holds longest
    at ``ends_ms``, if any (of equal ones, that which began last).

    Parameters
    ----------
    batch : Enriched, (n,)
    limits : Limits
        See `tallies.tally`.
    state : structured array of ``TALLY``, (vehicles,)
        Changed in place.

    Returns
    -------
    Found of ``TALLIED``, (m,)

    Source: regulation §4, V26.
    """
    what = _channels(batch, limits)
    grade = np.full(len(batch), Severity.SERIOUS, np.uint8)
    found = tally(batch, what, limits, state, grade=grade, share=True).found
    outside = np.flatnonzero(found["channel"] == _OUTSIDE)
    papers = batch.around.registry.papers["charters"]
    sheet = papers.holding(found["vehicle"][outside], found["ends_ms"][outside])
    found["number"][outside] = papers.column("number", str, np.object_)[sheet].astype("U24")
    return found
