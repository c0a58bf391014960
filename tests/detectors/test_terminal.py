"""V35-V45 over random streams of what terminals tell, against the reading of their rules fix by fix."""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.found import Found
from detectors.kind import Kind
from ingest import gate, items
from ingest.batch import MISSING_MS, Batch, no_fixes
from ingest.items import bits, one
from ingest.registry import read_registry
from tests.detectors.rows import facts, joined, latest
from tests.detectors.terminal_reading import Codes, Episode, Fix, clusters, lasting, towed
from tests.plain import interpret

KINDS = {code: CATALOGUE[code] for code in CATALOGUE if code >= "V35"}
CLASSES = "LHCLHC"
T = 1_772_409_600_000
ALARMS = [
    one("dsm", 1), one("dsm", 1, 2), one("dsm", 2), one("dsm", 3), one("dsm", 4), one("dsm", 6, 2), one("dsm", 7),
    one("dsm", 8), bits("abnormal", 0), bits("abnormal", 1), bits("abnormal", 2), one("adas", 1, 2), one("adas", 3, 2),
    one("adas", 2), one("bsd", 1), one("harsh", 1), one("harsh", 2), one("harsh", 6), bits("video_alarm", 0),
    bits("video_alarm", 1), bits("video_alarm", 4), items.pack({"passengers": [50]}, 1)[0],
    items.pack({"passengers": [60]}, 1)[0],
]  # fmt: skip
BITS = [1 << bit for bit in (4, 5, 7, 8, 8, 11, 26, 27, 28, 31, 0, 29)]


def stream(seed: int, fixes: int = 1_200) -> Batch:
    """Vehicles in moods: what they tell comes, lasts, in some streams for days, and goes; or they are silent."""
    random, slow = Random(seed), seed % 3 == 0
    n = len(CLASSES)
    now = [T + who for who in range(n)]
    lon, status, speed = [87.0 + who / 10 for who in range(n)], [3] * n, [60.0] * n
    told, alarm = [0] * n, [0] * n
    rows: list[tuple[Any, ...]] = []
    for _ in range(fixes):
        who = random.randrange(n)
        calm = random.random() < 0.6
        step = random.choice((10, 20, 30, 60, 60, 120, 180)) if calm else random.choice((60, 299, 300, 301, 601, 900))
        if random.random() < (0.04 if slow else 0.01):
            step = random.choice((7, 13, 25)) * 3_600
        now[who] += step * 1000
        if random.random() < 0.3:
            speed[who] = random.choice((0.0, 0.0, 4.9, 5.0, 10.0, 10.1, 19.9, 20.0, 29.9, 30.0, 60.0, 80.0))
        if random.random() < 0.08:
            status[who] = random.choice((3, 3, 2, 2, 0x2003, 0x20003, -1))
        if random.random() < (0.1 if slow else 0.35):
            told[who] = random.choice((0, 0, *ALARMS)) | random.choice((0, 0, 0, *ALARMS))
        if random.random() < (0.03 if slow else 0.15):
            alarm[who] = random.choice((0, 0, 0, -1, *BITS))
        lon[who] += random.choice((0.0, 1.0, 1.0)) * speed[who] / 3.6 * min(step, 600) / 80_000
        rows.append((who, now[who], lon[who], speed[who], status[who], alarm[who], told[who]))
    columns: dict[str, Any] = {name: np.full(len(rows), np.nan) for name in no_fixes().columns()}
    names = ("vehicle", "time_ms", "lon", "speed_kmh", "status", "alarm", "items")
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        columns[name] = np.array(column, no_fixes().columns()[name].dtype)
    columns |= {
        "lat": np.full(len(rows), 44.0),
        "received_ms": np.full(len(rows), MISSING_MS),
        "backfill": np.zeros(len(rows), np.bool_),
        "driver": np.zeros(len(rows), np.int64),
    }
    return Batch(**columns)


def engine(folder: Path, kinds: Mapping[str, Kind] = KINDS) -> Engine:
    folder.mkdir(exist_ok=True)
    lines = [f"测{who},{letter},{45 if who % 2 else 0}" for who, letter in enumerate(CLASSES)]
    (folder / "vehicles.csv").write_text("\n".join(["plate,class,seats", *lines]) + "\n", encoding="utf-8")
    return Engine(read_registry(folder), kinds)


def judge(folder: Path, batch: Batch, cuts: list[int], kinds: Mapping[str, Kind] = KINDS) -> dict[str, Found]:
    judged = engine(folder, kinds)
    parts = [judged.detect(batch.take(slice(*span))).found for span in itertools.pairwise([0, *cuts, len(batch)])]
    return {code: joined([part[code] for part in parts]) for code in KINDS}


def accepted(batch: Batch) -> dict[int, list[Fix]]:
    """What the gate lets through, by vehicle."""
    rows, _ = gate.gate(batch, np.zeros(len(CLASSES), gate.STATE))
    names = (
        "time_ms",
        "dt_ms",
        "distance_dm",
        "jump",
        "lon",
        "lat",
        "speed_kmh",
        "before_speed_kmh",
        "alarm",
        "status",
    )
    columns = [getattr(rows, name).tolist() for name in (*names, "items")]
    found: dict[int, list[Fix]] = {}
    for who, *values in zip(rows.vehicle.tolist(), *columns, strict=True):
        found.setdefault(who, []).append(Fix(*values))
    return found


def of_items(*masks: int) -> Codes:
    return lambda fix: {1 << at for at, mask in enumerate(masks) if fix.items & mask}


def of_alarm(*masks: int) -> Codes:
    return lambda fix: {1 << at for at, mask in enumerate(masks) if fix.alarm > 0 and fix.alarm & mask}


def at_speed(codes: Codes, least: float) -> Codes:
    return lambda fix: codes(fix) if fix.speed >= least else set()


def crowded(seats: int) -> Codes:
    def codes(fix: Fix) -> set[int]:
        people = (fix.items >> 54) - 1
        return of_items(bits("video_alarm", 4))(fix) | ({2} if 0 < seats < people else set())

    return codes


def drowsy(fix: Fix) -> set[int]:
    first, second = bits("dsm", 1) | bits("abnormal", 0), bits("dsm", 1, least=2)
    return {2} if fix.items & second else ({1} if fix.items & first else set())


def doors(fix: Fix) -> set[int]:
    told = {1} if fix.status > 0 and fix.status & 0x3E000 else set()
    return (told | ({2} if fix.alarm > 0 and fix.alarm >> 31 else set())) if fix.speed > 10 else set()


def read(code: str, who: int, fixes: list[Fix]) -> list[Episode]:
    """What the second reading finds of a kind; severities of V35 by its grade are left to its examples."""
    p: dict[str, Any] = dict(KINDS[code].limits)
    letter = CLASSES[who]
    if letter not in KINDS[code].classes:
        return []
    if code == "V35":
        return lasting(fixes, crowded(45 if who % 2 else 0), 3, p)
    if code == "V36":
        return lasting(fixes, doors, 3, p)
    if code == "V37":
        codes = at_speed(of_items(bits("dsm", 2) | bits("abnormal", 1)), 30.0)
        return clusters(fixes, codes, lambda _: 2, p)
    if code == "V38":
        codes = of_items(bits("dsm", 3) | bits("abnormal", 2))
        return clusters(fixes, codes, lambda _: 4 if letter == "H" else 1, p)
    if code == "V39":
        return clusters(fixes, drowsy, lambda _: 3, p, alone=(2,))
    if code == "V40":
        codes = of_items(*(bits("dsm", type_) for type_ in (4, 5, 6, 7, 8)))
        return clusters(fixes, codes, lambda one: 3 if one == 4 else 2, p)
    if code == "V41":
        codes = of_items(*(bits("adas", type_, least=2) for type_ in (1, 2, 3, 4)), bits("bsd", 1, 2, 3))
        return clusters(fixes, codes, lambda _: 2, p)
    if code == "V42":
        return clusters(fixes, of_items(*(bits("harsh", type_) for type_ in range(1, 8))), lambda _: 2, p)
    if code == "V43":
        return lasting(fixes, of_items(bits("video_alarm", 0), bits("video_alarm", 1)), 2, p)
    if code == "V44":
        return lasting(
            fixes, of_alarm(1 << 4, 3 << 5, 1 << 7, 1 << 8, 15 << 9), 1, p, watched=8,
            sudden=lambda fix: max(fix.speed, fix.before_speed) >= 20,
        )  # fmt: skip
    displaced, by_bits = towed(fixes, p), of_alarm(1 << 26, 1 << 27, 1 << 28)
    codes = lambda fix: by_bits(fix) | ({8} if fix.time in displaced else set())  # noqa: E731
    return clusters(fixes, codes, lambda _: 3, p, doubtful=(8,))


def plain(batch: Batch) -> dict[str, list[tuple[object, ...]]]:
    own = accepted(batch)
    return {code: [(who, *one.told()) for who in sorted(own) for one in read(code, who, own[who])] for code in KINDS}


def as_plain(code: str, found: Found) -> list[tuple[object, ...]]:
    """Episodes as the second reading tells them."""
    rows = latest(found)
    counted = "alarms" in (found.dtype.names or ())
    return [
        (
            *(int(row[name]) for name in ("vehicle", "begins_ms", "raised_ms", "ends_ms")),
            3 if code == "V35" else int(row["severity"]),
            bool(row["lead"]),
            int(row["codes"]),
            int(row["alarms"]) if counted else 0,
        )
        for row in rows
    ]


@pytest.mark.parametrize("seed", range(12))
def test_kinds_of_terminals_are_as_they_are_read(tmp_path: Path, seed: int) -> None:
    batch = stream(seed)
    found = judge(tmp_path, batch, [])
    for code, expected in plain(batch).items():
        assert as_plain(code, found[code]) == expected, code


def test_the_streams_reach_every_branch() -> None:
    seen: Counter[tuple[object, ...]] = Counter()
    for seed in range(12):
        for code, episodes in plain(stream(seed)).items():
            for _, _, _, _, severity, lead, codes, _ in episodes:
                seen[code, severity, lead] += 1
                seen[code, "sudden", bool(int(str(codes)) & 32)] += 1
                seen[code, "long", bool(int(str(codes)) & 64)] += 1
                seen[code, "repeated", bool(int(str(codes)) & 128)] += 1
    wanted: list[tuple[object, ...]] = [
        ("V35", 3, False), ("V36", 3, False), ("V37", 2, False), ("V38", 1, False), ("V38", 4, False),
        ("V39", 3, False), ("V40", 2, False), ("V40", 3, False), ("V41", 2, False), ("V42", 2, False),
        ("V43", 2, False), ("V43", "repeated", True), ("V44", 1, False), ("V44", 3, False), ("V44", "sudden", True),
        ("V44", "long", True), ("V45", 2, True), ("V45", 3, False),
    ]  # fmt: skip
    assert not [one for one in wanted if seen[one] < 3], seen


@pytest.mark.parametrize("seed", range(6))
def test_facts_do_not_depend_on_cuts(tmp_path: Path, seed: int) -> None:
    batch = stream(seed, 500)
    n, random = len(batch), Random(seed)
    whole = judge(tmp_path, batch, [])
    patterns = [sorted(random.choices(range(n + 1), k=k)) for k in (1, 2, 9, 60)] + [list(range(0, n, 7))]
    for cuts in patterns:
        parts = judge(tmp_path, batch, cuts)
        for code in KINDS:
            expected, got = (facts(found[code]) for found in (whole, parts))
            order = [np.argsort(rows["vehicle"], kind="stable") for rows in (expected, got)]
            assert got[order[1]].tolist() == expected[order[0]].tolist(), (code, cuts)
            assert as_plain(code, parts[code]) == as_plain(code, whole[code])


def test_only_those_who_tell_something_are_judged_and_it_makes_no_difference(tmp_path: Path) -> None:
    batch = stream(1)
    cuts = list(range(0, len(batch), 11))
    always = {code: replace(kind, wakes=None) for code, kind in KINDS.items()}
    assert all(kind.wakes for kind in KINDS.values())
    woken, whole = (judge(tmp_path, batch, cuts, kinds) for kinds in (KINDS, always))
    for code in KINDS:
        assert woken[code].tolist() == whole[code].tolist() != [], code


def test_an_exemption_counts_every_fix_also_of_those_who_tell_nothing(tmp_path: Path) -> None:
    batch = stream(1, 300)
    engine(tmp_path)
    rows = "kind,reason,number,class,valid_to\nV42,演练,X-1,L,2030-01-01\n"
    (tmp_path / "exemptions.csv").write_text(rows, encoding="utf-8")
    judged = Engine(read_registry(tmp_path), KINDS).detect(batch)
    own = sum(len(fixes) for who, fixes in accepted(batch).items() if CLASSES[who] == "L")
    assert judged.exempted == {("V42", "X-1"): own}
    assert not set(judged.found["V42"]["vehicle"].tolist()) & {0, 3}


def test_kernels_run_by_the_interpreter_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stream(3, 700)
    compiled = {code: rows.tolist() for code, rows in judge(tmp_path, batch, [300]).items()}
    interpret(monkeypatch)
    assert {code: rows.tolist() for code, rows in judge(tmp_path, batch, [300]).items()} == compiled


def test_nothing_is_remembered_of_those_who_are_well_again(tmp_path: Path) -> None:
    batch = stream(5, 400)
    judged = engine(tmp_path)
    judged.detect(batch)
    last = int(batch.time_ms.max())
    calm = batch.take(np.repeat(np.arange(len(CLASSES)), 20))
    later = last + 90_000_000 + 60_000 * np.tile(np.arange(20), len(CLASSES))
    well = {"items": 0, "alarm": 0, "status": 3, "speed_kmh": 0.0, "lon": 87.0}
    columns = calm.columns() | {name: np.full_like(getattr(calm, name), value) for name, value in well.items()}
    columns |= {"vehicle": np.repeat(np.arange(len(CLASSES), dtype=np.int32), 20), "time_ms": later}
    judged.detect(Batch(**columns))
    week = columns | {"time_ms": later + 8 * 86_400_000}
    judged.detect(Batch(**week))
    for code in KINDS:
        assert not judged.states[code].view(np.uint8).any(), code
