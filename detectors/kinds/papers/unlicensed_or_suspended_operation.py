"""V28: a vehicle that may not operate is driven."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.reminders import moment_text, paper_facts
from detectors.tallies import COUNTED, TALLY, tally
from detectors.why import Why, Words
from ingest.moment import ALWAYS_FROM_MS
from ingest.papers import SORTS

_STATUS = SORTS["status"].sorts


def _measures(row: Any) -> dict[str, object]:
    """What was driven, under which status, and since when it holds."""
    found: dict[str, object] = {"distance_m": int(row["distance_dm"]) / 10, "drive_s": int(row["drive_ms"]) / 1000}
    found["paper"] = _STATUS[row["code"]]
    if row["ended_ms"]:
        found["since"] = moment_text(int(row["ended_ms"]))
    return found


@kind(
    code="V28",
    zh="无证或报停车辆营运",
    en="Operation without permit or while suspended",
    classes="LCHBTF",
    severity=Severity.SEVERE,
    clause="《道路运输条例》第六十三条（条款号待核实）；《道路运输企业和城市客运企业安全生产重大事故隐患判定标准》"
    "第三条第(一)项 (Road Transport Regulations art. 63, number unverified; major hidden dangers 2023, art. 3(1))",
    limits={**COUNTED, "open_dm": 50_000, "open_ms": 1_800_000},
    state=TALLY,
    sparse=True,
    measures=_measures,
    why=Why(
        measured=Words(
            "车辆登记状态为{paper}（自 {since} 起），当日仍行驶 {distance_m}，历时 {drive_s}。",
            "The vehicle is registered as {paper} (since {since}), yet was driven {distance_m} in {drive_s} that day.",
        ),
        limit=Words(
            "登记为报停、注销、转出或未许可的车辆不得营运，依登记的车辆状态；一日内行驶超过 {open_dm} 或超过 "
            "{open_ms} 即构成。",
            "A vehicle that is registered as suspended, deregistered, transferred or unlicensed may not operate, by "
            "the status in the register; more than {open_dm} or {open_ms} of driving in one day is enough.",
        ),
        clears=Words(
            "当日行驶不超过 {open_dm} 且不超过 {open_ms}；或登记状态于行驶前已恢复（补录亦可），即不构成。",
            "Driving no more than {open_dm} and no more than {open_ms} in the day; or a status that had ended before, "
            "also where that is registered later.",
        ),
        sure=Words(
            "只计前后两个定位点均在该状态有效期内的行驶；数据中断超过 {gap_ms} 的行程未计入。",
            "Only driving between two fixes at which the status held counts; gaps of data above {gap_ms} are left out.",
        ),
        facts=paper_facts,
    ),
    tables=("status",),
    examples=(
        Example(
            "six kilometres while suspended",
            {"speed_kmh": (60,) * 13},
            every_s=30,
            raised=(11,),
            papers={"status": ({"status": "suspended", "valid_from": "2026-03-01"},)},
        ),
        Example(
            "half an hour in a yard",
            {"speed_kmh": (6,) * 33},
            every_s=60,
            raised=(31,),
            papers={"status": ({"status": "deregistered"},)},
        ),
        Example("no status", {"speed_kmh": (60,) * 13}, every_s=30, raised=()),
        Example(
            "to the workshop",
            {"speed_kmh": (60,) * 10},
            every_s=30,
            raised=(),
            papers={"status": ({"status": "suspended", "valid_from": "2026-03-01"},)},
        ),
        Example(
            "resumed that morning",
            {"speed_kmh": (60,) * 30},
            every_s=30,
            raised=(),
            papers={"status": ({"status": "suspended", "valid_to": "2026-03-02T08:04:00"},)},
        ),
        Example(
            "two days, one episode each",
            {"speed_kmh": (60,) * 40},
            every_s=30,
            raised=(11, 30),
            start="23:50:00",
            papers={"status": ({"status": "unlicensed"}, {"status": "suspended", "valid_to": "2026-03-02"})},
        ),
    ),
)
def unlicensed_or_suspended_operation(batch: Enriched, limits: Limits, state: State) -> Found:
    """More than 5 km or more than 30 min driven in one Beijing day while a row of ``status`` holds.

    The condition at a fix: the vehicle is registered, of any class, and some row of ``status`` holds for it at the
    fix's time. Which pairs count, begin, raise and end: see `tallies.tally` (channel 1, ``open_dm``, ``open_ms``).
    Severity 4 at once. ``paper`` and ``since`` are the status and the begin of the row that held at the first counted
    b: of several the one that ends last, of those the one that began last, of those the later row; ``since`` is left
    out where the row has no begin. Never a lead.

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

    Source: regulation §4, V28.
    """
    papers = batch.around.registry.papers["status"]
    row = batch.paper("status")
    codes = papers.column("status", lambda text: _STATUS.index(text) if text else 0, np.uint8)
    begins = np.append(papers.from_ms, 0)
    begins[begins == ALWAYS_FROM_MS] = 0
    what = (limits.applies & (row >= 0)).astype(np.uint8)
    grade = what * np.uint8(Severity.SEVERE)
    return tally(batch, what, limits, state, grade=grade, code=codes[row], ended_ms=begins[row]).found
