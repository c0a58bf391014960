"""Which ways vehicles take: between towns, out of town, and round and round in town."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ingest.fleet.columns import Floats
from ingest.fleet.fences import loop_line
from ingest.fleet.places import LOOPS, TOWNS
from ingest.fleet.roads import polyline, shortest


@dataclass(frozen=True)
class Route:
    """A way, driven out and back, or a closed round.

    Parameters
    ----------
    classes : str
        Letters of the classes that take it.
    town : int
        Where it begins, an index into ``TOWNS``.
    line : ndarray, (m, 2)
        Its course [km].
    round : bool
        Whether it is closed.
    use : str
        ``core``, ``clip`` (dangerous goods through or into the edge of a core), ``desert`` (a long hole in
        the network), ``shut`` (a closed road), ``spare`` (for planted violations only) or empty.
    """

    classes: str
    town: int
    line: Floats
    round: bool = False
    use: str = ""


_Plan = tuple[str, str, str]

_PLANS: tuple[_Plan, ...] = (
    ("LCF", "昌吉市", "station 呼图壁县.station"),
    ("LF", "昌吉市", "station 玛纳斯县.station"),
    ("LCF", "昌吉市", "station 阜康市.station"),
    ("LCF", "昌吉市", "station 奇台县.station"),
    ("L", "昌吉市", "station 木垒哈萨克自治县.station"),
    ("LF", "昌吉市", "station 昌吉市.ring 呼图壁县.ring 玛纳斯县.station"),
    ("C", "昌吉市", "station 庙尔沟"),
    ("C", "昌吉市", "station 天池"),
    ("LC", "阜康市", "station 昌吉市.station"),
    ("C", "阜康市", "station 天池"),
    ("LF", "阜康市", "station 准东.station"),
    ("LF", "阜康市", "station 阜康市.ring 三台 吉木萨尔县.station"),
    ("F", "阜康市", "depot 玛纳斯县.depot"),
    ("LCF", "呼图壁县", "station 昌吉市.station"),
    ("LF", "呼图壁县", "station 呼图壁县.ring 玛纳斯县.station"),
    ("LC", "呼图壁县", "station 雀尔沟"),
    ("CF", "呼图壁县", "station 阜康市.station"),
    ("LF", "玛纳斯县", "station 玛纳斯县.ring 呼图壁县.station"),
    ("LCF", "玛纳斯县", "station 昌吉市.station"),
    ("LF", "玛纳斯县", "station 六户地"),
    ("CF", "玛纳斯县", "station 阜康市.station"),
    ("LCF", "奇台县", "station 昌吉市.station"),
    ("LF", "奇台县", "station 奇台县.ring 木垒哈萨克自治县.station"),
    ("C", "奇台县", "station 江布拉克"),
    ("LF", "奇台县", "station 阜康市.station"),
    ("LF", "吉木萨尔县", "station 吉木萨尔县.ring 奇台县.station"),
    ("LCF", "吉木萨尔县", "station 昌吉市.station"),
    ("LF", "吉木萨尔县", "station 准东.station"),
    ("CF", "吉木萨尔县", "station 阜康市.station"),
    ("LCF", "木垒哈萨克自治县", "station 奇台县.station"),
    ("LF", "木垒哈萨克自治县", "station 阜康市.station"),
    ("C", "木垒哈萨克自治县", "station 江布拉克"),
    ("F", "木垒哈萨克自治县", "depot 大石头"),
    ("LF", "准东", "station 阜康市.station"),
    ("LF", "准东", "station 吉木萨尔县.station"),
    ("LCF", "准东", "station 昌吉市.station"),
    ("LF", "准东", "station 火烧山"),
    ("H", "昌吉市", "depot 准东.depot"),
    ("H", "昌吉市", "depot 玛纳斯县.depot"),
    ("H", "阜康市", "depot 昌吉市.depot"),
    ("H", "阜康市", "depot 阜康市.ring 三台 吉木萨尔县.depot"),
    ("H", "呼图壁县", "depot 呼图壁县.ring 玛纳斯县.depot"),
    ("H", "呼图壁县", "depot 阜康市.depot"),
    ("H", "玛纳斯县", "depot 昌吉市.depot"),
    ("H", "玛纳斯县", "depot 六户地"),
    ("H", "奇台县", "depot 阜康市.depot"),
    ("H", "奇台县", "depot 奇台县.ring 木垒哈萨克自治县.depot"),
    ("H", "吉木萨尔县", "depot 准东.depot"),
    ("H", "木垒哈萨克自治县", "depot 吉木萨尔县.depot"),
    ("H", "准东", "depot 阜康市.depot"),
    ("H", "准东", "depot 火烧山"),
)

_RESTRICTED: tuple[tuple[str, _Plan], ...] = (
    ("desert", ("LCHF", "奇台县", "station 奇台县.ring 戈壁 芨芨湖")),
    ("desert", ("LHF", "准东", "depot 准东.ring 火烧山 芨芨湖")),
    ("core", ("H", "昌吉市", "depot 昌吉市.ring 呼图壁县.ring")),
    ("core", ("H", "玛纳斯县", "depot 玛纳斯县.ring 呼图壁县.ring")),
    ("core", ("H", "阜康市", "depot 阜康市.ring 三台")),
    ("core", ("H", "吉木萨尔县", "depot 吉木萨尔县.ring 奇台县.ring")),
    ("core", ("H", "奇台县", "depot 奇台县.ring 木垒哈萨克自治县.ring")),
    ("clip", ("H", "昌吉市", "depot 昌吉市.ring 呼图壁县.ring")),
    ("clip", ("H", "阜康市", "depot 阜康市.ring 三台")),
    ("clip", ("H", "奇台县", "depot 奇台县.ring 木垒哈萨克自治县.ring")),
    ("shut", ("LCB", "呼图壁县", "station 雀尔沟 庙尔沟")),
    ("shut", ("H", "呼图壁县", "depot 雀尔沟 庙尔沟")),
    ("spare", ("TB", "昌吉市", "station 昌吉市.ring 呼图壁县.ring 呼图壁县.station")),
    ("spare", ("TB", "阜康市", "station 阜康市.ring 三台 大黄山")),
    ("spare", ("TB", "奇台县", "station 奇台县.ring 木垒哈萨克自治县.station")),
    ("spare", ("TB", "呼图壁县", "station 昌吉市.station")),
)


def _line(town: str, stops: str, use: str) -> Floats:
    """Course through the stops; the first one is a place of the town itself."""
    first, *others = stops.split()
    names = [f"{town}.{first}", *others]
    if use in ("core", "clip"):
        middle = "centre" if use == "core" else "clip_north"
        names.insert(1, f"{town}.{middle}")
    way = []
    for start, end in pairwise(names):
        way += shortest(start, end, use)
    return polyline(way)


@lru_cache(maxsize=1)
def routes() -> tuple[Route, ...]:
    """Every way."""
    towns = {town.name: k for k, town in enumerate(TOWNS)}
    found = [Route(classes, towns[town], _line(town, stops, "")) for classes, town, stops in _PLANS]
    for use, (classes, town, stops) in _RESTRICTED:
        found.append(Route(classes, towns[town], _line(town, stops, use), use=use))
    for k in range(len(TOWNS)):
        found += [Route("BT", k, loop_line(k, loop), round=True) for loop in range(len(LOOPS))]
    return tuple(found)
