"""Signs of tampering: a plain reading, record by record, and cuts anywhere."""

import itertools
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.found import Fact, Found
from detectors.tampering import SIGNS
from ingest.batch import MISSING_MS, Batch, no_fixes
from ingest.registry import read_registry
from tests.detectors.rows import facts, joined, values
from tests.plain import interpret
from tests.reading.metric import decimetres, jumps

START_MS = 1_772_409_600_000
LETTERS = "LHT"
P: dict[str, Any] = dict(CATALOGUE["V16"].limits)
BITS = {name: bit for bit, name in SIGNS.items()}


def fixes(seed: int, length: int = 2_500) -> Batch:
    """Vehicles that lose their position, whose recorder disagrees, that freeze, and that are in two places."""
    random = Random(seed)
    rows: list[tuple[int, int, float, float, float, int]] = []
    now, lon, mood = [START_MS] * 3, [87.0] * 3, ["plain"] * 3
    for _ in range(length):
        who = random.randrange(3)
        if random.random() < (0.01 if mood[who] == "twice" else 0.05):
            mood[who] = random.choice(("plain", "blind", "blind", "differ", "frozen", "frozen", "twice", "twice"))
        steps = (30_000, 30_000, 60_000, 100_000, 120_000, 300_000, 300_001)
        now[who] += random.choice((60_000,) * 30 + (300_000,) if mood[who] == "twice" else steps)
        speed = random.choice((0.0, 60.0, 60.0, 80.0))
        recorder = random.choice((speed, speed, float("nan"), speed + 20, speed + 20.1))
        status = random.choice((3, 3, -1, 2))
        if mood[who] == "blind":
            status, recorder = random.choice((1, 1, 1, 1, 1, 1, 0)), random.choice((60.0,) * 9 + (20.0, 20.1))
        if mood[who] == "differ":
            recorder = speed + 25
        if mood[who] == "frozen":
            recorder = random.choice((60.0,) * 30 + (20.0,))
        elif mood[who] != "twice" and random.random() < 0.8:
            lon[who] = round(lon[who] + random.choice((0.0, 0.005, 0.01, 0.2)), 4)
        if lon[who] > 88:
            lon[who] = 87.0
        other = random.choice((*(0.3,) * 20, 0.063)) if mood[who] == "twice" and random.random() < 0.5 else 0.0
        rows.append((who, now[who], lon[who] + other, speed, recorder, status))
    n = len(rows)
    columns: dict[str, Any] = {name: np.full(n, np.nan) for name in no_fixes().columns()}
    columns |= {
        "vehicle": np.array([row[0] for row in rows], np.int32),
        "time_ms": np.array([row[1] for row in rows], np.int64),
        "lon": np.array([row[2] for row in rows]),
        "lat": np.full(n, 44.0),
        "speed_kmh": np.array([row[3] for row in rows]),
        "recorder_speed_kmh": np.array([row[4] for row in rows]),
        "status": np.array([row[5] for row in rows], np.int64),
        "alarm": np.full(n, -1),
        "received_ms": np.full(n, MISSING_MS),
        "backfill": np.zeros(n, np.bool_),
        "driver": np.zeros(n, np.int64),
        "items": np.zeros(n, np.int64),
    }
    return Batch(**columns)


def engine(folder: Path) -> Engine:
    folder.mkdir(exist_ok=True)
    rows = "".join(f"测A0000{at},{letter}\n" for at, letter in enumerate(LETTERS))
    (folder / "vehicles.csv").write_text("plate,class\n" + rows, encoding="utf-8")
    ring = "[[[87.4,43.9],[87.5,43.9],[87.5,44.1],[87.4,44.1],[87.4,43.9]]]"
    (folder / "fences.geojson").write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"A","kind":"coverage_hole"},'
        f'"geometry":{{"type":"Polygon","coordinates":{ring}}}}}]}}',
        encoding="utf-8",
    )
    return Engine(read_registry(folder), {"V16": CATALOGUE["V16"]})


class Reading:
    """One vehicle, by the words of the docstring."""

    def __init__(self, letter: str) -> None:
        self.letter = letter
        self.latest: dict[str, Any] | None = None
        self.runs: dict[str, dict[str, Any]] = {}
        self.blind: tuple[int, float] | None = None
        self.episodes: list[dict[str, Any]] = []

    def sure(self, sign: str, t: int) -> None:
        first, last = self.runs[sign]["first"], self.episodes[-1] if self.episodes else None
        if last is not None and first - last["ends"] <= P["merge_ms"]:
            last["ends"] = max(last["ends"], t)
            last["signs"] |= BITS[sign]
        else:
            assert self.latest is not None
            self.episodes.append(
                {"begins": first, "raised": t, "ends": t, "sign": BITS[sign], "signs": BITS[sign],
                 "lon": self.latest["lon"]}
            )  # fmt: skip

    def take(self, fix: dict[str, Any], verdict: int) -> None:
        if verdict == 0:
            self.accepted(fix)
        elif verdict == 7:
            self.runs.pop("no_position", None)
            self.drift(fix)
        elif verdict == 2:
            self.no_fix(fix)

    def accepted(self, fix: dict[str, Any]) -> None:
        before, self.latest, t = self.latest, fix, fix["t"]
        self.runs.pop("no_position", None)
        for run in self.runs.values():
            run["back"] = True
        if self.letter not in "LCHF":
            self.runs.clear()
            return
        if before is not None and t - before["t"] > P["gap_ms"]:
            for sign in ("speeds_differ", "frozen"):
                self.runs.pop(sign, None)
        if abs(fix["speed"] - fix["recorder"]) > P["differ_kmh"]:
            run = self.runs.setdefault("speeds_differ", {"first": t, "points": 0})
            run["points"] += 1
            if run["points"] >= P["differ_points"] and t - run["first"] >= P["differ_ms"]:
                self.sure("speeds_differ", t)
        else:
            self.runs.pop("speeds_differ", None)
        if fix["recorder"] > P["moving_kmh"]:
            run = self.runs.get("frozen", {})
            if not run or before is None or before["lon"] != fix["lon"]:
                run = self.runs["frozen"] = {"first": t}
            if t - run["first"] >= P["frozen_ms"]:
                self.sure("frozen", t)
        else:
            self.runs.pop("frozen", None)

    def drift(self, fix: dict[str, Any]) -> None:
        assert self.latest is not None
        if self.letter not in "LCHF" or decimetres(self.latest["lon"], 44, fix["lon"], 44) < P["apart_dm"]:
            return
        run, t = self.runs.get("two_places"), fix["t"]
        if run is not None and t - run["last"] <= P["return_ms"]:
            goes_on = not jumps(decimetres(run["lon"], 44, fix["lon"], 44), t - run["last"])
        else:
            goes_on = False
        if run is None or not goes_on:
            run = self.runs["two_places"] = {"first": t, "returns": 0}
        elif run["back"]:
            run["returns"] += 1
        run |= {"last": t, "lon": fix["lon"], "back": False}
        if run.get("sure") or (run["returns"] >= P["return_points"] and t - run["first"] >= P["twice_ms"]):
            run["sure"] = True
            self.sure("two_places", t)

    def no_fix(self, fix: dict[str, Any]) -> None:
        if self.latest is None or self.letter not in "LCHF" or 87.4 <= self.latest["lon"] <= 87.5:
            return
        run, t = self.runs.get("no_position"), fix["t"]
        if run is not None and t <= run["last"]:
            return
        if run is not None and t - run["last"] > P["gap_ms"]:
            run = None
        if not (fix["status"] & 1 and fix["recorder"] > P["moving_kmh"]):
            self.runs.pop("no_position", None)
            return
        if run is None:
            run = {"first": t, "tested": False, "sure": False}
        run["last"] = t
        self.runs["no_position"] = run
        if t - run["first"] > P["blind_ms"] and not run["tested"]:
            run["tested"] = True
            if self.blind is not None:
                first, lon = self.blind
                near = run["first"] - first <= P["repeat_ms"]
                run["sure"] = near and decimetres(lon, 44, self.latest["lon"], 44) >= P["away_dm"]
            self.blind = run["first"], self.latest["lon"]
        if run["sure"]:
            self.sure("no_position", t)


def plain(batch: Batch, verdict: list[int]) -> list[tuple[Any, ...]]:
    vehicles = [Reading(letter) for letter in LETTERS]
    names = {"t": "time_ms", "lon": "lon", "speed": "speed_kmh", "recorder": "recorder_speed_kmh", "status": "status"}
    for row, said in enumerate(verdict):
        fix = {short: getattr(batch, name)[row].item() for short, name in names.items()}
        vehicles[int(batch.vehicle[row])].take(fix, said)
    return [(who, *one.values()) for who, vehicle in enumerate(vehicles) for one in vehicle.episodes]


def shown(found: Found) -> list[tuple[Any, ...]]:
    names = found.dtype.names or ()
    rows = [dict(zip([name for name in names if name != "fact"], row, strict=True)) for row in values(found)]
    assert all(row["severity"] == 2 and row["lead"] == 1 for row in rows)
    wanted = ("vehicle", "begins_ms", "raised_ms", "ends_ms", "sign", "signs", "lon")
    return [tuple(row[name] for name in wanted) for row in rows]


@pytest.mark.parametrize("seed", range(10))
def test_signs_are_what_the_plain_reading_says(tmp_path: Path, seed: int) -> None:
    batch = fixes(seed)
    result = engine(tmp_path).detect(batch)
    found = result.found["V16"]
    assert shown(found) == plain(batch, result.verdict.tolist())
    random = Random(seed)
    for size in (1, 5, 60, len(batch)):
        cuts = sorted({0, len(batch), *random.choices(range(len(batch)), k=size)})
        other = engine(tmp_path)
        parts = [other.detect(batch.take(slice(a, b))).found["V16"] for a, b in itertools.pairwise(cuts)]
        again = joined(parts)
        assert shown(again) == shown(found), cuts
        assert by_vehicle(again) == by_vehicle(found), cuts


def by_vehicle(found: Found) -> list[Any]:
    rows = facts(found)
    found = rows[np.argsort(rows["vehicle"], kind="stable")]
    return list(found.tolist())


def test_all_signs_are_met_and_episodes_end_once(tmp_path: Path) -> None:
    met, ended, raised = set(), 0, 0
    for seed in range(10):
        found = engine(tmp_path).detect(fixes(seed)).found["V16"]
        met |= {SIGNS[int(row["sign"])] for row in found}
        ended += int((found["fact"] == Fact.ENDED).sum())
        raised += int((found["fact"] == Fact.RAISED).sum())
    assert met == set(SIGNS.values())
    assert raised - 3 * 10 <= ended <= raised


def test_the_kernel_as_plain_python_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = engine(tmp_path).detect(fixes(3, 500)).found["V16"]
    interpret(monkeypatch)
    assert engine(tmp_path).detect(fixes(3, 500)).found["V16"].tolist() == compiled.tolist()
