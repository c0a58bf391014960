"""V35: more people on board than the vehicle may carry."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from detectors.codes import coded, named
from detectors.enrich import Enriched
from detectors.found import Found
from detectors.kind import Example, Severity, State, kind
from detectors.lasting import LASTING, lasting
from detectors.limits import Limits
from detectors.why import Why, Words
from ingest.items import bits, on_board, pack

CODES = ("overloaded", "counted")
_OVERLOADED = bits("video_alarm", 4)
_PEOPLE = bits("passengers", 0)


def _people(count: int) -> int:
    """Items of so many people on board."""
    return int(pack({"passengers": [count]}, 1)[0])


def _measures(row: Any) -> dict[str, object]:
    """Who says so; the most people counted above the seats, with the seats."""
    told: dict[str, object] = {"reason": named(int(row["codes"]), CODES)}
    return told | ({"people": int(row["value"]), "seats": int(row["bound"])} if row["value"] > 0 else {})


def _facts(measures: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, float | str]:
    """People on board of how many there may be, and by how much more it is severe."""
    load = f"{measures['people']}/{measures['seats']}" if "people" in measures else "not_counted"
    return {"load": load, "severe_over_ratio": parameters["severe_ratio"] - 1}


@kind(
    code="V35",
    zh="客车超员",
    en="Over-occupancy",
    classes="LCB",
    severity=Severity.SERIOUS,
    clause="《中华人民共和国道路交通安全法》第四十九条、第九十二条 (Road Traffic Safety Law arts. 49 and 92)",
    limits={
        "points": 3,
        "hold_ms": 60_000,
        "driven_ms": 30_000,
        "gap_ms": 300_000,
        "merge_ms": 600_000,
        "pair_ms": 300_000,
        "drive_kmh": 5.0,
        "severe_ratio": 1.2,
    },
    state=LASTING,
    sparse=True,
    wakes=lambda batch: batch.items & (_OVERLOADED | _PEOPLE) != 0,
    measures=_measures,
    why=Why(
        measured=Words(
            "{reason}；计数最高人数与核定载客：{load}。",
            "Told by {reason}; the most people counted, of those it may carry: {load}.",
        ),
        limit=Words(
            "车内人数不得超过核定载客（取自车辆登记）；连续不少于 {points} 个定位点、历时 {hold_ms}，其间行驶不少于 "
            "{driven_ms}，即构成；超过 {severe_over_ratio} 为严重。",
            "No more people than the vehicle may carry, by the register; {points} fixes in a row over {hold_ms}, with "
            "{driven_ms} of driving among them, are enough; more than {severe_over_ratio} above makes it severe.",
        ),
        clears=Words(
            "人数未超过核定载客，或登记的核定载客有误且已更正；或停车上下客的短时超出，即不构成。",
            "No more people than it may carry; seats that were registered wrongly and are corrected; or more of them "
            "only for a moment at a stop.",
        ),
        sure=Words(
            "由终端视频分析或客流计数连续报告；认定前应核对图片。",
            "Told by the terminal's video analysis or counter fix after fix; the picture is to be looked at.",
        ),
        facts=_facts,
    ),
    examples=(
        Example(
            "the terminal says so for a minute",
            {"speed_kmh": (40,) * 8, "items": _OVERLOADED},
            every_s=20,
            raised=(3,),
        ),
        Example(
            "56 people on 45 seats",
            {"speed_kmh": (40,) * 8, "items": _people(56)},
            every_s=30,
            raised=(2,),
            registered={"seats": "45"},
        ),
        Example(
            "as many as there are seats",
            {"speed_kmh": (40,) * 8, "items": _people(45)},
            every_s=30,
            raised=(),
            registered={"seats": "45"},
        ),
        Example("seats not known", {"speed_kmh": (40,) * 8, "items": _people(90)}, every_s=30, raised=()),
        Example(
            "crowded at the stop only",
            {"speed_kmh": (0,) * 8 + (30,) * 4, "items": (_people(60),) * 8 + (_people(40),) * 4},
            every_s=30,
            raised=(),
            registered={"seats": "45"},
        ),
        Example(
            "stops in between break nothing",
            {"speed_kmh": (0, 0, 30, 0, 0, 30, 0, 0), "items": _people(50)},
            every_s=15,
            raised=(6,),
            registered={"seats": "45"},
            kind="B",
        ),
    ),
)
def over_occupancy(batch: Enriched, limits: Limits, state: State) -> Found:
    """A terminal tells fix after fix, while it is driven, that more people are on board than the vehicle may carry.

    Codes of a fix: 1 ``overloaded``, the video alarm has bit 4; 2 ``counted``, the people on board are known, ``seats``
    of the vehicle's registry row at the fix's time is not 0, and there are more people than seats. Runs, confirmation,
    merging and ends: see `lasting`. A fix gives severity 4 where ``counted`` holds and people > ``severe_ratio`` ×
    seats (in doubles), else 3. Never a lead.

    ``people`` and ``seats`` are those of the fix with the most people among the fixes with ``counted`` of the confirmed
    runs, of equal ones the first; left out where there is none. ``reason`` names the codes.

    Parameters
    ----------
    batch : Enriched, (n,)
        Reads ``items``.
    limits : Limits
        See `lasting`; ``severe_ratio``.
    state : structured array of ``LASTING``, (slots,)
        Changed in place.

    Returns
    -------
    Found of ``LASTED``, (m,)

    Source: regulation §4, V35.
    """
    told = coded(batch.items, _OVERLOADED)
    people = on_board(batch.items)
    seats = batch.around.registry.entries.seats.take(batch.entry).astype(np.int64)
    crowded = (people > seats) & (seats > 0)
    told |= crowded.astype(np.uint8) << 1
    severe = crowded & (people > limits.at("severe_ratio") * seats)
    grade = np.where(severe, np.uint8(Severity.SEVERE), np.uint8(Severity.SERIOUS))
    value, bound = np.where(crowded, people, 0), np.where(crowded, seats, 0)
    return lasting(batch, told, limits, state, grade=grade, value=value, bound=bound)
