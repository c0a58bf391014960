"""Random streams under papers: sheets, waybills, documents, crews, loads, many of them ending on the way."""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from random import Random

from ingest.papers import DOCUMENTS
from tests.reading.values import BEIJING
from tests.streams import START_MS, Drive, write_positions, write_registry

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
DRIVERS = ("甲一", "乙二", "丙三", "丁四", "戊五", "己六", "庚七")
STATUSES = ("suspended", "deregistered", "transferred", "unlicensed")
TINY: dict[str, dict[str, tuple[float, ...]]] = {
    "V26": {"open_dm": (0, 90_000), "second_dm": (0, 40_000), "share_percent": (0, 60), "gap_ms": (10_000, 400_000)},
    "V27": {"open_dm": (0, 40_000), "second_dm": (0, 30_000), "stand_kmh": (1.0, 5.0, 20.0), "drive_kmh": (0, 4.9, 33)},
    "V28": {"open_dm": (0, 90_000), "open_ms": (0, 900_000), "drive_kmh": (0, 5.1, 40), "gap_ms": (10_000, 90_000)},
    "V29": {"open_dm": (0, 60_000), "severe_days": (0, 1), "warn_days": (0, 2), "gap_ms": (30_000, 400_000)},
    "V30": {"open_dm": (0, 60_000), "open_ms": (0, 900_000), "warn_days": (0, 2), "drive_kmh": (3.0, 5.0, 60.0)},
    "V31": {"open_ms": (0, 200_000), "second_ms": (0, 400_000), "drive_kmh": (0, 5, 20), "gap_ms": (10_000, 600_000)},
    "V09": {"open_ms": (0, 200_000), "open_dm": (0, 50_000), "severe_ms": (0, 400_000)},
}
VEHICLE = "plate,plate_color"


class LadenDrive(Drive):
    """A drive that carries cards, and says now and then what it has loaded."""

    def __init__(self, random: Random, plate: str) -> None:
        super().__init__(random, plate)
        self.cards = random.choice((0.0, 0.02, 0.2))
        self.tells = random.choice((0.0, 0.0, 0.0, 0.02, 0.3))
        self.load = random.choice((0, 1, 2, 3))
        self.crew = random.choice((3, 3, 7))

    def step(self) -> dict[str, object]:
        """Move on and report."""
        random, fix = self.random, super().step()
        if random.random() < self.cards:
            self.driver = random.choice((None, *DRIVERS[: self.crew]))
        if random.random() < 0.03:
            self.load = random.choice((0, 1, 2, 3))
        if random.random() < self.tells:
            fix["status"] = 2 | self.load << 8 | random.choice((0, 1, 1 << 10))
        if random.random() < 0.01:
            self.time_ms += random.choice((2, 5)) * HOUR_MS
        return fix | {"driver": self.driver}


class ManyHands(LadenDrive):
    """A vehicle that seven drive by turns."""

    def __init__(self, random: Random, plate: str) -> None:
        super().__init__(random, plate)
        self.cards, self.crew = 0.3, len(DRIVERS)


def _date(random: Random, ms: int) -> str:
    """The bare date of a moment; as `valid_from` it begins before it, as `valid_to` it ends after it."""
    return f"{datetime.fromtimestamp(ms / 1_000, BEIJING):{random.choice(('%Y-%m-%d', '%Y%m%d'))}}"


def _spans(random: Random, most: int, ends: bool = False) -> Iterator[tuple[str, str]]:
    """Validities that begin or end within the stream, or long before it; they may overlap."""
    for _ in range(random.randrange(most + 1)):
        begin = START_MS + random.randrange(-DAY_MS, 2 * DAY_MS, 1_000)
        end = begin + random.choice((1, 60_000, HOUR_MS, 4 * HOUR_MS, DAY_MS, 40 * DAY_MS))
        opened = random.choice((str(begin), str(begin), _date(random, begin), ""))
        yield opened, random.choice((str(end), str(end), _date(random, end), str(end) if ends else ""))


def _chain(random: Random, most: int) -> Iterator[tuple[str, str]]:
    """Validities one after the other: some follow at once, some lapse, the last may have no end."""
    at = START_MS + random.choice((-40 * DAY_MS, -2 * DAY_MS, -HOUR_MS, 5 * HOUR_MS))
    count = random.randrange(most + 1)
    for number in range(count):
        end = at + random.choice((60_000, HOUR_MS, 3 * HOUR_MS, 9 * HOUR_MS, DAY_MS, 8 * DAY_MS, 39 * DAY_MS))
        first, last = number == 0, number == count - 1
        yield (
            "" if first and random.random() < 0.2 else str(at),
            "" if last and random.random() < 0.2 else str(end),
        )
        at = end + random.choice((0, 0, 1, 1_000, HOUR_MS))


def _write(folder: Path, table: str, header: str, rows: Sequence[tuple[object, ...]]) -> None:
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*header.split(","), "valid_from", "valid_to"))
        writer.writerows(rows)


def _counties(random: Random) -> str:
    names = random.choice((("A",), ("A", "B"), ("B", "C"), ("A", "B", "C"), (), ("A", "Z")))
    return random.choice((" ", ",", ";", "、", " , ", "，", "；")).join(names)


def write_papers(folder: Path, random: Random, plates: list[str]) -> None:
    """Write the tables of papers; each of them is sometimes not there, or empty."""
    holders = [*((plate, color) for plate in plates for color in ("", 2)), ("P0", 4), ("无主", 2)]
    tables: dict[str, tuple[str, list[tuple[object, ...]]]] = {
        "waybills": (
            f"{VEHICLE},number",
            [(*who, n, *span) for who in holders for n, span in enumerate(_spans(random, 1, ends=True))],
        ),
        "charters": (
            f"{VEHICLE},number,counties",
            [
                (*who, random.choice(("", f"{n}")), _counties(random), *span)
                for who in holders
                for n, span in enumerate(_spans(random, 3, ends=True))
            ],
        ),
        "roster": (
            f"{VEHICLE},role,staff",
            [
                (*who, random.choice(("driver", "driver", "escort")), random.choice(DRIVERS[:4]), *span)
                for who in holders
                for span in _spans(random, 3)
            ],
        ),
        "status": (
            f"{VEHICLE},status",
            [(p, 2, s, *span) for p in plates for s in random.sample(STATUSES, 2) for span in _chain(random, 1)],
        ),
        "documents": (
            f"{VEHICLE},document,number",
            [
                (p, 2, document, random.choice(("", "证1")), *span)
                for p in plates
                for document in {"inspection": 0, **dict.fromkeys(random.sample(DOCUMENTS, random.randrange(4)))}
                for span in _chain(random, 3)
            ],
        ),
        "permits": (
            f"{VEHICLE},permit",
            [(p, 2, random.choice(("relay", "relay", "detour")), *span) for p in plates for span in _chain(random, 1)],
        ),
        "staff": (
            "staff,role",
            [(one, role, *span) for one in DRIVERS for role in ("driver", "escort") for span in _chain(random, 2)],
        ),
        "qualifications": (
            "staff,qualification,number",
            [
                (one, sort, random.choice(("", f"{sort}7")), *span)
                for one in DRIVERS
                for sort in ("L", "C", "H", "B", "T", "F", "escort")
                for span in _chain(random, 2)
                if random.random() < 0.5
            ],
        ),
    }
    tables["exemptions"] = (
        "kind,reason,plate,class,county,fence",
        [
            (
                random.choice(("V26", "V27", "V28", "V29", "V30", "V31")),
                "试",
                random.choice(plates),
                random.choice(("", "", "CH")),
                random.choice(("", "", "652301")),
                random.choice(("", "A", "S")),
                *span,
            )
            for span in _spans(random, 5, ends=True)
        ],
    )
    for table, (header, rows) in tables.items():
        if random.random() < 0.9:
            _write(folder, table, header, rows if random.random() < 0.9 else [])


def write_ending_papers(folder: Path, random: Random, plates: list[str]) -> None:
    """Let everybody hold everything, by papers that end and are renewed within the stream or soon after it."""

    def chain() -> Iterator[tuple[str, str]]:
        at = START_MS - DAY_MS
        for _ in range(random.randrange(1, 4)):
            end = at + random.choice((DAY_MS + HOUR_MS, 2 * DAY_MS, 2 * DAY_MS + 999, 9 * DAY_MS, 39 * DAY_MS))
            yield str(at), str(end)
            at = end + random.choice((0, 0, 0, 1_000))

    documents = [
        (p, 2, sort, random.choice(("", sort)), *span) for p in plates for sort in DOCUMENTS for span in chain()
    ]
    _write(folder, "documents", f"{VEHICLE},document,number", documents)
    _write(folder, "staff", "staff,role", [(one, "driver", "", "") for one in DRIVERS])
    served = [(one, sort, random.choice(("", sort)), *span) for one in DRIVERS for sort in "LCHBTF" for span in chain()]
    _write(folder, "qualifications", "staff,qualification,number", served)


def write_places(folder: Path, random: Random) -> None:
    """Add counties, shippers and consignees to the fences."""
    path = folder / "fences.geojson"
    collection = json.loads(path.read_text(encoding="utf-8"))
    for kind, names in (("county", "ABAC"), ("shipper", "SS"), ("consignee", "K")):
        for name in names:
            west, south = 87.0 + random.randrange(-2, 8) / 100, 44.0 + random.randrange(-2, 8) / 100
            size = random.choice((2, 5, 9)) / 100
            begin = START_MS + random.randrange(0, DAY_MS, 1_000)
            span = random.choice((("", ""), ("", ""), (str(begin), ""), ("", str(begin))))
            ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size]]
            properties: dict[str, object] = {"id": name, "kind": kind, "classes": random.choice(("", "", "CH", "L"))}
            properties |= {"valid_from": span[0], "valid_to": span[1], "limit_kmh": random.choice((None, None, 30, 40))}
            if kind == "county" and random.random() < 0.1:
                continue
            geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
            collection["features"].append({"type": "Feature", "properties": properties, "geometry": geometry})
    path.write_text(json.dumps(collection), encoding="utf-8")


def write_bounds(
    folder: Path, random: Random, tiny: dict[str, dict[str, tuple[float, ...]]] = TINY, classes: str = "LC"
) -> None:
    """Add tiny parameters, dated, by class, county and company."""
    with (folder / "parameters.csv").open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for group, names in tiny.items() if random.random() < 0.8 else ():
            for name, bounds in names.items():
                for _ in range(random.choice((0, 1, 1, 2))):
                    whole = len(bounds) == 2 and all(isinstance(bound, int) for bound in bounds)
                    value = random.randint(int(bounds[0]), int(bounds[1])) if whole else random.choice(bounds)
                    chosen = [random.choice(some) for some in (("", "", classes), ("", "", "652301"), ("", "甲"))]
                    begin = str(START_MS + random.randrange(0, DAY_MS, 1_000))
                    span = random.choice((("", ""), ("", ""), (begin, ""), ("", begin)))
                    writer.writerow((group, name, value, *chosen, *span))


def more_tankers_and_coaches(folder: Path, random: Random) -> None:
    """Let the first two vehicles carry hazardous goods, mostly, and the third be a charter coach."""
    path = folder / "vehicles.csv"
    letters = random.choice(({"P0,2,": "H", "P2,2,": "C"}, {"P0,2,": "H", "P1,2,": "H", "P2,2,": "C"}, {}))
    lines = path.read_text(encoding="utf-8").splitlines()
    changed = [f"{line[:5]}{letters.get(line[:5], line[5:6])}{line[6:]}" for line in lines]
    path.write_text("".join(f"{line}\n" for line in changed), encoding="utf-8")


def write_stream_of_papers(
    folder: Path, seed: int, vehicles: int = 6, fixes: int = 4_000, ending: bool = False
) -> tuple[Path, Path]:
    """Write a random stream: its positions and its registry."""
    random = Random(f"papers {seed}")
    plates = [f"P{number}" for number in range(vehicles)]
    write_registry(folder / "registry", random, plates)
    more_tankers_and_coaches(folder / "registry", random)
    write_papers(folder / "registry", random, plates)
    if ending:
        write_ending_papers(folder / "registry", random, plates)
    write_places(folder / "registry", random)
    write_bounds(folder / "registry", random)
    write_positions(folder / "positions.ndjson", random, plates, fixes, drive=ManyHands if ending else LadenDrive)
    return folder / "positions.ndjson", folder / "registry"
