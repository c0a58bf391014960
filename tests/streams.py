"""Random streams: many vehicles, all the dirt of the rulebook's §2, values on and beside every bound.

Made to be nasty, not to look real: steps and speeds are drawn from the numbers the rules compare
with, and half of the streams run under parameters so small that every branch is reached within a
few hundred fixes.
"""

import csv
import json
import math
from pathlib import Path
from random import Random

START_MS = 1_772_380_800_000
"""2026-03-02T00:00 Beijing time [ms]."""

METRE_DEG = 180.0 / math.pi / 6_371_008.8
HOURS = (1, 2, 2, 4, 8, 19, 21, 23)
STEPS_S = (1, 5, 10, 10, 10, 15, 20, 30, 30, 60, 60, 60, 61, 90, 120, 121, 180, 181, 299, 300, 301, 420, 600, 1200)
LONG_S = (1_800, 3_599, 3_600, 3_601, 7_200, 14_400, 14_700, 20_000, 50_000, 90_000)
SPEEDS = (0, 0, 3, 4.9, 5, 5.1, 20, 30, 33, 33.1, 36, 40, 48, 51, 60, 63, 64, 75.5, 83, 84, 90, 93, 100, 103, 104, 120)
TINY: dict[str, dict[str, tuple[float, ...]]] = {
    "V01": {"points": (2, 4), "hold_ms": (5_000, 40_000), "merge_ms": (0, 90_000), "margin_kmh": (0, 10)},
    "V02": {"points": (1, 3), "gap_ms": (20_000, 200_000)},
    "V03": {"ratio": (0.5, 0.9)},
    "V04": {"ratio": (1.2, 1.5), "margin_kmh": (0, 5)},
    "V05": {"limit_ms": (300_000, 1_500_000), "severe_ms": (900_000, 3_000_000)},
    "V06": {"limit_ms": (120_000, 1_200_000)},
    "V09": {"open_ms": (60_000, 600_000), "open_dm": (5_000, 50_000), "severe_ms": (120_000, 400_000)},
    "V20": {"points": (1, 3), "hold_ms": (0, 60_000)},
    "driving": {
        "rest_ms": (60_000, 400_000),
        "short_stop_ms": (20_000, 60_000),
        "long_rest_ms": (600_000, 14_400_000),
        "yard_ms": (20_000, 90_000),
        "yard_dm": (1_000, 4_000),
        "resume_ms": (60_000, 600_000),
    },
    "road_limit": {"cap_kmh": (60, 100), "default_kmh": (40, 90)},
}


def _span(random: Random) -> tuple[str, str]:
    """A validity: mostly without end, sometimes one that begins or ends within the stream."""
    moment = START_MS + random.randrange(0, 86_400_000, 1_000)
    return random.choice((("", ""), ("", ""), (str(moment), ""), ("", str(moment)), ("2026-03-02", "2026-03-02")))


def _write_csv(path: Path, header: str, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _rectangle(random: Random) -> list[list[list[float]]]:
    west, south = 87.0 + random.randrange(0, 8) / 100, 44.0 + random.randrange(0, 8) / 100
    east, north = west + random.randrange(1, 6) / 100, south + random.randrange(1, 6) / 100
    rings = [[[west, south], [east, south], [east, north], [west, north], [west, south]]]
    if random.random() < 0.4:
        a, b, c, d = west + 0.003, south + 0.003, west + 0.006, south + 0.006
        rings.append([[a, b], [a, d], [c, d], [c, b], [a, b]])
    if random.random() < 0.3:
        rings = [[[west, south], [east, south + 0.004], [east - 0.002, north], [west, south]]]
    return rings


def write_registry(folder: Path, random: Random, plates: list[str]) -> None:
    """Write a registry with dated rows, overlapping fences and, half of the time, tiny parameters."""
    folder.mkdir(parents=True)
    rows: list[tuple[object, ...]] = []
    for plate in plates:
        for _ in range(random.choice((1, 1, 1, 2))):
            party = random.choice(("甲", "乙")), random.choice(("652301", "652302", ""))
            crew, exempt = random.choice((1, 1, 2)), random.choice((0, 0, 0, 1))
            rows.append((plate, 2, random.choice("LLLCCHHBTF"), *party, crew, exempt, *_span(random)))
    _write_csv(
        folder / "vehicles.csv",
        "plate,plate_color,class,company,county,drivers,small_hours_exempt,valid_from,valid_to",
        rows,
    )
    features = []
    for number in range(random.randrange(0, 24)):
        begin, end = _span(random)
        properties: dict[str, object] = {"id": f"f{number}", "kind": random.choice(("road", "speed", "hazmat_no_go"))}
        properties |= {
            "limit_kmh": random.choice((40, 60, 80, 90, 100)),
            "classes": random.choice(("", "LC", "HT", "BF")),
        }
        properties |= {"valid_from": begin, "valid_to": end}
        rings = _rectangle(random)
        if number == 0 and random.random() < 0.6:
            properties |= {
                "kind": "road",
                "limit_kmh": random.choice((60, 80)),
                "classes": "",
                "valid_from": "",
                "valid_to": "",
            }
            rings = [[[86.0, 43.0], [88.0, 43.0], [88.0, 45.0], [86.0, 45.0], [86.0, 43.0]]]
        shape: dict[str, object] = {"type": "Polygon", "coordinates": rings}
        features.append({"type": "Feature", "properties": properties, "geometry": shape})
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "fences.geojson").write_text(json.dumps(collection), encoding="utf-8")
    overrides: list[tuple[object, ...]] = []
    if random.random() < 0.7:
        for group, names in TINY.items():
            for name, bounds in names.items():
                for _ in range(random.choice((0, 1, 1, 2))):
                    whole = all(isinstance(bound, int) for bound in bounds)
                    value = random.randint(int(bounds[0]), int(bounds[1])) if whole else random.choice(bounds)
                    chosen = random.choice(("", "", "LC")), random.choice(("", "", "652301"))
                    overrides.append((group, name, value, *chosen, random.choice(("", "", "甲")), *_span(random)))
    _write_csv(folder / "parameters.csv", "group,name,value,class,county,company,valid_from,valid_to", overrides)


class Drive:
    """One vehicle on its way: where it is, how fast, and who drives."""

    def __init__(self, random: Random, plate: str) -> None:
        self.random, self.plate = random, plate
        self.time_ms = START_MS + random.choice(HOURS) * 3_600_000 + random.randrange(3_600) * 1_000
        self.lon, self.lat = 87.0 + random.randrange(0, 120) / 1_000, 44.0 + random.randrange(0, 120) / 1_000
        self.speed: float = 0.0
        self.driver: str | None = random.choice((None, "甲一", "甲一"))
        self.mood = "drive"

    def step(self) -> dict[str, object]:
        """Move on and report."""
        random = self.random
        if random.random() < 0.08:
            self.mood = random.choice(("drive", "drive", "drive", "stop", "yard", "fast", "mixed"))
        step_s = random.choice(STEPS_S if random.random() < 0.3 else (10, 30, 60))
        if random.random() < 0.01:
            step_s = random.choice(LONG_S)
        if random.random() < 0.01:
            self.time_ms += random.choice((1, 500, 999))
        self.time_ms += step_s * 1_000
        metres = self.speed / 3.6 * step_s if step_s <= 300 else random.choice((0, 300, 499, 501, 2_000, 30_000))
        if self.mood == "yard":
            metres = random.choice((0, 20, 99, 100, 101, 180))
        if random.random() < 0.02:
            metres += random.choice((499.9, 500.1, 3_000, 9_000, 60_000))
        if random.random() < 0.5:
            self.lon += metres * METRE_DEG / math.cos(math.radians(self.lat)) * random.choice((1, -1))
        else:
            self.lat += metres * METRE_DEG * random.choice((1, -1))
        if not (86.9 < self.lon < 87.2 and 43.9 < self.lat < 44.2):
            self.lon, self.lat = 87.0 + random.randrange(0, 12) / 100, 44.0 + random.randrange(0, 12) / 100
        if random.random() < 0.2:
            self.lon, self.lat = round(self.lon, 2), round(self.lat, 2)
        moods = {
            "stop": (0, 0, 0, 4.9),
            "yard": (0, 4.9, 5, 8),
            "fast": (64, 72, 90, 96, 104, 120, 150),
            "mixed": SPEEDS,
        }
        self.speed = random.choice(moods.get(self.mood, SPEEDS[6:]))
        if self.mood == "stop" and random.random() < 0.15:
            self.driver = random.choice((None, "甲一", "乙二", "丙三"))
        return {
            "plate": self.plate,
            "time": self.time_ms,
            "lon": self.lon,
            "lat": self.lat,
            "speed_kmh": self.speed,
            "driver": self.driver,
        }


def _dirty(random: Random, fix: dict[str, object]) -> list[dict[str, object]]:
    """The fix with some dirt of §2: spoiled, doubled, delayed, or as it is."""
    time_ms = int(str(fix["time"]))
    dirt: dict[str, list[dict[str, object]]] = {
        "swapped": [fix | {"lon": fix["lat"], "lat": fix["lon"]}],
        "edge": [
            fix | {"heading_deg": random.choice((0, 359.9, 360, 360.1)), "altitude_m": random.choice((-200, 6501))}
        ],
        "wrong": [
            fix | {random.choice(("lon", "speed_kmh", "altitude_m")): random.choice(("abc", True, [1], None, "1e999"))}
        ],
        "text": [fix | {"lon": str(fix["lon"]), "speed_kmh": f" {fix['speed_kmh']} "}],
        "fast": [fix | {"speed_kmh": random.choice((200, 200.1, -0.1))}],
        "no fix": [fix | {"status": random.choice((0, 1, 2, 3, "2", 4_294_967_297))}],
        "backfill": [fix | {"backfill": random.choice((True, False, 1, "true"))}],
        "twice": [fix, fix],
        "late": [fix, fix | {"time": time_ms - random.choice((0, 1, 30_000, 3_600_000))}],
        "clock": [fix | {"time": time_ms + random.choice((60_000, 3_600_000, 3_600_001, 10**12, -time_ms))}],
        "received": [fix | {"received": time_ms - random.choice((0, 60_000, 60_001))}],
        "drift": [fix | {"lon": float(str(fix["lon"])) + random.choice((0.05, 0.5))}, fix | {"time": time_ms + 1_000}],
        "nobody": [fix | {"plate": random.choice(("", None, 12, "无主1"))}],
        "color": [fix | {"plate_color": random.choice((2, "2", 2.0, None, 4, "x", 256))}],
        "iso": [
            fix | {"time": random.choice(("2026-03-02T08:00:00", "2026-03-02 08:00:00+08:00", "昨天", "1e12", ""))}
        ],
    }
    return dirt[random.choice(list(dirt))]


RUBBISH = (
    b"", b"   ", b"{", b"[]", b"null", b"\x00\xff\xfe", "{\"plate\": \"测\"}".encode("gb18030"), b'{"plate": "a"} x',
    b'{"plate":"P1","lon":NaN,"lat":44,"time":1772380800000,"speed_kmh":1e400}', b"[" * 3_000, b'{"plate": 1e5}',
)  # fmt: skip


def write_positions(
    path: Path, random: Random, plates: list[str], fixes: int, dirt: float = 0.05, drive: type[Drive] = Drive
) -> None:
    """Write the vehicles' fixes, interleaved, as NDJSON with rubbish between."""
    drives = [drive(random, plate) for plate in [*plates, "无主"]]
    with path.open("wb") as file:
        for _ in range(fixes):
            fix = random.choice(drives).step()
            for one in _dirty(random, fix) if random.random() < dirt else [fix]:
                file.write(json.dumps(one, ensure_ascii=random.random() < 0.5).encode() + b"\n")
            if random.random() < dirt / 10:
                file.write(random.choice(RUBBISH) + b"\n")


def write_stream(
    folder: Path, seed: int, vehicles: int = 6, fixes: int = 4_000, dirt: float = 0.05
) -> tuple[Path, Path]:
    """Write a random stream: its positions and its registry."""
    random = Random(seed)
    plates = [f"P{number}" for number in range(vehicles)]
    write_registry(folder / "registry", random, plates)
    write_positions(folder / "positions.ndjson", random, plates, fixes, dirt)
    return folder / "positions.ndjson", folder / "registry"
