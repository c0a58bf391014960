"""V22: outside the area that a vehicle is licensed for, or long away from it."""

from typing import Any

import numpy as np

from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.limits import Limits
from detectors.places import holds, kept
from detectors.spans import SPAN, span
from detectors.why import Why, Words
from ingest.batch import Bool, Int32, Int64
from ingest.table import listed

HERE = {"id": "652301", "kind": "county", "box": (87.0, 43.5, 87.5, 44.05)}
THERE = {"id": "652302", "kind": "county", "box": (87.0, 44.05, 87.5, 45.0)}
COUNTIES = (HERE, THERE)

LOCAL = "BT"
"""Classes that may not leave their area for long; the others may not stay away for good."""


def _measures(row: Any) -> dict[str, object]:
    """Which of the two it is, and the distance driven outside [m]."""
    return {"area": "away" if row["mark"] else "beyond", "distance_m": int(row["distance_dm"]) / 10}


@kind(
    code="V22",
    zh="超区域或长期异地经营",
    en="Operating out of the licensed area",
    classes="LCHBTF",
    severity=Severity.GENERAL,
    clause="《道路运输条例》；《道路旅客运输及客运站管理规定》（条款号待核实） "
    "(Road Transport Regulations; Provisions on Road Passenger Transport and Stations, numbers unverified)",
    limits={
        "hold_ms": 1_800_000,
        "gap_ms": 3_600_000,
        "away_ms": 2_592_000_000,
        "away_gap_ms": 864_000_000,
        "merge_ms": 3_600_000,
    },
    state=SPAN,
    sparse=True,
    measures=_measures,
    tables=("charters", "permits"),
    why=Why(
        measured=Words(
            "车辆{area}：各定位点均不在其许可的任何县市之内，其间行驶 {distance_m}。",
            "The vehicle was {area}: no fix was inside any county that it is licensed for, over {distance_m}.",
        ),
        limit=Words(
            "许可区域为车辆登记的县市，边界取自县市围栏；公交、出租在区域外连续超过 {hold_ms}（前后定位间隔不超过 "
            "{gap_ms}），其他车辆连续超过 {away_ms} 未见于区域内（间隔不超过 {away_gap_ms}），即构成。",
            "The area is that of the counties in the vehicle's register, within the counties' fences; buses and taxis "
            "may be outside for {hold_ms} on end (with fixes not more than {gap_ms} apart), others may go unseen "
            "inside for {away_ms} (not more than {away_gap_ms} apart).",
        ),
        clears=Words(
            "在上述时间之内返回许可区域；或当时有包含所在县市的包车备案，或持有绕行许可，事后补录的亦可，即不构成。",
            "Being back within that time; or a charter sheet that held then for the county, or a detour permit, also "
            "one that is handed in later.",
        ),
        sure=Words(
            "逐点与县市围栏精确比对；未登记许可区域或其县市无围栏的车辆不判定。",
            "Every fix was compared exactly with the counties' boundaries; nothing is said of a vehicle without an "
            "area on record, or with a county that has no fence.",
        ),
    ),
    examples=(
        Example(
            "a taxi beyond its county",
            {"speed_kmh": (60,) * 20},
            every_s=300,
            raised=(9,),
            kind="T",
            registered={"area": "652301"},
            fences=COUNTIES,
        ),
        Example(
            "licensed for both",
            {"speed_kmh": (60,) * 20},
            every_s=300,
            raised=(),
            kind="T",
            registered={"area": "652301 652302"},
            fences=COUNTIES,
        ),
        Example("nothing known", {"speed_kmh": (60,) * 20}, every_s=300, raised=(), kind="T", fences=COUNTIES),
        Example(
            "a county that has no fence",
            {"speed_kmh": (60,) * 20},
            every_s=300,
            raised=(),
            kind="T",
            registered={"area": "652301 652399"},
            fences=COUNTIES,
        ),
        Example(
            "just half an hour",
            {"speed_kmh": (60,) * 9},
            every_s=300,
            raised=(),
            kind="T",
            registered={"area": "652301"},
            fences=COUNTIES,
        ),
        Example(
            "a coach may",
            {"speed_kmh": (60,) * 20},
            every_s=300,
            raised=(),
            kind="L",
            registered={"area": "652301"},
            fences=COUNTIES,
        ),
        Example(
            "chartered there",
            {"speed_kmh": (60,) * 20},
            every_s=300,
            raised=(),
            kind="B",
            registered={"area": "652301"},
            papers={"charters": ({"counties": "652309、652302", "valid_to": "2026-03-04"},)},
            fences=COUNTIES,
        ),
        Example(
            "with a detour permit",
            {"speed_kmh": (60,) * 20},
            every_s=300,
            raised=(),
            kind="B",
            registered={"area": "652301"},
            papers={"permits": ({"permit": "detour"},)},
            fences=COUNTIES,
        ),
    ),
)
def out_of_area_operation(batch: Enriched, limits: Limits, state: State) -> Found:
    """A bus or taxi is outside its licensed counties for half an hour; another vehicle is not seen inside for 30 days.

    Condition at a fix: any class; the registry row that holds at the fix has an ``area`` (county codes between blanks
    and any of ``,;，；、``); each of its codes is the id of a ``county`` fence (at any time; else nothing is known);
    none of the ``county`` fences that hold the fix, for its class and time, has such an id; no row of ``permits`` of
    sort ``detour`` holds (whatever its fence); and no row of ``charters`` of the vehicle holds whose ``counties``
    (listed likewise) are empty or name the county of the fix: of several ``county`` fences around it the one with
    the least limit (none is 0), of equal ones the first in the file. The rest is `detectors.spans`, with the time to
    be exceeded: for classes B and T ``hold_ms`` 1 800 000 and ``gap_ms`` 3 600 000 (shown as ``beyond``), for the
    others ``away_ms`` 2 592 000 000 and ``away_gap_ms`` 864 000 000 (``away``), by the class at the run's first fix;
    no points, no distance; ``merge_ms`` 3 600 000. Severity 2, never a lead. Shown is the distance of the confirmed
    runs.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``entry``, county fences, charters and permits.
    limits : Limits
        See `spans.span`.
    state : structured array of ``SPAN``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``SPANNED``, (m,)

    Source: regulation §4, V22.
    """
    ways, area = batch.around.ways, batch.around.registry.entries.area[batch.entry]
    county, licensed = ways.licensed

    def counts(rows: Int64, which: Int32) -> Bool:
        found: Bool = licensed[area[rows], county[which]] | ~outside[rows]
        return found

    outside = limits.applies & ways.mapped[area]
    if outside.any():
        outside &= kept(batch, "county", counts) < 0
        outside &= ~holds(batch, outside, "permits", "detour")
        outside &= ~_chartered(batch, outside)
    mark = batch.of_class(LOCAL)
    return span(
        batch,
        outside,
        limits,
        state,
        severity=np.full(len(batch), Severity.GENERAL, np.uint8),
        mark=(~mark).astype(np.uint8),
        holds=("hold_ms", "away_ms"),
        gaps=("gap_ms", "away_gap_ms"),
        exceed=True,
    )


def _chartered(batch: Enriched, where: Bool) -> Bool:
    """Where a charter sheet of the vehicle holds for the county of the fix, (n,); False elsewhere."""
    papers, fences = batch.around.registry.papers["charters"], batch.around.registry.fences
    found = np.zeros(len(batch), np.bool_)
    rows = np.flatnonzero(where)
    if not len(papers) or not len(rows):
        return found
    county = batch.inside("county")[rows]
    ids = [*(fence.id for fence in fences), ""]
    named = [listed(text) for text in papers.texts("counties")]
    for row in papers.every(batch.vehicle[rows], batch.time_ms[rows]):
        held = np.flatnonzero(row >= 0)
        clears = [
            not named[one] or ids[at] in named[one]
            for one, at in zip(row[held].tolist(), county[held].tolist(), strict=True)
        ]
        found[rows[held]] |= np.array(clears, np.bool_)
    return found
