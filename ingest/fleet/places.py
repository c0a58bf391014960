"""The map, drawn by hand: towns, roads between them, zones and county outlines.

Coordinates are rough and public knowledge (WGS-84); nothing is copied from a
dataset. Around each town the same small plan of streets is laid, in kilometres
east and north of the centre.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Town:
    """A county seat (or the Zhundong zone).

    Parameters
    ----------
    county : str
        Identity of the county: adcode, or ``zhundong``.
    name : str
        Name of the county.
    lon, lat : float
        Centre [deg].
    size : float
        Scale of its street plan, 1 = a core of 1.5 km radius.
    weight : float
        Share of the fleet that is registered here.
    """

    county: str
    name: str
    lon: float
    lat: float
    size: float
    weight: float


TOWNS: tuple[Town, ...] = (
    Town("652301", "昌吉市", 87.30, 44.01, 1.2, 0.29),
    Town("652302", "阜康市", 87.98, 44.15, 1.0, 0.14),
    Town("652323", "呼图壁县", 86.90, 44.19, 0.9, 0.12),
    Town("652324", "玛纳斯县", 86.22, 44.30, 0.9, 0.12),
    Town("652325", "奇台县", 89.59, 44.02, 1.0, 0.12),
    Town("652327", "吉木萨尔县", 89.18, 44.00, 0.8, 0.08),
    Town("652328", "木垒哈萨克自治县", 90.28, 43.83, 0.8, 0.06),
    Town("zhundong", "准东", 88.95, 44.74, 0.8, 0.07),
)

OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "652324": (
        (85.6, 43.5),
        (86.3, 43.35),
        (86.55, 44.2),
        (86.5, 45.3),
        (85.7, 45.3),
        (85.7, 44.9),
        (86.0, 44.4),
    ),
    "652323": (
        (86.3, 43.35),
        (86.5, 43.1),
        (86.75, 43.6),
        (87.08, 44.15),
        (87.0, 45.3),
        (86.5, 45.3),
        (86.55, 44.2),
    ),
    "652301": (
        (86.5, 43.1),
        (86.85, 43.15),
        (86.95, 43.45),
        (87.55, 43.9),
        (87.6, 44.5),
        (87.3, 45.3),
        (87.0, 45.3),
        (87.08, 44.15),
        (86.75, 43.6),
    ),
    "652302": (
        (87.6, 44.1),
        (87.8, 43.95),
        (88.15, 43.75),
        (88.68, 43.95),
        (88.7, 45.0),
        (88.0, 45.0),
        (87.75, 44.5),
    ),
    "652327": (
        (88.68, 43.95),
        (88.6, 43.6),
        (89.2, 43.5),
        (89.38, 44.1),
        (89.32, 44.6),
        (89.5, 45.0),
        (88.7, 45.0),
    ),
    "652325": (
        (89.2, 43.5),
        (89.95, 43.5),
        (89.95, 43.8),
        (90.1, 44.3),
        (90.9, 44.65),
        (91.3, 45.1),
        (90.7, 45.4),
        (90.2, 45.0),
        (89.5, 45.0),
        (89.32, 44.6),
        (89.38, 44.1),
    ),
    "652328": (
        (89.95, 43.5),
        (91.1, 43.45),
        (91.5, 43.7),
        (91.3, 44.1),
        (91.5, 44.9),
        (91.3, 45.1),
        (90.9, 44.65),
        (90.1, 44.3),
        (89.95, 43.8),
    ),
    "zhundong": (
        (88.75, 44.62),
        (89.3, 44.6),
        (90.25, 44.5),
        (90.4, 44.75),
        (90.1, 44.95),
        (89.5, 44.95),
        (88.8, 44.9),
    ),
}
"""Outline of each county [deg]; Zhundong is cut out of its neighbours."""

STREETS: dict[str, tuple[float, float]] = {
    "station": (2.6, -0.9),
    "gate": (0.3, -3.0),
    "centre": (0.0, 0.0),
    "ring": (-0.4, 4.0),
    "depot": (6.0, -4.6),
    "exit": (0.6, -5.6),
}
"""Places of the street plan [km east, km north]; ``exit`` is the interchange."""

LOOPS: tuple[tuple[float, tuple[tuple[float, float], ...]], ...] = (
    (60.0, ((2.6, -0.9), (2.4, 1.8), (-2.2, 2.0), (-2.4, -1.6), (1.2, -1.9), (1.8, -1.0))),
    (50.0, ((1.1, -0.6), (1.2, 1.0), (-1.3, 1.1), (-1.2, -1.0), (0.6, -1.1))),
    (60.0, ((-2.8, 0.4), (-2.7, 3.0), (2.9, 2.8), (3.1, 0.2), (0.4, 0.5))),
)
"""Closed bus and taxi rounds: limit [km/h], corners [km], scaled by the town."""

NODES: dict[str, tuple[float, float]] = {
    "石河子": (85.98, 44.30),
    "头屯": (87.45, 43.92),
    "米东": (87.66, 44.02),
    "大黄山": (88.62, 44.00),
    "三台": (88.76, 44.09),
    "滋泥泉": (88.78, 44.36),
    "戈壁": (89.74, 44.36),
    "芨芨湖": (89.95, 44.64),
    "火烧山": (89.40, 44.80),
    "天池口": (88.10, 44.02),
    "天池": (88.14, 43.91),
    "半截沟": (89.52, 43.86),
    "江布拉克": (89.60, 43.66),
    "雀尔沟": (86.72, 43.88),
    "六户地": (86.14, 44.72),
    "庙尔沟": (87.02, 43.66),
    "大石头": (90.92, 43.72),
}
"""Places outside the towns [deg]."""

ROADS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("G30", 110.0, ("石河子", "玛纳斯县.exit", "呼图壁县.exit", "昌吉市.exit", "头屯")),
    ("G30联络线", 100.0, ("头屯", "米东")),
    (
        "G7",
        120.0,
        (
            "米东",
            "阜康市.exit",
            "大黄山",
            "吉木萨尔县.exit",
            "奇台县.exit",
            "木垒哈萨克自治县.exit",
            "大石头",
        ),
    ),
    ("S11", 100.0, ("大黄山", "滋泥泉", "准东.exit")),
    ("S228", 80.0, ("奇台县.ring", "戈壁", "芨芨湖")),
    ("Z917", 80.0, ("准东.ring", "火烧山", "芨芨湖")),
    ("G312", 80.0, ("玛纳斯县.ring", "呼图壁县.ring", "昌吉市.ring")),
    ("S303", 80.0, ("阜康市.ring", "三台", "吉木萨尔县.ring", "奇台县.ring", "木垒哈萨克自治县.ring")),
    ("S111", 60.0, ("阜康市.gate", "天池口", "天池")),
    ("X178", 60.0, ("奇台县.gate", "半截沟", "江布拉克")),
    ("X152", 70.0, ("呼图壁县.exit", "雀尔沟")),
    ("X153", 70.0, ("玛纳斯县.ring", "六户地")),
    ("X126", 70.0, ("昌吉市.exit", "庙尔沟")),
)
"""Roads: name, limit [km/h], places in order."""

SHUT: tuple[tuple[str, float, tuple[str, ...]], ...] = (("X154", 60.0, ("雀尔沟", "庙尔沟")),)
"""Roads that are closed by order, for those who go there all the same."""

NO_NIGHT = ("X152", "X126")
"""Mountain roads that coaches may not take at night."""

EXPRESS = ("G30", "G30联络线", "G7", "S11")
"""Roads that dangerous goods may not take after midnight."""

ZONES: tuple[tuple[str, str, str, str, float, float, float, str], ...] = (
    ("学校", "G312", "玛纳斯县.ring", "呼图壁县.ring", 0.12, 2.4, 40.0, ""),
    ("学校", "G312", "呼图壁县.ring", "昌吉市.ring", 0.45, 2.0, 40.0, ""),
    ("学校", "S303", "阜康市.ring", "三台", 0.15, 2.4, 40.0, ""),
    ("集镇", "S303", "吉木萨尔县.ring", "奇台县.ring", 0.40, 2.4, 50.0, ""),
    ("学校", "S303", "奇台县.ring", "木垒哈萨克自治县.ring", 0.20, 2.2, 40.0, ""),
    ("景区", "S111", "天池口", "天池", 0.45, 2.6, 40.0, "LC"),
    ("景区", "X178", "半截沟", "江布拉克", 0.50, 3.0, 40.0, "LC"),
    ("矿区", "Z917", "准东.ring", "火烧山", 0.25, 3.0, 50.0, "HF"),
    ("集镇", "X126", "昌吉市.exit", "庙尔沟", 0.20, 2.0, 50.0, ""),
)
"""Speed zones: sort, road, from, to, place along it [0-1], length [km], limit [km/h], classes."""

HOLES: tuple[tuple[str, str, float, float, bool], ...] = (
    ("奇台县.ring", "戈壁", 0.45, 12.0, True),
    ("火烧山", "芨芨湖", 0.45, 11.0, True),
    ("天池口", "天池", 0.20, 1.4, False),
    ("半截沟", "江布拉克", 0.20, 1.8, False),
)
"""No mobile network: from, to, place along it [0-1], length [km], desert (long) or tunnel (short)."""
