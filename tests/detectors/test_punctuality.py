"""Trips of several vehicles on one route: intervals, and what the closing of a day makes of passages."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.passings import off_way
from detectors.stops import stop_takes_ms
from ingest.batch import Batch, concat, no_fixes
from ingest.moment import parse_ms
from ingest.registry import Registry, read_registry
from tests.drives import METRE_DEG

KIND = CATALOGUE["V33"]
STOPS = 5
"""Stops of the route, 600 m apart; a bus takes a minute from one to the next."""


def registry(folder: Path, *departures: str) -> Registry:
    """Vehicle k runs the trip that departs at the k-th time."""
    plates = [f"测A0000{number}" for number in range(len(departures))]
    lines = {
        "vehicles": ["plate,class", *(f"{plate},B" for plate in plates)],
        "stops": ["stop,lon,lat", *(f"S{at},87.3,{44.0 + at * 600 * METRE_DEG!r}" for at in range(STOPS))],
        "trips": ["trip,route,plate", *(f"T{number},1,{plate}" for number, plate in enumerate(plates))],
        "stop_times": ["trip,order,stop,arrives"],
    }
    for number, departs in enumerate(departures):
        hours, minutes = map(int, departs.split(":"))
        lines["stop_times"] += [f"T{number},{at},S{at},{hours}:{minutes + at:02}" for at in range(STOPS)]
    for name, rows in lines.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return read_registry(folder)


def ms(clock: str) -> int:
    found = parse_ms(f"2026-03-02T{clock}")
    assert found is not None
    return found


def fixes(vehicle: int, time_ms: list[int], metres: list[float], speed_kmh: float) -> Batch:
    n = len(time_ms)
    columns = {name: np.zeros(n, column.dtype) for name, column in no_fixes().columns().items()}
    columns |= {name: np.full(n, np.nan) for name in ("heading_deg", "altitude_m", "recorder_speed_kmh", "mileage_km")}
    columns |= {"alarm": np.full(n, -1), "status": np.full(n, -1), "received_ms": np.array(time_ms)}
    columns |= {
        "vehicle": np.full(n, vehicle, np.int32),
        "time_ms": np.array(time_ms),
        "lon": np.full(n, 87.3),
        "lat": 44.0 + np.array(metres) * METRE_DEG,
        "speed_kmh": np.full(n, speed_kmh),
    }
    return Batch(**columns)


def run(vehicle: int, departs: str) -> Batch:
    """A bus that drives the route at 36 km/h, from 200 m before it to 100 m behind it."""
    metres = [-200.0 + 100.0 * step for step in range(6 * (STOPS - 1) + 4)]
    return fixes(vehicle, [ms(departs) + int(one * 100) for one in metres], metres, 36.0)


def judged(known: Registry, *runs: Batch, cut: int = 0) -> list[tuple[object, ...]]:
    """Trip, what is wrong, at how many calls and by how much, of a day that is whole."""
    engine = Engine(known, {"V33": KIND}, daily=True)
    clocks = ("00:05", "00:06", "23:30", "23:31")
    whole = fixes(known.vehicles.row("他车", 2), [ms(clock) for clock in clocks], [0.0] * 4, 0.0)
    together = concat([*runs, whole])
    together = together.take(np.argsort(together.time_ms, kind="stable"))
    for part in (slice(0, cut), slice(cut, len(together))):
        engine.detect(together.take(part))
    rows = [KIND.measures(row) for row in engine.close()["V33"][::2]]
    return [(row["trip"], row["irregularity"], row["calls"], row["deviation_s"]) for row in rows]


def test_one_behind_another(tmp_path: Path) -> None:
    """Planned ten minutes apart, they come two minutes, exactly two and a half, and three apart."""
    known = registry(tmp_path, "08:00", "08:10")
    first, late = run(0, "08:08:10"), "bunching"
    assert judged(known, first, run(1, "08:10:10")) == [("T1", late, 4, 480.0)]
    assert judged(known, first, run(1, "08:10:39")) == [("T1", late, 4, 451.0)]
    assert judged(known, first, run(1, "08:10:40")) == []


def test_one_far_behind_another(tmp_path: Path) -> None:
    known = registry(tmp_path, "08:00", "08:05")
    assert judged(known, run(0, "08:00:10"), run(1, "08:10:10")) == []
    assert judged(known, run(0, "08:00:10"), run(1, "08:10:11")) == [("T1", "gap", 4, 301.0)]


def test_intervals_that_do_not_count(tmp_path: Path) -> None:
    known = registry(tmp_path, "08:00", "08:03")
    assert judged(known, run(0, "08:03:00"), run(1, "08:03:20")) == []
    known = registry(tmp_path, "08:00", "08:10", "08:20")
    assert judged(known, run(0, "08:00:10"), run(2, "08:29:00")) == [], "the trip between them was not run"


def test_cuts_do_not_matter(tmp_path: Path) -> None:
    known = registry(tmp_path, "08:00", "08:10")
    runs = run(0, "08:11:30"), run(1, "08:07:00")
    expected = judged(known, *runs)
    assert [row[:2] for row in expected] == [("T0", "late"), ("T1", "early")]
    random = Random(33)
    for cut in [random.randrange(1, 60) for _ in range(10)]:
        assert judged(registry(tmp_path, "08:00", "08:10"), *runs, cut=cut) == expected, cut


def test_a_stop_beside_a_way() -> None:
    """Three metres east of a way of 100 m to the north, at a quarter of it."""
    north = 44.0 + 100 * METRE_DEG
    lon = 87.3 + 3 * METRE_DEG / np.cos(np.radians(44.0 + 25 * METRE_DEG))
    off_m, share = off_way(lon, 44.0 + 25 * METRE_DEG, 87.3, 44.0, 87.3, north)
    assert [off_m, share] == pytest.approx([3.0, 0.25], abs=1e-6)
    off_m, share = off_way(87.3, 44.0 - 50 * METRE_DEG, 87.3, 44.0, 87.3, north)
    assert [off_m, share] == pytest.approx([50.0, -0.5], abs=1e-6)
    assert off_way(87.3, 44.0, 87.3, 44.0, 87.3, 44.0) == (0.0, 0.0)


def test_how_long_a_stop_takes() -> None:
    """From 36 km/h, 4 s to brake over 20 m and 20/3 s to pull away over 100/3 m, with 5 s between; the rest at 60."""
    need = stop_takes_ms(36.0, 36.0, 0, 5_000, 2.5, 1.5, 60.0)
    assert need == pytest.approx(5_000 + 4_000 + 20_000 / 3)
    long = stop_takes_ms(36.0, 36.0, 10_000, 5_000, 2.5, 1.5, 60.0)
    assert long == pytest.approx(need + 1_000 * (1_000 - 20 - 100 / 3) / (60 / 3.6))
    assert stop_takes_ms(0.0, 0.0, 0, 5_000, 2.5, 1.5, 60.0) == 5_000
