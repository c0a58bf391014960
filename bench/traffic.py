"""Traffic for benches: vehicles of a prefecture's mix on a net of roads, as columns, without a file of positions."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.batch import MISSING_MS, Batch, concat
from ingest.moment import parse_ms

MIX = {"B": 719, "T": 3_787, "L": 1_500, "C": 1_000, "H": 500, "F": 12_000}
"""Vehicles of a prefecture by class, the figures of Changji."""

WEST, SOUTH, EAST, NORTH = 86.0, 43.6, 90.0, 45.0
"""Where it all lies [deg]."""

ROADS, POINTS, SPACING_M = 2_000, 101, 100.0
"""Road lines, points of each, and what lies between two of them."""

ROUTES = 200
"""Roads that are routes, too."""

ASTRAY = 0.05
"""Vehicles with a route that drive elsewhere."""

ZONES = {"road": 150, "speed": 150, "hazmat_no_go": 60, "station": 60, "parking": 60, "closure": 20}
COUNTIES = 7
M_DEG = 180.0 / math.pi / 6_371_008.8


class Net(NamedTuple):
    """Where vehicles drive.

    Attributes
    ----------
    roads : float64, (roads, points, 2)
    limits : int64, (roads,)
        [km/h].
    assigned : int64, (vehicles,)
        The road that a vehicle's route is; -1 where it has none.
    """

    roads: NDArray[np.float64]
    limits: NDArray[np.int64]
    assigned: NDArray[np.int64]


def road_points(random: np.random.Generator) -> NDArray[np.float64]:
    """Roads that wind, (roads, points, 2) [deg]."""
    turn = np.cumsum(random.normal(0, 0.08, (ROADS, POINTS - 1)), axis=1) + random.uniform(0, 2 * np.pi, (ROADS, 1))
    begin = np.stack([random.uniform(WEST, EAST, ROADS), random.uniform(SOUTH, NORTH, ROADS)], axis=1)
    north = np.cos(turn) * SPACING_M * M_DEG
    east = np.sin(turn) * SPACING_M * M_DEG / np.cos(np.radians(begin[:, None, 1]))
    steps = np.stack([east, north], axis=2)
    return np.concatenate([begin[:, None], begin[:, None] + np.cumsum(steps, axis=1)], axis=1)


def _collection(path: Path, features: list[dict[str, object]]) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def _feature(shape: str, coordinates: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": shape, "coordinates": coordinates}}


def write_maps(
    folder: Path, roads: NDArray[np.float64], limits: NDArray[np.int64], random: np.random.Generator
) -> None:
    """Write 500 zones, counties and road lines."""
    areas = []
    around = np.linspace(0, 2 * np.pi, 33)
    for kind, count in ZONES.items():
        for number in range(count):
            lon, lat = roads[random.integers(ROADS), random.integers(POINTS)]
            size = random.uniform(300, 3_000) * M_DEG
            ring = np.column_stack([lon + 1.4 * size * np.cos(around), lat + size * np.sin(around)])
            ring[-1] = ring[0]
            areas.append(_feature("Polygon", [ring.tolist()], id=f"{kind}{number}", kind=kind, limit_kmh=60))
    edges = np.linspace(WEST - 1, EAST + 1, COUNTIES + 1)
    north = np.linspace(SOUTH - 1, NORTH + 1, 200)
    for number in range(COUNTIES):
        # the borders between counties wind as well
        sides = [edge + 0.02 * np.sin(north * 40) for edge in edges[number : number + 2]]
        border = [*zip(sides[0], north, strict=True), *zip(sides[1][::-1], north[::-1], strict=True)]
        areas.append(_feature("Polygon", [[*border, border[0]]], id=f"65230{number}", kind="county"))
    _collection(folder / "fences.geojson", areas)
    ways = [
        _feature("LineString", line.tolist(), id=f"R{at}", limit_kmh=int(limit), tags="oneway" if at % 5 == 0 else "")
        for at, (line, limit) in enumerate(zip(roads, limits, strict=True))
    ]
    _collection(folder / "roads.geojson", ways)
    _collection(
        folder / "routes.geojson",
        [_feature("LineString", line.tolist(), id=f"L{at}") for at, line in enumerate(roads[:ROUTES])],
    )


def write_registry(folder: Path, vehicles: int) -> Net:
    """Write a registry of that many vehicles; returns where they drive."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(7)
    roads = road_points(random)
    limits = random.choice((40, 60, 80, 100), ROADS)
    write_maps(folder, roads, limits, random)
    drawn = random.choice(list(MIX), vehicles, p=np.array(list(MIX.values())) / sum(MIX.values()))
    route = np.where(np.isin(drawn, list("LBH")), np.arange(vehicles) % ROUTES, -1)
    letters = drawn.tolist()
    with (folder / "vehicles.csv").open("w", encoding="utf-8") as file:
        file.write("plate,class,company,county,drivers\n")
        for at, letter in enumerate(letters):
            file.write(f"{_plate(at)},{letter},C{at % 500},65230{at % COUNTIES},{1 + at % 2}\n")
    assigned = [f"{_plate(at)},L{way}" for at, way in enumerate(route.tolist()) if way >= 0]
    bills = [
        f"{_plate(at)},W{at},2026-03-01,2026-03-04" for at, letter in enumerate(letters) if letter == "H" and at % 10
    ]
    for name, head, rows in (
        ("assignments", "plate,route", assigned),
        ("waybills", "plate,number,valid_from,valid_to", bills),
    ):
        (folder / f"{name}.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return Net(roads, limits, route)


def _plate(at: int) -> str:
    return f"测{at:07}"


class Traffic:
    """Vehicles that drive to and fro on their roads, each reporting once a round, in an order of its own.

    Parameters
    ----------
    net : Net
        Of the vehicles of the registry's rows 0 up; most drive below the limits, few in a hundred above.
    every_s : float
        Length of a round.
    """

    def __init__(self, net: Net, every_s: float = 30.0) -> None:
        self.random = np.random.default_rng(11)
        roads, limits, assigned = net
        vehicles = len(assigned)
        self.roads, self.every_s = roads, every_s
        start = parse_ms("2026-03-02T10:00:00")
        assert start is not None
        self.now_ms = start
        astray = (assigned < 0) | (self.random.random(vehicles) < ASTRAY)
        self.road = np.where(astray, self.random.integers(0, len(roads), vehicles), assigned)
        self.place_m = self.random.uniform(0, (POINTS - 1) * SPACING_M, vehicles)
        pace = limits[self.road] * self.random.normal(0.75, 0.12, vehicles).clip(0.3, 1.3)
        self.pace_kmh = np.where(self.random.random(vehicles) < 0.2, 0.0, pace)
        self.late_ms = self.random.integers(0, int(every_s * 1000), vehicles)
        self.order = np.argsort(self.late_ms, kind="stable")

    def round(self) -> Batch:
        """The next report of all vehicles, in order of time."""
        n, reach = len(self.road), (POINTS - 1) * SPACING_M
        speed = np.where(self.pace_kmh > 0, (self.pace_kmh + self.random.normal(0, 4, n)).clip(0, 150), 0.0)
        self.place_m = (self.place_m + speed / 3.6 * self.every_s) % (2 * reach)
        along = np.minimum(np.where(self.place_m < reach, self.place_m, 2 * reach - self.place_m), reach - 1e-3)
        segment = (along / SPACING_M).astype(np.int64)
        share = (along / SPACING_M - segment)[:, None]
        begin, end = self.roads[self.road, segment], self.roads[self.road, segment + 1]
        place = begin + share * (end - begin) + self.random.normal(0, 5 * M_DEG, (n, 2))
        step = (end - begin) * np.where(self.place_m < reach, 1.0, -1.0)[:, None]
        heading = np.degrees(np.arctan2(step[:, 0] * np.cos(np.radians(begin[:, 1])), step[:, 1])) % 360.0
        order = self.order
        time_ms = self.now_ms + self.late_ms[order]
        self.now_ms += int(self.every_s * 1000)
        nan = np.full(n, np.nan)
        return Batch(
            vehicle=order.astype(np.int32),
            time_ms=time_ms,
            lon=place[order, 0].copy(),
            lat=place[order, 1].copy(),
            speed_kmh=speed[order],
            heading_deg=heading[order],
            altitude_m=nan,
            recorder_speed_kmh=speed[order] + 1.0,
            mileage_km=nan,
            alarm=np.zeros(n, np.int64),
            status=np.full(n, 3, np.int64),
            received_ms=np.full(n, MISSING_MS),
            backfill=np.zeros(n, np.bool_),
            driver=np.zeros(n, np.int64),
            items=np.zeros(n, np.int64),
        )

    def batches(self, fixes: int, size: int) -> Iterator[Batch]:
        """That many fixes, or a little more, in batches of this size."""
        while fixes > 0:
            whole = concat([self.round() for _ in range(max(1, -(-size // len(self.road))))])
            for at in range(0, min(len(whole), fixes), size):
                yield whole.take(slice(at, at + size))
            fixes -= len(whole)
