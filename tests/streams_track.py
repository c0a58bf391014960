"""Random streams of terminals: silence, blindness, two places at once, days without a word, driving for days."""

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from tests.reading.values import DAY_MS
from tests.streams import LONG_S, METRE_DEG, START_MS, Drive, write_positions, write_registry

HOUR_MS = 3_600_000
TINY: dict[str, dict[str, tuple[float, ...]]] = {
    "driving": {"rest_ms": (400_000, 1_200_000), "short_stop_ms": (20_000, 120_000)},
    "V07": {"limit_ms": (600_000, 9_000_000)},
    "V08": {"after_ms": (1, 300_000), "limit_ms": (200_000, 1_500_000), "severe_ms": (900_000, 9_000_000)},
    "V11": {
        "moving_kmh": (0, 5.0, 20, 36.0),
        "silence_ms": (0, 60_000, 120_001, 600_000),
        "hazmat_silence_ms": (0, 59_999, 60_000, 300_000),
    },
    "V12": {
        "least_gap_ms": (60_000, 1_800_000),
        "beyond_dm": (1_000, 200_000),
        "hazmat_least_gap_ms": (60_000, 1_200_000),
        "hazmat_beyond_dm": (0, 50_000),
        "doubtful_ms": (1_300_000, 90_000_000),
    },
    "V13": {"scheduled_ms": (1, 40_000_000), "heard_ratio": (0.2, 0.5, 0.75, 1.0), "graver_points": (1, 3)},
    "V14": {"least_dm": (1_000, 300_000), "complete_ratio": (0.8, 0.95, 0.99, 1.0)},
    "V15": {"drift_points": (1, 12)},
    "V16": {
        "gap_ms": (30_000, 300_000),
        "merge_ms": (0, 900_000),
        "moving_kmh": (5.0, 20.0, 33.0),
        "blind_ms": (10_000, 200_000),
        "repeat_ms": (3_000_000, 90_000_000),
        "away_dm": (1, 40_000),
        "differ_kmh": (10.0, 20.0, 27.0, 60.0),
        "differ_points": (1, 8),
        "differ_ms": (0, 200_000),
        "frozen_ms": (20_000, 300_000),
        "apart_dm": (5_100, 60_000),
        "return_ms": (60_000, 300_000),
        "return_points": (1, 3),
        "twice_ms": (10_000, 200_000),
    },
    "V17": {"received_points": (1, 60), "unqualified_most_ratio": (0.01, 0.04, 0.05, 0.1)},
}
FENCED = {"V01": "road", "V02": "speed", "V03": "road", "V04": "road", "V20": "hazmat_no_go"}
NUMBERS: dict[str, dict[str, tuple[float, ...]]] = {
    "V01": {"margin_kmh": (0, 20), "points": (1, 4), "hold_ms": (0, 40_000), "severe_ratio": (1.1, 1.3)},
    "V02": {"ratio": (0.6, 1.1), "points": (1, 3), "gap_ms": (20_000, 200_000), "merge_ms": (0, 300_000)},
    "V03": {"ratio": (0.5, 0.9), "hold_ms": (0, 60_000)},
    "V04": {"ratio": (1.1, 1.3), "hold_ms": (0, 20_000)},
    "V20": {"points": (1, 3), "hold_ms": (0, 60_000), "merge_ms": (0, 600_000)},
}
MOODS = ("drive", "drive", "drive", "drive", "fast", "stop", "stop", "yard", "blind", "stuck", "stuck", "twin", "twin")
PACES = ((10, 30, 60), (20, 30, 60, 61), (60, 120, 240, 299, 300), (30, 60, 60, 180, 301))
NEVER = ("Q0", "Q1", "Q2")
"""Registered vehicles that nobody ever hears of."""


class Now:
    """How far the latest of all vehicles has come."""

    def __init__(self, random: Random) -> None:
        self.start_ms = START_MS + random.choice((-2, 1, 6, 20)) * HOUR_MS
        self.time_ms = self.start_ms


class Terminal(Drive):
    """A vehicle whose terminal falls silent, goes blind, stands still or is in two places."""

    def __init__(self, random: Random, plate: str, now: Now) -> None:
        super().__init__(random, plate)
        self.now = now
        self.time_ms = now.start_ms + random.randrange(1_800) * 1_000
        self.pace = random.choice(PACES)
        self.recorder = random.choice((0.0, 0.9, 1.0))
        self.ignition = random.choice((0.0, 0.5, 1.0))
        self.delay_ms = random.choice((None, None, 0, 500, 30_000, 700_000))
        self.aside = 0.3
        self.cards = random.choice((0.0, 0.003, 0.003, 0.05))

    def step(self) -> dict[str, object]:
        """Move on and report."""
        random = self.random
        if random.random() < (0.02 if self.mood in ("blind", "stuck") else 0.06):
            self.mood = random.choice(MOODS)
            self.aside = random.choice((0.05, 0.1, 0.3, 0.6))
        step_s = self.wait()
        self.time_ms += step_s * 1_000 + random.choice((0,) * 60 + (1, 500, 999))
        self.now.time_ms = max(self.now.time_ms, self.time_ms)
        self.move(step_s)
        if self.mood in ("stop", "drive") and random.random() < self.cards:
            self.driver = random.choice((None, "甲一", "甲一", "乙二"))
        return self.report()

    def wait(self) -> int:
        """Seconds until the next report."""
        random = self.random
        if random.random() < 0.008:
            return random.choice((*LONG_S, 1_200, 1_799, 1_800, 86_400, 86_401))
        if random.random() < 0.02 and self.now.time_ms > self.time_ms:
            return (self.now.time_ms - self.time_ms) // 1_000 + random.choice((0, 1, 30))
        return random.choice((10, 20, 30, 60) if self.mood in ("blind", "stuck", "twin") else self.pace)

    def move(self, step_s: int) -> None:
        """A step along a road, and the speed of the next one."""
        random = self.random
        metres = self.speed / 3.6 * step_s if step_s <= 300 else random.choice((0, 499, 501, 2_100, 9_000, 30_000))
        if self.mood == "yard":
            metres = random.choice((0, 99, 100, 101))
        if self.mood == "stuck":
            metres = random.choice((0,) * 12 + (20,))
        if random.random() < 0.01:
            metres += random.choice((499.9, 3_000, 60_000))
        if random.random() < 0.5:
            self.lon += metres * METRE_DEG / math.cos(math.radians(self.lat)) * random.choice((1, -1))
        else:
            self.lat += metres * METRE_DEG * random.choice((1, -1))
        if not (86.8 < self.lon < 87.4 and 43.8 < self.lat < 44.4):
            self.lon, self.lat = 87.0 + random.randrange(0, 12) / 100, 44.0 + random.randrange(0, 12) / 100
        moods = {"stop": (0, 0, 0, 4.9), "yard": (0, 4.9, 5, 8), "fast": (64, 90, 104, 120, 159, 161)}
        self.speed = random.choice(moods.get(self.mood, (20, 20.1, 36, 48, 60, 75.5, 83)))

    def report(self) -> dict[str, object]:
        """The fix, with what the terminal tells beside its place."""
        random = self.random
        fix: dict[str, object] = {"plate": self.plate, "time": self.time_ms, "lon": self.lon, "lat": self.lat}
        fix |= {"speed_kmh": self.speed, "driver": self.driver}
        if self.delay_ms is not None:
            fix["received"] = self.time_ms + self.delay_ms + random.choice((0, 0, 0, 1, 60_000, 3_000_000))
        if random.random() < self.recorder:
            strange = self.mood in ("blind", "stuck") or random.random() < 0.02
            fix["recorder_speed_kmh"] = self.speed + (random.choice((-20.1, 20, 20.1, 27, 30)) if strange else 0)
        if random.random() < self.ignition:
            fix["status"] = random.choice((3,) * 8 + (2,))
        if self.mood == "blind" and random.random() < 0.95:
            fix["status"] = random.choice((1,) * 15 + (0,))
            fix["recorder_speed_kmh"] = random.choice((20.1, 33, 33.1, 40, 60) * 4 + (20, 5))
        if self.mood == "twin" and random.random() < 0.5:
            fix["lon"] = self.lon + self.aside
        return fix


class Herald(Terminal):
    """An unregistered vehicle that is heard day and night, so that days are whole."""

    def step(self) -> dict[str, object]:
        """A quarter of an hour at most further on."""
        self.time_ms += self.random.choice((60_000, 300_000, 900_000))
        self.now.time_ms = max(self.now.time_ms, self.time_ms)
        return {"plate": self.plate, "time": self.time_ms, "lon": 87.5, "lat": 44.5, "speed_kmh": 0}


def _driver(random: Random) -> Callable[[Random, str], Drive]:
    now = Now(random)
    return lambda random, plate: (Herald if plate == "无主" else Terminal)(random, plate, now)


def _span(random: Random, needed: bool = False) -> tuple[object, object]:
    """A validity about the days of the stream; long, short or by the day."""
    begin = START_MS + random.randrange(-DAY_MS, 4 * DAY_MS, 1_000)
    end = begin + random.choice((60_000, HOUR_MS, 9 * HOUR_MS, 2 * DAY_MS))
    day = random.choice(("2026-03-02", "2026-03-03", "2026-03-04"))
    found = random.choice(((begin, end), (begin, end), ("", end), (day, day), ("2026-03-01", "2026-03-09")))
    return found if needed or random.random() < 0.8 else (found[0], "")


def _write(folder: Path, table: str, header: str, rows: Sequence[Sequence[object]]) -> None:
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def write_schedules(folder: Path, random: Random, plates: list[str]) -> None:
    """Write what vehicles are to do, and which of them are laid up."""
    tables = {"waybills": "number", "charters": "number", "roster": "staff,role", "duties": "block"}
    tables |= {"assignments": "route"}
    for table, columns in tables.items():
        rows = [
            (plate, 2, f"{table} {plate}", *(("driver",) if table == "roster" else ()), *_span(random, needed=True))
            for plate in (*plates, *NEVER)
            if random.random() < 0.3
        ]
        _write(folder, table, f"plate,plate_color,{columns},valid_from,valid_to", rows)
    laid_up = [(plate, 2, "suspended", *_span(random)) for plate in (*plates, *NEVER) if random.random() < 0.2]
    _write(folder, "status", "plate,plate_color,status,valid_from,valid_to", laid_up)


def write_holes(folder: Path, random: Random) -> None:
    """Add places where terminals are not heard."""
    path = folder / "fences.geojson"
    collection = json.loads(path.read_text(encoding="utf-8"))
    for number in range(random.choice((0, 1, 2))):
        west, south, size = 87.0 + random.randrange(0, 9) / 100, 44.0 + random.randrange(0, 9) / 100, 0.05
        ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
        begin = random.choice(("", START_MS + random.randrange(0, DAY_MS)))
        properties = {"id": f"h{number}", "kind": "coverage_hole", "classes": random.choice(("", "LC", "H"))}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        properties |= {"valid_from": str(begin)}
        collection["features"].append({"type": "Feature", "properties": properties, "geometry": geometry})
    path.write_text(json.dumps(collection), encoding="utf-8")


def write_crews(folder: Path, random: Random) -> None:
    """Let some vehicles have two drivers, and some be coaches and tankers."""
    rows = list(csv.DictReader((folder / "vehicles.csv").read_text(encoding="utf-8").splitlines()))
    for row in rows:
        if random.random() < 0.4:
            row["drivers"] = "2"
        if random.random() < 0.3:
            row["class"] = random.choice("LCHHF")
    _write(folder, "vehicles", ",".join(rows[0]), [list(row.values()) for row in rows])


def write_exemptions(folder: Path, random: Random, plates: list[str]) -> None:
    """Exempt some from some kinds for some hours, or inside a fence."""
    rows = []
    for kind in ("*", "V01", "V04", "V05", "V06", *(code for code in TINY if code != "driving")):
        if random.random() < 0.1:
            rows.append((kind, "核定", random.choice(plates), "", *_span(random, needed=True)))
        if random.random() < 0.1:
            rows.append((kind, "核定", "", random.choice(("f0", "f1", "f2")), *_span(random, needed=True)))
    features = json.loads((folder / "fences.geojson").read_text(encoding="utf-8"))["features"]
    known = {"", *(one["properties"]["id"] for one in features)}
    kept = [row for row in rows if row[3] in known]
    _write(folder, "exemptions", "kind,reason,plate,fence,valid_from,valid_to", kept)


def write_settings(folder: Path, random: Random) -> None:
    """Add tiny parameters, and some for single fences."""
    path = folder / "parameters.csv"
    rows = [[*row, ""] for row in csv.reader(path.read_text(encoding="utf-8").splitlines()[1:])]
    for group, names in TINY.items() if random.random() < 0.85 else ():
        rows += [_setting(random, group, name, bounds, "") for name, bounds in names.items() if random.random() < 0.8]
    features = json.loads((folder / "fences.geojson").read_text(encoding="utf-8"))["features"]
    for group, kind in FENCED.items():
        ids = [one["properties"]["id"] for one in features if one["properties"]["kind"] == kind]
        for name, bounds in NUMBERS[group].items() if ids else ():
            rows += [_setting(random, group, name, bounds, random.choice(ids)) for _ in range(random.choice((0, 1, 3)))]
    _write(folder, "parameters", "group,name,value,class,county,company,valid_from,valid_to,fence", rows)


def _setting(random: Random, group: str, name: str, bounds: tuple[float, ...], fence: str) -> list[str]:
    whole = len(bounds) == 2 and all(isinstance(bound, int) for bound in bounds)
    value = random.randint(int(bounds[0]), int(bounds[1])) if whole else random.choice(bounds)
    chosen = random.choice(("", "", "LC")), random.choice(("", "", "652301")), random.choice(("", "", "甲"))
    begin = str(START_MS + random.randrange(0, DAY_MS, 1_000))
    span = random.choice((("", ""), ("", ""), (begin, ""), ("", begin)))
    if random.random() < 0.6:
        chosen, span = ("", "", ""), ("", "")
    return [group, name, str(value), *chosen, *span, fence]


def write_stream_of_track(folder: Path, seed: int, vehicles: int = 5, fixes: int = 4_000) -> tuple[Path, Path]:
    """Write a random stream: its positions and its registry."""
    random = Random(f"track {seed}")
    plates = [f"P{number}" for number in range(vehicles)]
    registry = folder / "registry"
    write_registry(registry, random, [*plates, *NEVER])
    write_crews(registry, random)
    write_schedules(registry, random, plates)
    write_holes(registry, random)
    write_settings(registry, random)
    write_exemptions(registry, random, plates)
    write_positions(folder / "positions.ndjson", random, plates, fixes, drive=_driver(random))  # type: ignore[arg-type]
    return folder / "positions.ndjson", registry
