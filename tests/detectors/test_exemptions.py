"""Exemptions: where a kind is not applied, boxed and dated, and how that is counted."""

import json
from pathlib import Path

import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine, Result
from detectors.found import Fact
from detectors.kind import Example
from ingest.registry import read_registry
from ingest.table import RegistryError
from tests.drives import PLATE, batch_of, register

HEADER = "number,kind,reason,plate,class,county,company,fence,valid_from,valid_to"
V01 = CATALOGUE["V01"]
FAST = Example("a minute above", {"speed_kmh": (120,) * 9}, every_s=10, raised=(4,))
"""Above the class's default; fixes at 08:00:00 to 08:01:20 (the gate waits for a second one before it believes the
first), going north from 44.0 by 333 m each."""


def engine(folder: Path, *rows: str) -> Engine:
    example = Example(
        FAST.title, FAST.columns, FAST.every_s, FAST.raised, registered={"county": "652301", "company": "甲"}
    )
    register(folder, V01, {PLATE: example})
    (folder / "exemptions.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    shape = {"type": "Polygon", "coordinates": [[[87, 44], [88, 44], [88, 44.005], [87, 44.005], [87, 44]]]}
    spans = (("", "2025-12-31"), ("2026-01-01", ""))
    features = [
        {"type": "Feature", "geometry": shape, "properties": {"id": "A", "kind": "x", "valid_from": a, "valid_to": b}}
        for a, b in spans
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (folder / "fences.geojson").write_text(text, encoding="utf-8")
    return Engine(read_registry(folder), {"V01": V01})


def judged(folder: Path, *rows: str) -> Result:
    made = engine(folder, *rows)
    return made.detect(batch_of(FAST, made.registry.vehicles.row(PLATE, 2)))


WHOLE = "2026-03-02T08:00:00,2026-03-02T08:05:00"


@pytest.mark.parametrize(
    ("row", "fixes"),
    [
        (f"E1,V01,snow,,L,,,,{WHOLE}", 8),
        (f"E1,*,snow,,CL,,,,{WHOLE}", 8),
        (f"E1,V02,snow,,L,,,,{WHOLE}", 0),
        (f"E1,V01,snow,,H,,,,{WHOLE}", 0),
        (f"E1,V01,snow,{PLATE},,,,,{WHOLE}", 8),
        (f"E1,V01,snow,例00002,,,,,{WHOLE}", 0),
        (f"E1,V01,snow,,,652301,,,{WHOLE}", 8),
        (f"E1,V01,snow,,,652302,,,{WHOLE}", 0),
        (f"E1,V01,snow,,,,甲,,{WHOLE}", 8),
        (f"E1,V01,snow,,,652301,乙,,{WHOLE}", 0),
        (f"E1,V01,snow,,,,,A,{WHOLE}", 1),
        ("E1,V01,snow,,L,,,,2026-03-02T08:00:10,2026-03-02T08:00:30", 2),
        ("E1,V01,snow,,L,,,,2026-03-01,2026-03-01", 0),
    ],
)
def test_an_exemption_is_for_those_it_names(tmp_path: Path, row: str, fixes: int) -> None:
    result = judged(tmp_path, row)
    assert dict(result.exempted) == ({("V01", "E1"): fixes} if fixes else {})
    assert raised(result) == (0 if fixes == 8 else 1)


def raised(result: Result) -> int:
    return int((result.found["V01"]["fact"] == Fact.RAISED).sum())


def test_what_is_left_of_a_drive_is_judged(tmp_path: Path) -> None:
    """The run begins where the exemption ends: raised 40 s later."""
    result = judged(tmp_path, "E1,V01,snow,,L,,,,2026-03-02T08:00:00,2026-03-02T08:00:20")
    (row,) = result.found["V01"][result.found["V01"]["fact"] == 1]
    assert row["begins_ms"] % 60_000 == 20_000
    assert row["raised_ms"] - row["begins_ms"] == 40_000


def test_of_several_the_first_counts_and_a_count_is_told_once(tmp_path: Path) -> None:
    made = engine(tmp_path, f"E1,V01,snow,,,,,A,{WHOLE}", f",*,ice,,L,,,,{WHOLE}")
    batch = batch_of(FAST, made.registry.vehicles.row(PLATE, 2))
    assert dict(made.detect(batch).exempted) == {("V01", "E1"): 1, ("V01", "line 3"): 7}
    assert dict(made.detect(batch).exempted) == {}, "the gate lets none pass a second time"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (f"E1,V01,snow,,,,,,{WHOLE}", "field 'plate': expected one of plate, class, county, company, fence at least"),
        ("E1,V01,snow,,L,,,,2026-03-02,", "field 'valid_to': expected a text"),
        ("E1,V01,snow,,L,,,,2026-03-02,2026-03-01", "field 'valid_to': expected a time after"),
        (f"E1,V01,,,L,,,,{WHOLE}", "field 'reason': expected a text"),
        (f"E1,,snow,,L,,,,{WHOLE}", "field 'kind': expected a text"),
        (f"E1,V01,snow,,X,,,,{WHOLE}", "field 'class': expected letters of LCHBTF"),
    ],
)
def test_an_exemption_is_boxed_ends_and_has_a_reason(tmp_path: Path, row: str, complaint: str) -> None:
    with pytest.raises(RegistryError) as error:
        judged(tmp_path, row)
    assert f"exemptions.csv, line 2, {complaint}" in str(error.value)
