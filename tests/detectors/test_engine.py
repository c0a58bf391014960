from pathlib import Path

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.kind import Kind, kind
from detectors.state import States
from ingest.registry import read_registry
from ingest.table import RegistryError


def test_a_parameter_of_no_rule_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text("plate,class\n", encoding="utf-8")
    (tmp_path / "parameters.csv").write_text("group,name,value\nV1,margin_kmh,3\n", encoding="utf-8")
    with pytest.raises(
        RegistryError, match=r"parameters.csv, line 2, field 'group': expected one of V01, .*found 'V1'"
    ):
        Engine(read_registry(tmp_path))


def test_a_yard_move_that_could_hide_in_a_gap_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text("plate,class\nP,L\n", encoding="utf-8")
    (tmp_path / "parameters.csv").write_text("group,name,value\ndriving,yard_dm,5000\n", encoding="utf-8")
    with pytest.raises(RegistryError, match=r"line 2, .* near_dm above yard_dm \(5000\)"):
        Engine(read_registry(tmp_path))


def test_state_grows_with_the_vehicles_and_keeps_what_it_holds() -> None:
    states = States({"a": np.dtype([("x", "i8")])})
    states.reserve(2)
    states["a"]["x"] = 7
    states.reserve(100)
    assert states["a"]["x"][:3].tolist() == [7, 7, 0]
    assert len(states["a"]) >= 100
    assert states.bytes_per_vehicle == 8


def test_the_state_of_a_vehicle_is_at_most_1500_bytes(tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text("plate,class\n", encoding="utf-8")
    assert Engine(read_registry(tmp_path)).states.bytes_per_vehicle <= 1_500


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=str)
def test_an_entry_is_complete(entry: Kind) -> None:
    assert entry.code == f"V{int(entry.code[1:]):02}"
    assert any("一" <= letter <= "鿿" for letter in entry.zh)
    assert entry.en.isascii()
    assert entry.clause
    assert entry.doc.strip()
    assert "Source: rulebook" in entry.doc
    assert entry.family in ("speed", "hours", "place")
    units = ("_ms", "_kmh", "_dm", "points", "ratio")
    assert all(name.endswith(units) for name in entry.limits), "names of parameters carry their unit"


def test_an_entry_without_both_sorts_of_example_is_refused() -> None:
    known = CATALOGUE["V01"]
    names = ("code", "zh", "en", "severity", "clause", "limits", "state", "why")
    given = {name: getattr(known, name) for name in names}
    lawful = tuple(example for example in known.examples if not example.raised)
    with pytest.raises(ValueError, match="an example that raises and one that does not"):
        kind(**given, classes="L", measures=known.measures, examples=lawful)
    with pytest.raises(ValueError, match="classes must be letters"):
        kind(**given, classes="X", measures=known.measures, examples=known.examples)
