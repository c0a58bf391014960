"""Random streams under a timetable: buses and coaches on their trips, more or less, and stations that they leave."""

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.reading.values import DAY_MS
from tests.streams import METRE_DEG, START_MS, Drive, write_positions, write_registry
from tests.streams_papers import write_bounds

HOUR_MS = 3_600_000
TINY: dict[str, dict[str, tuple[float, ...]]] = {
    "V23": {
        "open_dm": (0, 20_000),
        "before_ms": (0, 900_000),
        "after_ms": (0, 900_000),
        "gap_ms": (10_000, 400_000),
        "drive_kmh": (0, 5.0, 33, 40.0),
    },
    "V32": {
        "slow_kmh": (4.9, 5, 20.0, 33),
        "stay_ms": (0, 180_000),
        "leave_dm": (0, 3_000),
        "window_ms": (0, 10_000_000),
        "gap_ms": (10_000, 300_000),
    },
    "V33": {
        "early_ms": (0, 60_000, 300_000, 3_000_000),
        "late_ms": (0, 300_000, 900_000, 3_000_000, 3_000_000),
        "bunch_ratio": (0.25, 0.9, 1.1),
        "gap_ratio": (1.0, 1.1, 2.0),
        "least_interval_ms": (0, 400_000),
        "most_interval_ms": (300_000, 7_200_000),
        "interval_calls": (0, 1, 1, 2, 3),
    },
    "V34": {
        "pass_m": (10.0, 29.0, 60.0),
        "serve_m": (20.0, 59.0, 150.0),
        "slow_kmh": (0.0, 4.9, 5.1, 20.0, 36),
        "hold_ms": (0, 20_000),
        "gap_ms": (10_000, 120_000),
        "early_ms": (0, 7_300_000),
        "late_ms": (0, 9_000_000),
        "sure_ms": (0, 300_000),
        "sparse_ms": (1_000, 30_000),
        "brake_mps2": (0.0, 0.5, 2.0, 9.0),
        "pull_mps2": (0.0, 0.5, 1.5, 9.0),
        "most_kmh": (0.0, 30.0, 90),
    },
}
STEPS_S = (1, 2, 5, 5, 5, 10, 10, 10, 15, 16, 20, 30, 59, 60, 61, 120, 121)
ASIDE_M = (0, 0, 0, 5, 10, 29.9, 30.1, 59.9, 60.1, 79, 81, 150)
Point = tuple[float, float]


@dataclass
class Line:
    """A route: stops along a straight way; the way passes them more or less nearly."""

    id: str
    stops: list[str]
    way: list[Point]


@dataclass
class Plan:
    """What a vehicle is to do, in time: (departure [ms], the points of the way)."""

    trips: list[tuple[int, list[Point]]]


def lines_of(random: Random) -> tuple[list[Line], list[tuple[object, ...]]]:
    """Lines there and back, and the rows of their stops; some stops serve both ways."""
    lines, stops = list[Line](), list[tuple[object, ...]]()
    for number in range(2):
        lon, lat, north = 87.02 + number * 0.03, 44.02 + random.randrange(0, 5) / 100, random.random() < 0.5
        names, way = list[str](), list[Point]()
        for at in range(random.choice((3, 4, 5))):
            metres = random.choice((150, 400, 500, 700)) * METRE_DEG if at else 0.0
            lon, lat = (lon, lat + metres) if north else (lon + metres / math.cos(math.radians(lat)), lat)
            way.append((lon, lat))
            aside = random.choice(ASIDE_M) * METRE_DEG
            names.append(f"s{number}{at}")
            stops.append(
                (
                    names[-1],
                    random.choice(("", f"站台{at}")),
                    lon + (aside if north else 0),
                    lat + (0 if north else aside),
                    *_asked(random),
                )
            )
        lines += [Line(f"线{number}", names, way), Line(random.choice((f"线{number}", "回")), names[::-1], way[::-1])]
    return lines, stops


def _asked(random: Random) -> tuple[object, ...]:
    return (random.choice(("", "", "", "0", "1")),)


def _clock(ms: int) -> str:
    seconds = ms // 1_000
    return f"{seconds // 3_600}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")


def _write(folder: Path, table: str, header: str, rows: list[tuple[object, ...]]) -> None:
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _calls(random: Random, trip: str, line: Line, departs: int) -> Iterator[tuple[object, ...]]:
    """Stop times of a trip; some in the middle have none, some stops come twice."""
    at = departs
    names = line.stops + (line.stops[:2] if random.random() < 0.1 else [])
    for order, stop in enumerate(names):
        stands = random.choice((0, 0, 0, 10_000, 60_000))
        inner = 0 < order < len(names) - 1
        times = (_clock(at), random.choice(("", _clock(at))) if not stands else _clock(at + stands))
        if inner and random.random() < 0.15:
            times = "", ""
        yield trip, order * 2, stop, *times, random.choice(("", "", "", "1")) if inner else ""
        at += stands + random.choice((0, 60_000, 61_000, 90_000, 120_000))


def write_timetable(folder: Path, random: Random, plates: list[str]) -> dict[str, Plan]:
    """Write stops, trips, stop times and duties; tell what each vehicle is to do."""
    lines, stops = lines_of(random)
    plans = {plate: Plan([]) for plate in plates}
    trips, times, duties = list[tuple[object, ...]](), list[tuple[object, ...]](), list[tuple[object, ...]]()
    begin = random.choice((1, 5, 8, 8, 21, 22)) * HOUR_MS
    for at, plate in enumerate(plates):
        clock, end = begin + at * random.choice((240_000, 300_000)), begin + random.choice((1, 3, 5)) * HOUR_MS
        side = random.choice((0, 2))
        while clock < end:
            name, line = f"t{len(trips)}", lines[side]
            calls = list(_calls(random, name, line, clock))
            times += calls
            block = random.choice(("", "", f"b{at}"))
            run = ("", "") if block else (plate, random.choice(("", 2)))
            rest = random.choice(
                (("", "", ""), ("", "", ""), ("1234", "", ""), ("67", "2026-03-02", ""), ("1", "", "20260302"))
            )
            since = str(START_MS + random.randrange(0, DAY_MS, 60_000))
            span = random.choice((("", ""),) * 6 + ((since, ""), ("", since), ("2026-03-02", "2026-03-02")))
            trips.append((name, line.id, block, *run, *rest, *span))
            plans[plate].trips.append((START_MS + clock, line.way))
            side ^= 1
            clock += random.choice((360_000, 480_000, 600_000, 900_000, 3_600_000))
        split = str(START_MS + begin + HOUR_MS) if random.random() < 0.3 else ""
        duties.append((plate, 2, f"b{at}", "", split))
        if split:
            duties.append((random.choice(plates), "", f"b{at}", split, ""))
    shuffled = random.sample(trips, len(trips))
    _write(folder, "stops", "stop,name,lon,lat,request", stops)
    _write(folder, "stop_times", "trip,order,stop,arrives,departs,request", random.sample(times, len(times)))
    columns = "trip,route,block,plate,plate_color,days,also,except,valid_from,valid_to"
    if random.random() < 0.95:
        _write(folder, "trips", columns, shuffled)
    _write(folder, "duties", "plate,plate_color,block,valid_from,valid_to", duties)
    return plans


def write_stations(folder: Path, random: Random, plans: dict[str, Plan]) -> None:
    """Add stations to the fences, at the ends of lines, and records of leaving them."""
    path = folder / "fences.geojson"
    collection = json.loads(path.read_text(encoding="utf-8"))
    ends = sorted({end for plan in plans.values() for _, way in plan.trips for end in (way[0], way[-1])})
    for number, (lon, lat) in enumerate(ends):
        for _ in range(random.choice((0, 1, 1, 2))):
            half = random.choice((30, 100, 300)) * METRE_DEG
            west, south = lon - half + random.choice((0, half / 2)), lat - half
            ring = [
                [west, south],
                [west + 2 * half, south],
                [west + 2 * half, south + 2 * half],
                [west, south + 2 * half],
            ]
            moment = str(START_MS + random.randrange(0, DAY_MS, 1_000))
            span = random.choice((("", ""), ("", ""), ("", ""), (moment, ""), ("", moment)))
            classes = random.choice(("", "", "LB", "B"))
            properties: dict[str, object] = {"id": f"站{number % 3}", "kind": "station", "classes": classes}
            properties |= {"valid_from": span[0], "valid_to": span[1], "limit_kmh": random.choice((None, 30, 40))}
            geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
            collection["features"].append({"type": "Feature", "properties": properties, "geometry": geometry})
    path.write_text(json.dumps(collection), encoding="utf-8")
    rows = list[tuple[object, ...]]()
    for plate, plan in plans.items():
        for departs, _ in plan.trips:
            since = departs + random.choice((-7_300_000, -600_000, 0, 60_000, 1_200_000))
            if random.random() < 0.3:
                rows.append(
                    (plate, random.choice(("", 2)), f"站{random.randrange(4)}", random.choice((since, since, "")), "")
                )
    _write(folder, "exits", "plate,plate_color,station,valid_from,valid_to", rows)


def write_permits(folder: Path, random: Random, plates: list[str]) -> None:
    """Orders and detours within the stream."""
    rows = list[tuple[object, ...]]()
    for plate in plates:
        for permit in ("dispatch", "detour", "relay"):
            if random.random() < 0.3:
                since = START_MS + random.randrange(0, DAY_MS, 1_000)
                rows.append((plate, 2, permit, since, since + random.choice((60_000, HOUR_MS, 8 * HOUR_MS))))
    _write(folder, "permits", "plate,plate_color,permit,valid_from,valid_to", rows)


def write_exemptions(folder: Path, random: Random, plates: list[str]) -> None:
    """Some vehicles, or all in a station, are exempt for a while."""
    rows = list[tuple[object, ...]]()
    for kind in ("V23", "V32", "V33", "V34"):
        if random.random() < 0.2:
            since = START_MS + random.randrange(0, DAY_MS, 1_000)
            until = since + random.choice((60_000, HOUR_MS, DAY_MS))
            whom = random.choice(((plates[0], 2, ""), (plates[1], "", "站1"), ("", "", "站0")))
            rows.append((kind, "令", *whom, since, until))
    _write(folder, "exemptions", "kind,reason,plate,plate_color,fence,valid_from,valid_to", rows)


def write_vehicles(folder: Path, random: Random, plates: list[str]) -> None:
    """Buses and coaches, some with two rows."""
    rows = list[tuple[object, ...]]()
    for plate in plates:
        letter, party = random.choice("BBBBLLL"), (random.choice(("甲", "乙")), random.choice(("652301", "")))
        moment = str(START_MS + random.randrange(0, DAY_MS, 1_000))
        first, second = random.choice(((("", ""), None),) * 5 + ((("", moment), (moment, "")), (("", moment), None)))
        rows.append((plate, 2, letter, *party, *first))
        if second is not None:
            rows.append((plate, 2, random.choice("BLLCF"), *party, *second))
    _write(folder, "vehicles", "plate,plate_color,class,company,county,valid_from,valid_to", rows)


class Bus(Drive):
    """A vehicle on its trips: early, late or never, halting at stops or not; now and then it goes where it likes."""

    def __init__(self, random: Random, plate: str, plan: Plan) -> None:
        super().__init__(random, plate)
        self.trips = [trip for trip in plan.trips if random.random() < 0.85]
        self.delay = random.choice((-120_000, -30_000, 0, 0, 60_000, 700_000, 1_200_000))
        self.pace = random.choice((STEPS_S, (5,), (10,), (1, 5, 10)))
        self.halts = random.choice((0.1, 0.5, 0.9))
        self.target: list[Point] = []
        self.stands = 0
        self.free = 0
        self.speed = 0.0
        if self.trips:
            self.time_ms = self.trips[0][0] - random.choice((60_000, 600_000, 3_000_000))
            self.lon, self.lat = self.trips[0][1][0]

    def step(self) -> dict[str, object]:
        """Move on and report."""
        random = self.random
        if self.free or not (self.target or self.trips):
            self.free = max(0, self.free - 1)
            self.lon += random.random() / 1e7  # off half decimetres, where the last bit of a sine decides
            return super().step()
        if random.random() < 0.003:
            self.free = random.choice((3, 10, 40))
        step_s = random.choice(self.pace)
        if not self.target:
            departs, way = self.trips[0]
            start = departs + self.delay + random.choice((0, 0, 5_000, -60_000))
            if self.time_ms < start:
                left = (start - self.time_ms) // 1_000
                step_s = min(max(1, left), random.choice((10, 30, 60, 60, 200, 1_800)))
                return self.report(step_s, random.choice((0, 0, 0, 4.9, 5, 6)))
            self.trips.pop(0)
            self.lon, self.lat = way[0] if random.random() < 0.9 else (self.lon, self.lat)
            self.target = list(way[1:]) if random.random() < 0.97 else []
            if random.random() < 0.1:
                self.target = self.target[::-1]
            fix = self.report(step_s, 20)
            self.time_ms += random.choice((0,) * 5 + (400_000,))  # unheard while it sets off
            return fix
        if self.stands > 0:
            self.stands -= step_s
            return self.report(step_s, random.choice((0, 0, 0, 4.9, 5)))
        return self.drive(step_s, random.choice((20, 30, 36, 36, 40, 50)))

    def drive(self, step_s: int, kmh: float) -> dict[str, object]:
        """Towards the next stop, or a halt on the way."""
        random = self.random
        metres = kmh / 3.6 * step_s
        while self.target and metres > 0:
            lon, lat = self.target[0]
            across = math.cos(math.radians(lat))
            away = math.hypot((lon - self.lon) * across, lat - self.lat) / METRE_DEG
            if away > metres:
                self.lon += (lon - self.lon) * metres / away
                self.lat += (lat - self.lat) * metres / away
                break
            self.lon, self.lat = lon, lat
            self.target.pop(0)
            metres -= away
            if random.random() < self.halts:
                self.stands = random.choice((4, 5, 6, 10, 20, 300))
                kmh = random.choice((0, 0, 4.9, 10))
                break
        return self.report(step_s, kmh if random.random() < 0.95 else random.choice((0, 4.9, 5, 60)))

    def report(self, step_s: int, kmh: float) -> dict[str, object]:
        """The fix, time having gone on."""
        random = self.random
        self.time_ms += step_s * 1_000
        self.speed = kmh
        status = random.choice((3, 3, 3, 3, 3, 0x2003, 0x20003, 0x40003)) if random.random() < 0.1 else None
        noise = random.choice((0.0, 0.0, 0.0, 8.0)) * METRE_DEG
        fix: dict[str, object] = {"plate": self.plate, "time": self.time_ms, "lon": self.lon, "lat": self.lat + noise}
        return fix | {"speed_kmh": kmh} | ({} if status is None else {"status": status})


class Herald(Drive):
    """An unregistered vehicle that is heard day and night, so that days are whole."""

    def __init__(self, random: Random, plate: str) -> None:
        super().__init__(random, plate)
        self.time_ms = START_MS - random.choice((-3_000_000, 60_000, HOUR_MS))

    def step(self) -> dict[str, object]:
        """An hour at most further on."""
        self.time_ms += self.random.choice((60_000, 300_000, 900_000))
        return {"plate": self.plate, "time": self.time_ms, "lon": 87.5, "lat": 44.5, "speed_kmh": 0}


def write_stream_of_service(folder: Path, seed: int, vehicles: int = 6, fixes: int = 4_000) -> tuple[Path, Path]:
    """Write a random stream: its positions and its registry."""
    random = Random(f"service {seed}")
    plates = [f"P{number}" for number in range(vehicles)]
    registry = folder / "registry"
    write_registry(registry, random, plates)
    write_vehicles(registry, random, plates)
    plans = write_timetable(registry, random, plates)
    write_stations(registry, random, plans)
    write_permits(registry, random, plates)
    write_exemptions(registry, random, plates)
    write_bounds(registry, random, TINY, "BL")
    write_positions(folder / "positions.ndjson", random, plates, fixes, drive=_driver(plans))  # type: ignore[arg-type]
    return folder / "positions.ndjson", registry


def _driver(plans: dict[str, Plan]) -> Callable[[Random, str], Drive]:
    return lambda random, plate: Bus(random, plate, plans[plate]) if plate in plans else Herald(random, plate)
