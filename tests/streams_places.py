"""Random streams among places: closed and restricted fences with passes, routes, counties, stations, and stays.

Moments of papers and fences lie where the vehicles drive: within the hours after the stream begins.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.streams import METRE_DEG, START_MS, Drive, write_positions, write_registry

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TINY: dict[str, dict[str, tuple[float, ...]]] = {
    "V10": {
        "moving_kmh": (4.9, 5, 20, 33),
        "points": (1, 4),
        "far_dm": (0, 20_000),
        "gap_ms": (20_000, 400_000),
        "merge_ms": (0, 400_000),
    },
    "V18": {
        "near_coach_dm": (0, 20_000),
        "near_bus_dm": (0, 20_000),
        "near_hazmat_dm": (0, 20_000),
        "hold_ms": (0, 200_000),
        "far_dm": (0, 12_000),
        "gap_ms": (20_000, 400_000),
        "merge_ms": (0, 400_000),
    },
    "V19": {
        "still_kmh": (4.9, 5, 10.0),
        "still_dm": (1, 2_000),
        "stop_ms": (0, 180_000),
        "parked_ms": (0, 400_000),
        "near_dm": (0, 5_000),
    },
    "V20": {"points": (1, 3), "hold_ms": (0, 60_000), "gap_ms": (20_000, 400_000), "merge_ms": (0, 400_000)},
    "V21": {
        "from_ms": (0, DAY_MS - 1),
        "to_ms": (0, DAY_MS),
        "moving_kmh": (4.9, 5, 20, 33),
        "points": (1, 4),
        "gap_ms": (20_000, 400_000),
        "merge_ms": (0, 400_000),
    },
    "V22": {
        "hold_ms": (0, 1_200_000),
        "gap_ms": (120_000, 3_600_000),
        "away_ms": (0, 3_600_000),
        "away_gap_ms": (300_000, 7_200_000),
        "merge_ms": (0, 3_600_000),
    },
    "V24": {
        "moving_kmh": (4.9, 5, 20, 33),
        "notice_ms": (0, 7_200_000),
        "points": (1, 4),
        "gap_ms": (20_000, 400_000),
        "merge_ms": (0, 400_000),
    },
    "V25": {
        "still_kmh": (4.9, 5, 10.0),
        "still_dm": (1, 2_000),
        "far_dm": (20_000, 190_000),
        "near_dm": (0, 3_000),
        "least_ms": (0, 40_000),
        "unseen_ms": (0, 120_000),
        "most_ms": (400_000, 1_200_000),
        "points": (1, 2),
        "severe_points": (4, 6),
    },
}
FENCED = {"V10": "no_night_road", "V20": "hazmat_no_go", "V21": "hazmat_restricted", "V24": "closure"}
AREAS = ("hazmat_no_go", "hazmat_restricted", "no_night_road", "closure", "county", "station", "built_up")
SMALL = ("approved_stop", "rest_area", "parking", "approved_parking", "shipper", "consignee", "station")
SORTS = ("hazmat_pass", "restricted_hours", "closure_pass", "detour", "dispatch")
NAMES = ("A", "B", "C", "D")
STATUSES = (2, 3, 3, 3, 0x103, 0x202, 0x2003, 0x8003, 0x20003, 0x40003, 0x1003)
VEHICLE = "plate,plate_color"
Ring = list[list[float]]


def _moment(random: Random) -> int:
    return START_MS + random.randrange(0, DAY_MS, 1_000)


def _span(random: Random, ends: bool = False) -> tuple[str, str]:
    """A validity, often one that begins or ends within the stream."""
    begin = _moment(random)
    end = begin + random.choice((60_000, HOUR_MS, 4 * HOUR_MS, DAY_MS))
    both = str(begin), str(end)
    if ends:
        return random.choice((both, both, ("", str(end)), ("2026-03-02", "20260302")))
    return random.choice((("", ""), ("", ""), ("", ""), (str(begin), ""), ("", str(end)), both))


def _write(folder: Path, table: str, header: str, rows: list[tuple[object, ...]]) -> None:
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*header.split(","), "valid_from", "valid_to"))
        writer.writerows(rows)


def _box(random: Random, least: int, most: int) -> list[Ring]:
    """A box with sides in thousandths of a degree, some with a hole, some a triangle."""
    west, south = 87.0 + random.randrange(-10, 150) / 1_000, 44.0 + random.randrange(-10, 150) / 1_000
    east, north = west + random.randrange(least, most) / 1_000, south + random.randrange(least, most) / 1_000
    rings = [[[west, south], [east, south], [east, north], [west, north], [west, south]]]
    if random.random() < 0.3:
        x, y = (east - west) / 4, (north - south) / 4
        a, b, c, d = west + x, south + y, east - x, north - y
        rings.append([[a, b], [a, d], [c, d], [c, b], [a, b]])
    elif random.random() < 0.2:
        rings = [[[west, south], [east, south + least / 4_000], [east, north], [west, south]]]
    return rings


def _feature(properties: dict[str, object], kind: str, coordinates: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def write_fences(folder: Path, random: Random) -> None:
    """Add fences of all kinds; they overlap, and some have one id."""
    path = folder / "fences.geojson"
    collection = json.loads(path.read_text(encoding="utf-8"))
    chosen = [kind for kind in AREAS for _ in range(random.choice((0, 1, 2, 3)))]
    chosen += ["county"] * random.choice((0, 2)) + ["station"] * random.choice((1, 3, 4))
    chosen += [kind for kind in SMALL for _ in range(random.choice((0, 1, 1, 3)))]
    chosen += [random.choice(AREAS[:4])] * random.choice((0, 0, 5))
    random.shuffle(chosen)
    for number, kind in enumerate(chosen):
        name = random.choice(NAMES) if kind == "county" else f"{kind[:1]}{number}"
        begin, end = _span(random)
        if kind == "closure" and begin and not end and random.random() < 0.8:
            begin = str(START_MS + random.randrange(0, 8 * HOUR_MS, 1_000))
        properties: dict[str, object] = {"id": name, "kind": kind, "valid_from": begin, "valid_to": end}
        properties["classes"] = random.choice(("", "", "", "LC", "H", "LH", "BT"))
        properties["limit_kmh"] = random.choice((None, None, 30, 40))
        wide = kind in AREAS and not (kind == "station" and random.random() < 0.7)
        rings = _box(random, 30, 160) if wide else _box(random, 2, 20)
        if kind in AREAS and random.random() < 0.2:
            rings = [[[86.0, 43.0], [88.0, 43.0], [88.0, 45.0], [86.0, 45.0], [86.0, 43.0]]]
        if random.random() < 0.2:
            collection["features"].append(_feature(properties, "MultiPolygon", [rings, _apart(rings)]))
        else:
            collection["features"].append(_feature(properties, "Polygon", rings))
    path.write_text(json.dumps(collection), encoding="utf-8")


def _apart(rings: list[Ring]) -> list[Ring]:
    """The same shape elsewhere."""
    return [[[x + 3.0, y + 3.0] for x, y in ring] for ring in rings]


def write_routes(folder: Path, random: Random) -> None:
    """Lines of routes; of one id there are several, or none."""
    features = []
    for _ in range(random.randrange(2, 7)):
        lon, lat = 87.0 + random.randrange(0, 120) / 1_000, 44.0 + random.randrange(0, 120) / 1_000
        line = [[lon, lat]]
        for _ in range(random.choice((1, 2, 5))):
            lon, lat = lon + random.randrange(-60, 60) / 1_000, lat + random.randrange(-60, 60) / 1_000
            line.append([lon, lat])
        begin, end = _span(random)
        properties: dict[str, object] = {"id": random.choice(NAMES[:3]), "valid_from": begin, "valid_to": end}
        properties["classes"] = random.choice(("", "H"))
        if len(line) > 4 and random.random() < 0.5:
            features.append(_feature(properties, "MultiLineString", [line[:2], line[3:]]))
        else:
            features.append(_feature(properties, "LineString", line))
    collection = {"type": "FeatureCollection", "features": features}
    if random.random() < 0.95:
        (folder / "routes.geojson").write_text(json.dumps(collection), encoding="utf-8")


def _permits(random: Random, plates: list[str], ids: list[str]) -> Iterator[tuple[object, ...]]:
    """Permits for all fences, for one, for one that there is not; one of a sort and fence at a time."""
    for plate in plates:
        for sort in SORTS:
            for fence in {"", *random.sample(ids, min(2, len(ids))), "Z"}:
                if random.random() < (0.15 if sort == "detour" or not fence else 0.3):
                    yield (
                        plate,
                        2,
                        sort,
                        "" if sort in ("detour", "dispatch") and fence == "Z" else fence,
                        *_span(random),
                    )


def write_papers(folder: Path, random: Random, plates: list[str]) -> None:
    """Permits, assignments, waybills and charters; each table is sometimes not there."""
    features = json.loads((folder / "fences.geojson").read_text(encoding="utf-8"))["features"]
    ids = [one["properties"]["id"] for one in features if one["properties"]["kind"] in AREAS[:4]]
    holders = [*((plate, color) for plate in plates for color in ("", 2)), ("P0", 4), ("无主", 2)]
    permits = {row[:4]: row for row in _permits(random, plates, ids)}
    counties = [random.choice(("", "A", "A B", "B C", "Z", "D A")) for _ in range(40)]
    tables: dict[str, tuple[str, list[tuple[object, ...]]]] = {
        "permits": (f"{VEHICLE},permit,fence", list(permits.values())),
        "assignments": (
            f"{VEHICLE},route",
            [
                (plate, 2, route, *_span(random))
                for plate in plates
                for route in random.sample(NAMES[:4], random.choice((0, 1, 1, 1, 2, 3)))
                if route != "D" or random.random() < 0.3
            ],
        ),
        "waybills": (
            f"{VEHICLE},number",
            [(*who, "1", *_span(random, ends=True)) for who in holders for _ in range(random.choice((0, 1, 2)))],
        ),
        "charters": (
            f"{VEHICLE},number,counties",
            [
                (*who, "1", random.choice(counties), *_span(random, ends=True))
                for who in holders
                if random.random() < 0.2
            ],
        ),
    }
    for table, (header, rows) in tables.items():
        if random.random() < 0.95:
            _write(folder, table, header, rows)


def write_vehicles(folder: Path, random: Random, plates: list[str]) -> None:
    """Of all classes, licensed for some counties; some have two rows."""
    features = json.loads((folder / "fences.geojson").read_text(encoding="utf-8"))["features"]
    rows = list[tuple[object, ...]]()
    for plate in plates:
        party = random.choice(("甲", "乙")), random.choice(("652301", "652302", ""))
        known = [one["properties"]["id"] for one in features if one["properties"]["kind"] == "county"]
        areas = [*known * 3, " ".join(known[:2]), "", "A", "A B", "A Z", "AB"]
        moment = str(_moment(random))
        spans = random.choice(
            ((("", ""),),) * 4 + (((("", moment)), (moment, "")), (("", moment),), ((moment, ""), ("", "")))
        )
        for span in spans:
            rows.append((plate, 2, random.choice("LLLLLLCCCCHHHHHBBTTF"), *party, random.choice(areas), *span))
    _write(folder, "vehicles", "plate,plate_color,class,company,county,area", rows)


def write_bounds(folder: Path, random: Random) -> None:
    """Add tiny parameters, dated, by class, county, company and fence."""
    with (folder / "parameters.csv").open(encoding="utf-8", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    rows = [(*row[:6], "", *row[6:]) for row in rows]
    features = json.loads((folder / "fences.geojson").read_text(encoding="utf-8"))["features"]
    for group, names in TINY.items() if random.random() < 0.8 else ():
        ids = [one["properties"]["id"] for one in features if one["properties"]["kind"] == FENCED.get(group)]
        for name, bounds in names.items():
            for _ in range(random.choice((0, 1, 1, 2, 4))):
                whole = len(bounds) == 2 and all(isinstance(bound, int) for bound in bounds)
                value = random.randint(int(bounds[0]), int(bounds[1])) if whole else random.choice(bounds)
                chosen = random.choice(("", "", "LCH")), random.choice(("", "", "652301")), random.choice(("", "甲"))
                fence = random.choice(["", *ids]) if random.random() < 0.6 else ""
                rows.append((group, name, str(value), *chosen, fence, *_span(random)))
    _write(folder, "parameters", "group,name,value,class,county,company,fence", rows)


def write_exemptions(folder: Path, random: Random, plates: list[str]) -> None:
    """A few, of all sorts."""
    features = json.loads((folder / "fences.geojson").read_text(encoding="utf-8"))["features"]
    ids = [one["properties"]["id"] for one in features]
    rows = list[tuple[object, ...]]()
    for kind in (*TINY, *TINY):
        named = random.choice((*plates, "", "")), random.choice(("", "LC", "H")), random.choice(("", "652301"))
        chosen = *named, random.choice(("", "甲")), random.choice(["", *ids])
        if any(chosen) and random.random() < 0.2:
            rows.append((kind, "演习", *chosen, *_span(random, ends=True)))
    _write(folder, "exemptions", "kind,reason,plate,class,county,company,fence", rows)


def spots_of(folder: Path) -> tuple[list[list[float]], list[list[float]]]:
    """Corners of fences, points of routes, and places beside them; the middles of stations."""
    spots, stations = list[list[float]](), list[list[float]]()
    for name in ("fences", "routes"):
        path = folder / f"{name}.geojson"
        for feature in json.loads(path.read_text(encoding="utf-8"))["features"] if path.exists() else ():
            points = feature["geometry"]["coordinates"]
            while isinstance(points[0][0], list):
                points = points[0]
            spots += [points[0], [(points[0][i] + points[-2][i] + points[1][i] * 2) / 4 for i in (0, 1)]]
            spots += points[:2] * 2 if name == "routes" else []
            if feature["properties"].get("kind") == "station":
                stations.append([(points[0][i] + points[len(points) // 2][i]) / 2 for i in (0, 1)])
    return _near(spots), _near(stations)


def _near(spots: list[list[float]]) -> list[list[float]]:
    return [spot for spot in spots if 86.9 < spot[0] < 87.2 and 43.9 < spot[1] < 44.2]


class Visitor(Drive):
    """A vehicle that stands now and then, doors open or not, says what it carries, and drives to places that matter."""

    def __init__(self, random: Random, plate: str, spots: list[list[float]], stations: list[list[float]]) -> None:
        super().__init__(random, plate)
        self.spots, self.stations = spots, stations
        self.tells = random.choice((0.0, 0.3, 0.9, 1.0, 1.0))
        self.status = random.choice(STATUSES)
        self.left = self.tour = 0
        self.time_ms = START_MS + random.choice((0, 1, 2, 4, 4, 9, 21, 22)) * HOUR_MS + random.randrange(3_600) * 1_000

    def step(self) -> dict[str, object]:
        """Stand or move on, and report."""
        random = self.random
        if self.left == 0 and self.tour and random.random() < 0.6:
            self.tour -= 1
            self.left = random.choice((2, 3, 5))
            self.status = random.choice((3, 0x2003, 0x2003, 0x8003, 0x20002))
            self.visit(self.lon + random.choice((-12, -6, -4, 6, 12)) / 1_000, self.lat)
        elif self.left == 0 and random.random() < 0.08:
            self.left = random.choice((2, 3, 5, 8, 20))
            if self.spots and random.random() < 0.4:
                self.visit(*random.choice(self.spots))
            elif self.stations and random.random() < 0.6:
                self.left, self.tour = 2, random.choice((2, 3, 5, 8))
                self.lon, self.lat = random.choice(self.stations)
                self.time_ms += 1_200_000
        if self.left:
            self.left -= 1
            step_s = random.choice((5, 10, 29, 30, 31, 60, 60, 61, 120, 300, 301))
            self.time_ms += step_s * 1_000
            metres = random.choice((0, 0, 0, 5, 20, 99, 101)) if random.random() < 0.3 else 0
            self.lat += metres * METRE_DEG * random.choice((1, -1))
            self.speed = random.choice((0, 0, 0, 0, 3, 4.9)) if random.random() < 0.95 else random.choice((5, 6, 10))
            fix: dict[str, object] = {"plate": self.plate, "time": self.time_ms, "lon": self.lon, "lat": self.lat}
            fix["speed_kmh"] = self.speed
        else:
            fix = super().step()
        if random.random() < 0.1:
            self.status = random.choice(STATUSES)
        return fix | {"status": self.status} if random.random() < self.tells else fix

    def visit(self, lon: float, lat: float) -> None:
        """Be there, or a little beside it, as soon as it may."""
        metres = self.random.choice((0, 0, 29.9, 30.1, 99, 101, 300, 1_000, 2_500)) * self.random.choice((1, -1))
        lat += metres * METRE_DEG
        away = math.hypot((lon - self.lon) * math.cos(math.radians(lat)), lat - self.lat) / METRE_DEG
        self.time_ms += round(away / self.random.choice((14, 20, 30))) * 1_000
        self.lon, self.lat, self.speed = lon, lat, 0.0


def write_stream_of_places(folder: Path, seed: int, vehicles: int = 6, fixes: int = 6_000) -> tuple[Path, Path]:
    """Write a random stream: its positions and its registry."""
    random = Random(f"places {seed}")
    plates = [f"P{number}" for number in range(vehicles)]
    registry = folder / "registry"
    write_registry(registry, random, plates)
    write_fences(registry, random)
    write_vehicles(registry, random, plates)
    write_routes(registry, random)
    write_papers(registry, random, plates)
    write_bounds(registry, random)
    write_exemptions(registry, random, plates)
    spots = spots_of(registry)
    write_positions(folder / "positions.ndjson", random, plates, fixes, drive=_driver(*spots))  # type: ignore[arg-type]
    return folder / "positions.ndjson", registry


def _driver(spots: list[list[float]], stations: list[list[float]]) -> Callable[[Random, str], Drive]:
    return lambda random, plate: Visitor(random, plate, spots, stations)
