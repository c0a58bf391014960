"""Sheets of days, and the kinds that read them, against a plain reading record by record; cuts anywhere."""

import itertools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.days import FLAWS, SHEET
from detectors.engine import Engine
from detectors.found import Found
from ingest.batch import Batch, concat
from ingest.formats import read_positions
from ingest.registry import Registry, read_registry
from ingest.rejects import Rejects
from tests.plain import interpret
from tests.reading import gate
from tests.reading.metric import decimetres, jumps
from tests.reading.positions import Fix, Positions
from tests.streams import write_stream

DAY = 86_400_000
ZONE = 8 * 3_600_000
DAILY = {code: kind for code, kind in CATALOGUE.items() if kind.scope == "day"}


class Judge:
    """A stream on its way through an engine that keeps days."""

    def __init__(self, positions: Path, registry: Path) -> None:
        self.engine = Engine(read_registry(registry), DAILY, daily=True)
        with positions.open("rb") as file:
            parts = read_positions(file, positions.name, self.engine.registry.vehicles, Rejects())
            self.batch: Batch = concat([part.batch for part in parts])

    def feed(self, *cuts: int) -> "Judge":
        for begin, end in itertools.pairwise([0, *sorted(cuts), len(self.batch)]):
            self.engine.detect(self.batch.take(slice(begin, end)))
        return self

    def sheets(self) -> dict[tuple[int, int], dict[str, float]]:
        assert self.engine.days is not None
        rows = self.engine.days.sheets
        return {
            (int(row["vehicle"]), int(row["day_ms"])): {name: row[name].item() for name in SHEET.names or ()}
            for row in rows
        }

    def told(self) -> dict[str, list[Any]]:
        return {code: rows.tolist() for code, rows in self.engine.close().items()}


def flawed(fix: Fix) -> set[str]:
    """What is wrong with a record."""

    def outside(value: float | None, low: float, high: float) -> bool:
        return value is None or not low <= value <= high

    found = set()
    if fix.time is None or (fix.received is not None and fix.time > fix.received + 60_000):
        found.add("time")
    if outside(fix.lon, 73.55, 135.0833) or outside(fix.lat, 3.85, 53.55):
        found.add("place")
    if outside(fix.speed_kmh, 0, 160):
        found.add("speed")
    if fix.heading_deg is not None and outside(fix.heading_deg, 0, 360):
        found.add("heading")
    if fix.altitude_m is not None and outside(fix.altitude_m, -200, 6500):
        found.add("altitude")
    return found


def plain(positions: Path, registry: Registry) -> dict[tuple[int, int], Counter[str]]:
    """Counts of each vehicle and day, as rulebook §2 and §5 have them."""
    gates: dict[int, gate.Gate] = {}
    located: dict[int, gate.Accepted] = {}
    accepted: dict[int, gate.Accepted] = {}
    sheets: dict[tuple[int, int], Counter[str]] = {}
    for fix in Positions(positions):
        who = registry.vehicles.row(fix.plate, fix.plate_color)
        before = located.get(who)
        last = None if before is None else before.t
        moment = next((at for at in (fix.time, fix.received, last) if at is not None), None)
        said = gates.setdefault(who, gate.Gate()).take(fix)
        if moment is None:
            continue
        sheet = sheets.setdefault((who, (moment + ZONE) // DAY * DAY - ZONE), Counter())
        sheet["received"] += 1
        flaws = flawed(fix)
        sheet["unqualified"] += bool(flaws)
        for flaw in flaws:
            sheet[f"{flaw}_flaws"] += 1
        if not isinstance(said, str):
            sheet["accepted"] += 1
            if who in accepted:
                a = accepted[who]
                dm = decimetres(a.lon, a.lat, said.lon, said.lat)
                sheet["driven_dm"] += 0 if jumps(dm, said.t - a.t) else dm
            accepted[who] = said
        if said == gate.DRIFT:
            said = gate.qualified(fix)  # type: ignore[assignment]
        if isinstance(said, gate.Accepted):
            if before is not None:
                dm, dt = decimetres(before.lon, before.lat, said.lon, said.lat), said.t - before.t
                if jumps(dm, dt):
                    sheet["drift"] += 1
                else:
                    sheet["incomplete_dm" if dt > 300_000 and dm > 20_000 else "continuous_dm"] += dm
            located[who] = said
    return sheets


NAMES = ("received", "accepted", "unqualified", "drift", "continuous_dm", "incomplete_dm", "driven_dm",
         *(f"{flaw}_flaws" for flaw in FLAWS))  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_sheets_are_what_the_plain_reading_counts(tmp_path: Path, seed: int) -> None:
    paths = write_stream(tmp_path / "s", seed, vehicles=4, fixes=3_000, dirt=0.2)
    judge = Judge(*paths).feed()
    expected = plain(paths[0], judge.engine.registry)
    found = judge.sheets()
    assert found.keys() == expected.keys()
    for key, counts in expected.items():
        for name in NAMES:  # the readings write the haversine in different ways: now and then one decimetre
            off = abs(found[key][name] - counts[name])
            assert off <= (counts["received"] // 500 + 1 if name.endswith("_dm") else 0), (key, name)
    judge.told()
    whole = judge.sheets(), judge.told()
    random = Random(seed)
    for size in (1, 3, 30):
        cut = Judge(*paths).feed(*random.choices(range(len(judge.batch) + 1), k=size))
        assert cut.told() == whole[1]
        np.testing.assert_equal(cut.sheets(), whole[0])


def test_kinds_of_days_are_what_the_counts_say(tmp_path: Path) -> None:
    every = Counter[str]()
    for seed in range(6):
        paths = write_stream(tmp_path / f"{seed}", seed, vehicles=6, fixes=4_000, dirt=0.25)
        judge = Judge(*paths).feed()
        registry, found, seen = judge.engine.registry, judge.engine.close(), Counter[str]()
        for (who, day_ms), counts in plain(paths[0], registry).items():
            entry = int(registry.entry(np.array([who]), np.array([day_ms + DAY - 1]))[0])
            letter = registry.parties[registry.entries.party[entry]].kind if entry >= 0 else ""
            total, coach = counts["continuous_dm"] + counts["incomplete_dm"], letter in tuple("LCH")
            wanted = {
                "V14": coach and total >= 100_000 and counts["continuous_dm"] < 0.95 * total,
                "V15": coach and counts["drift"] >= 5,
                "V17": letter != "" and counts["received"] >= 20 and counts["unqualified"] > 0.05 * counts["received"],
            }
            for code, expected in wanted.items():
                assert raised(found[code], who, day_ms) == expected, (code, seed, who)
                seen[code] += expected
        assert {code: len(found[code]) for code in seen} == {code: 2 * count for code, count in seen.items()}
        every += seen
    assert set(every) == {"V14", "V15", "V17"}


def raised(found: Found, vehicle: int, day_ms: int) -> bool:
    own = found[(found["vehicle"] == vehicle) & (found["begins_ms"] == day_ms)]
    assert all(own["raised_ms"] == day_ms + DAY)
    assert all(own["ends_ms"] == day_ms + DAY)
    assert own["severity"].tolist() == [1] * len(own)
    return len(own) > 0


def test_the_kernel_as_plain_python_counts_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_stream(tmp_path / "s", 5, vehicles=3, fixes=600, dirt=0.2)
    compiled = Judge(*paths).feed(200).sheets()
    interpret(monkeypatch)
    np.testing.assert_equal(Judge(*paths).feed(200).sheets(), compiled)


def test_a_file_of_a_hundred_thousand_absurd_days_is_closed_in_time(tmp_path: Path) -> None:
    """Days of which one record came cost no more than that record, however many vehicles are registered."""
    rows = "".join(f"测A{at:05},L\n" for at in range(5_000))
    (tmp_path / "vehicles.csv").write_text("plate,class\n" + rows, encoding="utf-8")
    engine = Engine(read_registry(tmp_path), DAILY, daily=True)
    judge = Judge(*write_stream(tmp_path / "s", 1, vehicles=1, fixes=10, dirt=0))
    fixes = judge.batch.take(np.zeros(3_000, np.intp))
    fixes.time_ms[:] = np.arange(3_000) * DAY * 7
    fixes.vehicle[:] = 0
    engine.detect(fixes)
    found: Mapping[str, Found] = engine.close()
    assert not any(len(rows) for rows in found.values())


def test_absence_in_a_row_and_failures_of_the_platform(tmp_path: Path) -> None:
    """A is away from the second to the sixth day, but heard on the fifth; on the fourth of the ten others two are."""
    plates = ["A", *(f"P{at}" for at in range(10))]
    (tmp_path / "vehicles.csv").write_text("plate,class\n" + "".join(f"{one},F\n" for one in plates), "utf-8")
    assigned = "plate,route,valid_from,valid_to\nA,R,,\nP9,R,2026-03-07,\n"
    (tmp_path / "assignments.csv").write_text(assigned, "utf-8")
    first = 1_772_380_800_000
    heard = {"A": (0, 4, 7), "P0": range(8), "P1": range(8)}
    records = []
    for day in range(8):
        for at, plate in enumerate(plates):
            if day in heard.get(plate, [one for one in range(8) if one != 3 and not (plate == "P9" and one >= 5)]):
                for minute in (2, 4, 1_430, 1_432):
                    time_ms = first + day * DAY + minute * 60_000 + at
                    records.append((time_ms, f"{plate},{time_ms},87,44,0"))
    lines = "\n".join(["plate,time,lon,lat,speed_kmh", *(line for _, line in sorted(records))])
    (tmp_path / "positions.csv").write_text(lines, "utf-8")
    found = Judge(tmp_path / "positions.csv", tmp_path).feed(100).engine.close()["V13"][::2]
    days = ((found["begins_ms"] - first) // DAY).tolist()
    rows = list(zip(found["vehicle"].tolist(), days, found["days"].tolist(), found["severity"].tolist(), strict=True))
    assert rows == [(0, 1, 1, 1), (0, 2, 2, 1), (0, 5, 1, 1), (10, 5, 1, 1), (0, 6, 2, 1), (10, 6, 2, 1), (10, 7, 3, 2)]
    assert np.isnan(found["lon"]).all()
