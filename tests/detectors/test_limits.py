from pathlib import Path

import numpy as np
import pytest

from detectors.limits import ROAD_LIMIT, Parameters
from ingest.moment import parse_ms
from ingest.registry import read_registry
from ingest.table import RegistryError

VEHICLES = "plate,class,county,company\nP,L,652301,甲\nQ,H,652301,乙\nR,L,652302,甲\n"
DEFAULTS = {"points": 3, "margin_kmh": 3.0}


def parameters(folder: Path, *rows: str) -> Parameters:
    (folder / "vehicles.csv").write_text(VEHICLES, encoding="utf-8")
    header = "group,name,value,class,county,company,valid_from,valid_to"
    (folder / "parameters.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    return Parameters("V01", DEFAULTS, read_registry(folder))


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
