"""Examples of the catalogue as batches: one vehicle, driven as its columns say."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.activity import ACTIVITY
from detectors.days import Days
from detectors.engine import Engine
from detectors.enrich import Enriched
from detectors.found import Fact, Found
from detectors.kind import Example, Kind
from detectors.meanwhile import Meanwhile
from detectors.roads import MATCH
from ingest import gate
from ingest.batch import MISSING_MS, Batch
from ingest.gate import Verdict
from ingest.moment import BEIJING_MS, DAY_MS, parse_ms
from ingest.papers import SORTS, VEHICLE
from ingest.registry import driver_code, read_registry
from ingest.ticks import Clock

METRE_DEG = 180.0 / math.pi / 6_371_008.8
PLATE = "例00001"


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, *([row.get(name, "") for name in columns] for row in rows)]
    path.write_text("".join(f"{','.join(line)}\n" for line in lines), encoding="utf-8")


def _ring(west: float, south: float, east: float, north: float) -> tuple[str, list[list[tuple[float, float]]]]:
    return "Polygon", [[(west, south), (east, south), (east, north), (west, north), (west, south)]]


def _given(table: str, plate: str, row: Mapping[str, str]) -> dict[str, str]:
    """A row of a table for this vehicle; its trips are its own."""
    owned = table == "trips" or (table in SORTS and SORTS[table].holder == VEHICLE)
    trip = {"trip": f"{row['trip']}-{plate}"} if table in ("trips", "stop_times") else {}
    return ({"plate": plate} if owned else {}) | dict(row) | trip


def register(folder: Path, kind: Kind, examples: Mapping[str, Example]) -> None:
    """Write a registry in which each plate is the vehicle of its example; they share the fences and lines of all."""
    folder.mkdir(parents=True, exist_ok=True)
    vehicles, papers = [], dict[str, list[dict[str, str]]]()
    maps: dict[str, list[tuple[Mapping[str, Any], tuple[str, Any]]]] = {}
    for plate, example in examples.items():
        vehicles.append({"plate": plate, "class": example.kind or kind.classes[0], **example.registered})
        for table, given in example.papers.items():
            rows = papers.setdefault(table, [])
            rows += [one for one in (_given(table, plate, one) for one in given) if table != "stops" or one not in rows]
        if maps:
            continue
        maps = {"fences": [(fence, _ring(*fence["box"])) for fence in example.fences]}
        for name, lines in example.lines.items():
            maps[name] = [(one, ("LineString", one["points"])) for one in lines]
    for table, rows in {"vehicles": vehicles, **papers}.items():
        _write(folder / f"{table}.csv", rows)
    for name, shapes in maps.items():
        features = [
            {
                "type": "Feature",
                "properties": {key: value for key, value in shape.items() if key not in ("box", "points")},
                "geometry": {"type": geometry, "coordinates": coordinates},
            }
            for shape, (geometry, coordinates) in shapes
        ]
        text = json.dumps({"type": "FeatureCollection", "features": features})
        (folder / f"{name}.geojson").write_text(text, encoding="utf-8")


def engine_of(folder: Path, kind: Kind, example: Example) -> Engine:
    """Engine with this one kind and the example's vehicle registered."""
    register(folder, kind, {PLATE: example})
    return Engine(read_registry(folder), {kind.code: kind}, daily=kind.scope == "day")


def _column(example: Example, name: str, default: Any) -> list[Any]:
    n = len(example.columns["speed_kmh"])
    value = example.columns.get(name, default)
    return list(value) if isinstance(value, tuple) else [value] * n


def batch_of(example: Example, vehicle: int = 0) -> Batch:
    """Fixes of an example, (n,)."""
    speed = np.array(_column(example, "speed_kmh", 0), np.float64)
    n = len(speed)
    metres = np.concatenate([[0.0], np.cumsum(speed[:-1] / 3.6 * example.every_s)])
    start = parse_ms(f"2026-03-02T{example.start}")
    assert start is not None

    def number(name: str) -> NDArray[np.float64]:
        return np.array(_column(example, name, math.nan), np.float64)

    drivers = [driver_code(text or "") for text in _column(example, "driver", None)]
    return Batch(
        vehicle=np.full(n, vehicle, np.int32),
        time_ms=start + np.arange(n) * example.every_s * 1000,
        lon=np.array(_column(example, "lon", 87.3), np.float64),
        lat=np.array(example.columns.get("lat", tuple(44.0 + metres * METRE_DEG)), np.float64),
        speed_kmh=speed,
        heading_deg=number("heading_deg"),
        altitude_m=number("altitude_m"),
        recorder_speed_kmh=number("recorder_speed_kmh"),
        mileage_km=number("mileage_km"),
        alarm=np.array(_column(example, "alarm", -1), np.int64),
        status=np.array(_column(example, "status", -1), np.int64),
        received_ms=np.full(n, MISSING_MS),
        backfill=np.zeros(n, np.bool_),
        driver=np.array(drivers, np.int64),
        items=np.array(_column(example, "items", 0), np.int64),
    )


class Course:
    """An example on its way through gate, lookups and its kind, in as many batches as one likes."""

    def __init__(self, folder: Path, kind: Kind, example: Example) -> None:
        self.engine, self.kind, self.example = engine_of(folder, kind, example), kind, example
        self.gate = np.zeros(1, gate.STATE)
        self.activity = np.zeros(1, ACTIVITY)
        self.matching = np.zeros(1, MATCH)
        self.state = np.zeros(1, kind.state)
        self.batch = batch_of(example)
        self.gate["has_located"], self.gate["located_ms"] = 1, self.batch.time_ms[0] - 1
        self.clock = Clock()
        self.closed = False
        self.day_ms = int(self.batch.time_ms[0] + BEIJING_MS) // DAY_MS * DAY_MS - BEIJING_MS

    def enriched(self, begin: int, end: int) -> Enriched:
        """Rows of the example, with the columns that it gives itself, and ticks as of a file."""
        rows = self.batch.take(slice(begin, end))
        accepted, verdict = gate.gate(rows, self.gate)
        assert np.isin(verdict, (Verdict.ACCEPTED, Verdict.NO_FIX, Verdict.DRIFT)).all(), "an example is judged"
        meanwhile = Meanwhile(rows, verdict, self.clock.ticks(rows, verdict != Verdict.NO_FIX))
        enriched = self.engine.lookup.enrich(accepted, self.activity, self.matching, meanwhile)
        own = {
            name: np.array(_column(self.example, name, None)[begin:end], column.dtype)[accepted.at]
            for name, column in enriched.columns().items()
            if name in self.example.columns and name not in Batch.__dataclass_fields__
        }
        if "limit_kmh" in own:
            own["limit_fence"] = np.zeros(len(accepted), np.int32)
        return replace(enriched, **own)  # type: ignore[arg-type]

    def judge(self, begin: int, end: int) -> Found:
        """Let the kind judge these rows, with what it remembers of those before."""
        if self.kind.scope == "day":
            return self.close(begin, end)
        enriched = self.enriched(begin, end)
        return self.kind.detect(enriched, self.engine.limits(self.kind, enriched), self.state)

    def close(self, begin: int, end: int) -> Found:
        """Tally these rows; behind the last of them, once, close all days from the one before to the one after.

        Another vehicle is heard of on each of them, early and late.
        """
        days, n = self.engine.days, len(self.batch)
        assert days is not None
        rows = self.batch.take(slice(begin, end))
        accepted, verdict = gate.gate(rows, self.gate)
        days.add(rows, verdict, accepted)
        if end == n and begin < n and not self.closed:
            self.closed = True
            other = self._other()
            accepted, verdict = gate.gate(other, np.zeros(2, gate.STATE))
            days.add(other, verdict, accepted)
            found = self.engine.close()[self.kind.code]
            own: Found = found[found["vehicle"] == 0]
            for name in ("lon", "lat"):  # NaN, where a day has no place, equals nothing
                own[name] = np.nan_to_num(own[name])
            return own
        nothing = Days().day(self.engine.registry, 0)
        return self.kind.detect(nothing, self.engine.day_limits(self.kind, nothing), self.state)[:0]

    def _other(self) -> Batch:
        """Fixes of an unregistered vehicle: four a day, two early and two late."""
        minutes = (5, 10, 1_425, 1_430)
        moments = [self.day_ms + day * DAY_MS + minute * 60_000 for day in (-1, 0, 1) for minute in minutes]
        fixes = self.batch.take(np.zeros(len(moments), np.intp))
        vehicle = self.engine.registry.vehicles.row("他车", 2)
        return replace(fixes, vehicle=np.full(len(moments), vehicle, np.int32), time_ms=np.array(moments))

    def raised(self, found: Found) -> list[int]:
        """Index of the fix at which each episode was raised."""
        latest = {int(row["begins_ms"]): int(row["raised_ms"]) for row in found if row["fact"] != Fact.WARNED}
        return [int(np.searchsorted(self.batch.time_ms, moment)) for _, moment in sorted(latest.items())]
