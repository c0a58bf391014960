import json
from pathlib import Path

import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.found import Fact
from detectors.kind import Example
from detectors.limits import ROAD_LIMIT, Parameters
from ingest.moment import parse_ms
from ingest.registry import read_registry
from ingest.table import RegistryError
from tests.drives import PLATE, batch_of, register

VEHICLES = "plate,class,county,company\nP,L,652301,甲\nQ,H,652301,乙\nR,L,652302,甲\n"
DEFAULTS = {"points": 3, "margin_kmh": 3.0}


def parameters(folder: Path, *rows: str) -> Parameters:
    (folder / "vehicles.csv").write_text(VEHICLES, encoding="utf-8")
    header = "group,name,value,class,county,company,valid_from,valid_to"
    (folder / "parameters.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    return Parameters("V01", DEFAULTS, read_registry(folder))


FENCED = "group,name,value,class,county,company,fence,valid_from,valid_to"


def fenced(folder: Path, *rows: str, goes_by: bool = True) -> Parameters:
    """Parameters of a registry with two fences, the second of them twice, in years that do not meet."""
    (folder / "vehicles.csv").write_text(VEHICLES, encoding="utf-8")
    (folder / "parameters.csv").write_text("\n".join([FENCED, *rows]), encoding="utf-8")
    features = [
        {
            "type": "Feature",
            "properties": {"id": name, "kind": "road", "limit_kmh": 60, "valid_from": begin, "valid_to": end},
            "geometry": {"type": "Polygon", "coordinates": [[[87, 44], [88, 44], [88, 45], [87, 44]]]},
        }
        for name, begin, end in (("A", "", ""), ("B", "", "2025-12-31"), ("B", "2026-01-01", ""))
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / "fences.geojson").write_text(text, encoding="utf-8")
    return Parameters("V01", DEFAULTS, read_registry(folder), fenced=goes_by)


def in_fences(found: Parameters, day: str, entry: int = 0) -> list[float]:
    """Margin of a vehicle in no fence, in A, in the old B and in the new B."""
    time_ms = parse_ms(day)
    assert time_ms is not None
    places = np.array([-1, 0, 1, 2], np.int32)
    sets = found.columns(np.full(4, entry, np.int32), np.full(4, time_ms), places)
    assert (sets["points"] == 3).all()
    return [float(value) for value in sets["margin_kmh"]]


def test_a_row_with_a_fence_is_for_fixes_in_it_and_wins(tmp_path: Path) -> None:
    rows = ("V01,margin_kmh,9,,,甲,,,", "V01,margin_kmh,5,,,,B,2026-03-01,2026-03-31", "V01,margin_kmh,7,H,,,A,,")
    found = fenced(tmp_path, *rows)
    assert not found.alike
    assert in_fences(found, "2026-02-28") == [9, 9, 9, 9]
    assert in_fences(found, "2026-03-01") == [9, 9, 5, 5]
    assert in_fences(found, "2026-04-01") == [9, 9, 9, 9]
    assert in_fences(found, "2026-03-01", 1) == [3, 7, 5, 5], "another class and company"
    assert in_fences(found, "2026-03-01", -1) == [3, 3, 5, 5], "not registered: of rows without a party"
    time_ms = np.full(3, parse_ms("2026-03-02"))
    assert found.columns(np.arange(3, dtype=np.int32), time_ms)["margin_kmh"].tolist() == [9, 3, 9], "no place given"


def test_each_name_is_resolved_on_its_own_in_a_fence_too(tmp_path: Path) -> None:
    found = fenced(tmp_path, "V01,margin_kmh,5,,,,A,,", "V01,points,4,,,甲,,,", "V01,margin_kmh,6,,,,A,2026-03-01,")
    one = found.columns(np.zeros(1, np.int32), np.array([parse_ms("2026-03-02")]), np.zeros(1, np.int32))
    assert one[0].tolist() == (4, 6)
    assert len(found.sets) == 3, "the defaults before all time, those of the company, those in the fence"


def test_a_set_is_kept_beside_those_of_fences(tmp_path: Path) -> None:
    found = fenced(tmp_path, "V01,margin_kmh,5,,,,A,,")
    one = np.array([(7, 1.5)], found.sets.dtype)[0]
    kept = found.keep(one)
    assert in_fences(found, "2026-03-01") == [3, 5, 3, 3]
    assert found.keep(one) == kept
    assert found.sets[kept].tolist() == (7, 1.5)


def test_a_fence_is_never_ignored(tmp_path: Path) -> None:
    with pytest.raises(
        RegistryError, match=r"line 2, field 'fence': expected nothing: V01 goes by no fence, found 'A'"
    ):
        fenced(tmp_path, "V01,margin_kmh,5,,,,A,,", goes_by=False)
    with pytest.raises(RegistryError, match=r"line 2, field 'fence': expected the id of a fence .*, found 'C'"):
        fenced(tmp_path, "V01,margin_kmh,5,,,,C,,")
    assert fenced(tmp_path, "V02,margin_kmh,5,,,,C,,").alike, "another group's"


def margins(found: Parameters, moment: str = "2026-03-02") -> list[float]:
    """Margin of P, Q, R and of a vehicle that is not registered."""
    time_ms = parse_ms(moment)
    assert time_ms is not None
    entry = np.array([0, 1, 2, -1], np.int32)
    sets = found.columns(entry, np.full(4, time_ms))
    assert (sets["points"] == 3).all()
    return [float(value) for value in sets["margin_kmh"]]


def test_defaults_hold_where_nothing_else_does(tmp_path: Path) -> None:
    found = parameters(tmp_path, "V02,margin_kmh,9,,,,,")
    assert found.alike
    assert margins(found) == [3, 3, 3, 3]


def test_the_narrower_row_wins(tmp_path: Path) -> None:
    rows = [
        "V01,margin_kmh,8,,,甲,,",
        "V01,margin_kmh,4,,,,,",
        "V01,margin_kmh,6,,652301,,,",
        "V01,margin_kmh,5,LC,,,,",
    ]
    assert margins(parameters(tmp_path, *rows[1:2])) == [4, 4, 4, 4]
    assert margins(parameters(tmp_path, *rows[1::2])) == [5, 4, 5, 4]
    assert margins(parameters(tmp_path, *rows[1:])) == [6, 6, 5, 4]
    assert margins(parameters(tmp_path, *rows)) == [8, 6, 8, 4]
    assert margins(parameters(tmp_path, *rows, "V01,margin_kmh,9,L,652302,甲,,")) == [8, 6, 9, 4]


def test_rows_are_dated_and_the_later_begun_wins(tmp_path: Path) -> None:
    rows = (
        "V01,margin_kmh,5,,,,2026-03-02,2026-03-04",
        "V01,margin_kmh,4,,,,2026-03-01,",
        "V01,margin_kmh,6,,,,2026-03-02,2026-03-02",
    )
    found = parameters(tmp_path, *rows)
    days = [margins(found, f"2026-0{day}")[0] for day in ("2-28", "3-01", "3-02", "3-03", "3-04", "3-05")]
    assert days == [3, 4, 6, 5, 5, 4]
    assert len(found.sets) == 4


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("V01,margin,5,,,,,", "field 'name': expected a parameter of V01: points, margin_kmh, found 'margin'"),
        ("V01,points,2.5,,,,,", "field 'value': expected a whole number from 0, found 2.5"),
        ("V01,margin_kmh,-1,,,,,", "field 'value': expected a number from 0"),
        ("V01,margin_kmh,x,,,,,", "field 'value': expected a number"),
        ("V01,margin_kmh,1e999,,,,,", "field 'value': expected a number below 1e15"),
        ("V01,margin_kmh,1,Q,,,,", "field 'class': expected letters of LCHBTF"),
        (",margin_kmh,1,,,,,", "field 'group': expected a text"),
    ],
)
def test_an_unreadable_parameter_says_where(tmp_path: Path, row: str, complaint: str) -> None:
    with pytest.raises(RegistryError) as error:
        parameters(tmp_path, "V01,margin_kmh,5,,,,,", row)
    assert "parameters.csv, line 3, " in str(error.value)
    assert complaint in str(error.value)


def test_a_speed_limit_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text(VEHICLES, encoding="utf-8")
    rows = "group,name,value\nroad_limit,cap_kmh,0\n"
    (tmp_path / "parameters.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(RegistryError, match="field 'value': expected a number above 0"):
        Parameters("road_limit", ROAD_LIMIT, read_registry(tmp_path))


def test_a_kind_takes_the_parameters_of_the_fence_that_it_goes_by(tmp_path: Path) -> None:
    """120 km/h north from 44.0 where 100 is allowed; the margin is 30 in the road fence that ends at 44.02."""
    box = {"kind": "road", "limit_kmh": 100, "id": "A", "box": (87.0, 43.9, 88.0, 44.02)}
    drive = Example("fast", {"speed_kmh": (120,) * 20}, every_s=10, raised=(), fences=(box,))
    kind = CATALOGUE["V01"]
    began = []
    for number, fence in enumerate(("", "A")):
        folder = tmp_path / str(number)
        register(folder, kind, {PLATE: drive})
        row = f"V01,margin_kmh,{30 if fence else 3},,,,{fence},,"
        (folder / "parameters.csv").write_text("\n".join([FENCED, row]), encoding="utf-8")
        engine = Engine(read_registry(folder), {"V01": kind})
        found = engine.detect(batch_of(drive)).found["V01"]
        (lat,) = found["lat"][found["fact"] == Fact.RAISED]
        began.append(lat)
    assert began[0] < 44.01
    assert began[1] == pytest.approx(44.02, abs=0.003)
    assert began[1] > 44.02
