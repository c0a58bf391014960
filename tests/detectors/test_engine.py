from pathlib import Path

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.kind import Kind, kind
from detectors.state import States
from ingest.registry import CLASSES, read_registry
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
    assert states.bytes_of("L") == 8 + 1


def bits(*classes: str) -> np.ndarray:
    return np.array([sum(1 << CLASSES.index(letter) for letter in one) for one in classes], np.uint8)


def slotted(*classes: str) -> States:
    """States of a table for all, two for coaches, one for hazardous goods; vehicles of these classes heard of."""
    layout = dict.fromkeys(("all", "L", "CL", "H"), np.dtype([("x", "i8")]))
    states = States(layout, {"L": "LC", "CL": "CL", "H": "H"})
    states.reserve(len(classes))
    states.present(np.arange(len(classes), dtype=np.int32), bits(*classes))
    return states


def test_state_is_kept_for_the_classes_of_a_kind() -> None:
    states = slotted("F", "L", "HL", "", "C", "H")
    assert states.slots("all", np.array([3, 1])).tolist() == [3, 1]
    assert (states.slots("L", np.arange(6)) >= 0).tolist() == [False, True, True, False, True, False]
    assert states.slots("L", np.arange(6)).tolist() == states.slots("CL", np.arange(6)).tolist()
    assert (states.slots("H", np.arange(6)) >= 0).tolist() == [False, False, True, False, False, True]
    assert len(set(states.slots("L", np.arange(6)).tolist())) == 4
    assert [states.bytes_of(letter) for letter in "LHF"] == [3 * 8 + 9, 2 * 8 + 9, 8 + 9]
    assert states.bytes_held(6) == 6 * (8 + 9) + 2 * 3 * 8 + 2 * 8


def test_what_was_forgotten_is_zeros_and_its_slot_is_used_again() -> None:
    states = slotted("L", "H", "C", "H", "L")
    for name in states:
        states.put(name, np.arange(5), np.array([(n + 1,) for n in range(5)], states[name].dtype))
    assert states.rows("L", np.arange(5))["x"].tolist() == [1, 2, 3, 4, 5]
    held = states.bytes_held(5)
    for _ in range(100):
        states.forget(np.array([1, 2]))
        states.present(np.array([1, 2, 2], np.int32), bits("L", "H", "C"))
        for name in states:
            assert states.rows(name, np.arange(5))["x"].tolist() == [1, 0, 0, 4, 5]
        states.put("H", np.array([2]), np.array([(3,)], states["H"].dtype))
    assert states.bytes_held(5) < held
    assert len(states["L"]) <= 8


def test_zeros_are_put_without_a_slot() -> None:
    states = slotted("F", "F")
    states.put("L", np.array([1, 0]), np.array([(0,), (7,)], states["L"].dtype))
    assert states.slots("L", np.array([0, 1])).tolist() == [0, -1]
    assert states.rows("L", np.array([1, 0]))["x"].tolist() == [0, 7]


def test_of_a_sparse_table_only_what_is_not_zeros_has_a_slot() -> None:
    states = States({"all": np.dtype([("x", "i8")]), "V": np.dtype([("x", "i4"), ("y", "u1")])}, {"V": "LC"}, {"V"})
    states.reserve(5)
    vehicle, letters = np.array([0, 0, 1, 2, 4, 4], np.int32), bits("L", "F", "C", "C", "L")

    def batch(**written: int) -> list[int]:
        """Let some vehicles' rows hold a value; returns where the rows of all were."""
        present = states.present(vehicle, letters)
        lent = states.lend("V", present)
        for name, value in written.items():
            states["V"]["x"][lent[present.vehicle == int(name[1:])]] = value
        states.settle("V", present, lent)
        found: list[int] = lent.tolist()
        return found

    assert batch() == [0, -1, 1, 2]
    assert states.slots("V", np.arange(5)).tolist() == [-1] * 5
    assert batch(v2=7) == [0, -1, 1, 2]
    assert states.slots("V", np.arange(5)).tolist() == [-1, -1, 0, -1, -1]
    assert batch(v0=5, v4=9) == [1, -1, 0, 2]
    assert states.rows("V", np.arange(5))["x"].tolist() == [5, 0, 7, 0, 9]
    assert states.bytes_held(5) == 5 * (8 + 5) + 3 * 5
    batch(v2=0, v0=0)
    assert states.slots("V", np.array([0, 2])).tolist() == [-1, -1]
    assert states.bytes_held(5) == 5 * (8 + 5) + 5
    assert len(set(batch(v0=1))) == 4
    assert states.rows("V", np.arange(5))["x"].tolist() == [1, 0, 0, 0, 9]
    states.forget(np.array([0, 4]))
    assert not states["V"].view(np.uint8).any()
    assert states.bytes_held(5) == 5 * (8 + 5)
    assert (states.bytes_of("L"), states.bytes_of("L", idle=True), states.bytes_of("F")) == (8 + 5 + 5, 8 + 5, 8 + 5)


MIX = {"B": 719, "T": 3_787, "L": 1_500, "C": 1_000, "H": 500, "F": 12_000}
"""Vehicles of a prefecture by class, the figures of Changji."""


def test_the_state_of_a_vehicle_is_at_most_1500_bytes(tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text("plate,class\n", encoding="utf-8")
    """Of one that does nothing wrong; also where every kind remembered something of every vehicle it is bounded."""
    states = Engine(read_registry(tmp_path)).states
    for idle, most in ((True, 1_500), (False, 4_000)):
        held = sum(number * states.bytes_of(letter, idle=idle) for letter, number in MIX.items())
        assert held / sum(MIX.values()) <= most


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=str)
def test_an_entry_is_complete(entry: Kind) -> None:
    assert entry.code == f"V{int(entry.code[1:]):02}"
    assert any("一" <= letter <= "鿿" for letter in entry.zh)
    assert entry.en.isascii()
    assert entry.clause
    assert entry.doc.strip()
    assert "Source: rulebook" in entry.doc or "Source: regulation" in entry.doc
    assert entry.family in ("speed", "hours", "place", "papers", "conduct", "service", "terminal", "track")
    units = ("_ms", "_days", "_kmh", "_mps2", "_dm", "_m", "_calls", "points", "alarms", "ratio", "_percent")
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
