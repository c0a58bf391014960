"""Any bytes at all between good lines: no error, no harm, everything counted."""

import json
import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.engine import Engine
from ingest.gate import Verdict
from ingest.registry import Registry, read_registry
from tests.ingest.test_formats import FIX, read

GOOD = json.dumps(FIX).encode()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NEARLY = st.dictionaries(st.sampled_from([*FIX, "status", "heading_deg", "received", "driver", "backfill"]), ANYTHING)
RUBBISH = st.binary(max_size=200) | NEARLY.map(lambda fix: json.dumps(fix).encode())
FEW = settings(
    max_examples=150,
    deadline=None,
    derandomize="CI" in os.environ,  # a submission is judged by the same examples twice; a desk finds new ones
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FEW
@given(st.lists(RUBBISH.map(lambda line: line.replace(b"\n", b" ")), max_size=8))
def test_good_lines_are_read_whatever_stands_between(rubbish: list[bytes]) -> None:
    text = b"".join(GOOD + b"\n" + line + b"\n" for line in rubbish) + GOOD + b"\n"
    batches, rejects, lines = read(text, "positions.ndjson")
    assert set(range(1, 2 * len(rubbish) + 2, 2)) <= set(lines)
    blank = sum(not line.strip() for line in rubbish)
    assert len(lines) + rejects.counts.total() + blank == 2 * len(rubbish) + 1
    assert sum(map(len, batches)) == len(lines)


@FEW
@given(st.binary(max_size=2_000))
def test_any_bytes_as_a_file_of_any_name(data: bytes) -> None:
    for name in ("-", "a.csv", "a.ndjson.gz"):
        read(data, name)
        read(b"plate,time,lon,lat,speed_kmh\n" + data, name)
        read(b"\x1f\x8b" + data, name)


def registry(folder: Path) -> Registry:
    (folder / "vehicles.csv").write_text(f"plate,class\n{FIX['plate']},L\n", encoding="utf-8")
    return read_registry(folder)


@FEW
@given(st.lists(NEARLY, min_size=1, max_size=30))
def test_the_gate_has_a_verdict_on_everything_that_can_be_read(tmp_path: Path, fixes: list[dict[str, object]]) -> None:
    engine = Engine(registry(tmp_path))
    text = b"".join(json.dumps(FIX | fix | {"plate": FIX["plate"]}).encode() + b"\n" for fix in fixes)
    for batch in read(text, "positions.ndjson", vehicles=engine.registry.vehicles)[0]:
        result = engine.detect(batch)
        assert len(result.verdict) == len(batch)
        assert result.verdict.max() <= max(Verdict)
