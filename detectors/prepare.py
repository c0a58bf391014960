"""Prepare: compile what is compiled on its first use before anything waits for it."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from detectors.engine import Engine
from detectors.kind import Kind
from ingest.batch import no_fixes
from ingest.fences import Feature
from ingest.registry import Source
from ingest.table import Row

_TRIANGLE = [[87.0, 44.0], [88.0, 44.0], [87.0, 45.0], [87.0, 44.0]]
_LANE = [[87.0, 44.0], [87.001, 44.0]]  # short: long roads take long to be laid out


def prepare(kinds: Mapping[str, Kind]) -> None:
    """Judge one fix that stands on the corner of a fence; takes seconds where it was never done before.

    Every loop of gate, lookups and kinds runs at least once: numba compiles it, or finds it on disk.
    """
    here = Path(__file__)
    fence = {
        "type": "Feature",
        "properties": {"id": "corner", "kind": "road", "limit_kmh": 60},
        "geometry": {"type": "Polygon", "coordinates": [_TRIANGLE]},
    }
    road = {
        "type": "Feature",
        "properties": {"id": "side", "limit_kmh": 60},
        "geometry": {"type": "LineString", "coordinates": _LANE},
    }
    maps = {name: [Feature(here, 1, json.dumps(one).encode())] for name, one in (("fences", fence), ("roads", road))}
    registered = Row(here, 1, {"plate": "-", "class": "L"})
    registry = Source({"vehicles": [registered]}, maps).registry()
    fix = {name: np.zeros(1, column.dtype) for name, column in no_fixes().columns().items()}
    fix |= {"lon": np.array([87.0]), "lat": np.array([44.0])}
    engine = Engine(registry, kinds)
    batch = type(no_fixes())(**fix)
    for time_ms in (0, 60_000):  # the first after an absence is not yet believed
        batch.time_ms[:] = time_ms
        engine.detect(batch)
