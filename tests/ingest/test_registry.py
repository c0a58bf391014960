import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.fences import Fence, read_features
from ingest.moment import parse_ms
from ingest.registry import CLASSES, Registry, driver_code, read_registry
from ingest.table import RegistryError

SQUARE = [[[87.0, 44.0], [87.1, 44.0], [87.1, 44.1], [87.0, 44.1], [87.0, 44.0]]]


def read_fences(path: Path) -> list[Fence]:
    refused: list[RegistryError] = []
    features = read_features(path, refused)
    for error in refused:
        raise error
    return [feature.fence() for feature in features]


def registry(folder: Path, vehicles: str, parameters: str = "") -> Registry:
    (folder / "vehicles.csv").write_text(vehicles, encoding="utf-8")
    if parameters:
        (folder / "parameters.csv").write_text(parameters, encoding="utf-8")
    return read_registry(folder)


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": SQUARE} if geometry is None else geometry
    return {
        "type": "Feature",
        "properties": {"id": "f", "kind": "road", "limit_kmh": 60} | properties,
        "geometry": shape,
    }


def fences(folder: Path, *features: dict[str, Any]) -> Path:
    path = folder / "fences.geojson"
    lines = ",\n".join(map(json.dumps, features))
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}', encoding="utf-8")
    return path


def ms(text: str) -> int:
    found = parse_ms(text)
    assert found is not None
    return found


def classes(known: Registry, *moments: str) -> str:
    """Class letters of the first vehicle at these times, . where it is not registered."""
    times = np.array([ms(moment) for moment in moments])
    entry = known.entry(np.zeros(len(times), np.int32), times)
    return "".join(f"{CLASSES}."[known.entries.kind[row]] for row in entry)


def test_rows_hold_from_their_first_moment_to_before_their_last(tmp_path: Path) -> None:
    rows = [
        "plate,class,valid_from,valid_to",
        "P,L,2026-03-01T00:00:00,2026-03-02T00:00:00",
        "P,C,2026-03-03,2026-03-04",
    ]
    known = registry(tmp_path, "\n".join(rows))
    moments = ("2026-02-28T23:59:59.999", "2026-03-01", "2026-03-01T23:59:59.999", "2026-03-02")
    assert classes(known, *moments) == ".LL."
    assert classes(known, "2026-03-02T23:59:59.999", "2026-03-03", "2026-03-04T23:59:59.999", "2026-03-05") == ".CC."


def test_of_rows_that_overlap_the_latest_begun_counts(tmp_path: Path) -> None:
    rows = ["plate,class,valid_from,valid_to", "P,C,20260302,", "P,L,,", "P,H,2026-03-02,2026-03-02"]
    known = registry(tmp_path, "\n".join(rows))
    assert classes(known, "2026-03-01", "2026-03-02", "2026-03-03") == "LHC"


def test_vehicles_are_told_apart_by_plate_and_colour(tmp_path: Path) -> None:
    known = registry(tmp_path, "plate,plate_color,class\nP,1,L\nP,,C\nQ,2,H\n")
    assert known.vehicles.names == [("P", 1), ("P", 2), ("Q", 2)]
    unheard = known.vehicles.row("P", 5)
    entry = known.entry(np.array([0, 1, 2, unheard], np.int32), np.zeros(4, np.int64))
    assert known.entries.kind[entry].tolist() == [CLASSES.index(letter) for letter in "LCH"] + [len(CLASSES)]
    assert known.parties[known.entries.party[-1]] == ("", "", "")


def test_a_registry_without_vehicles_knows_nobody(tmp_path: Path) -> None:
    known = registry(tmp_path, "plate,class\n")
    assert known.entry(np.array([known.vehicles.row("P", 2)], np.int32), np.array([0])).tolist() == [-1]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("plate\nP\n", "line 1, field 'class': expected a column of this name"),
        ("plate,class\nP\n", "line 2, field 'plate': expected 2 fields as in the header"),
        ("plate,class\n,L\n", "line 2, field 'plate': expected a text"),
        ("plate,class\nP,L\nQ,X\n", "line 3, field 'class': expected one of the letters L C H B T F, found 'X'"),
        ("plate,class,plate_color\nP,L,red\n", "line 2, field 'plate_color': expected a whole number from 0 to 255"),
        ("plate,class,drivers\nP,L,0\n", "line 2, field 'drivers': expected a whole number from 1 to 99, found '0'"),
        ("plate,class,small_hours_exempt\nP,L,yes\n", "line 2, field 'small_hours_exempt': expected"),
        (
            "plate,class,valid_from\nP,L,soon\n",
            "line 2, field 'valid_from': expected a date, an ISO 8601 time or epoch milliseconds",
        ),
        (
            "plate,class,valid_from\nP,L,1772380800\n",
            "line 2, field 'valid_from': expected a date, an ISO 8601 time or",
        ),
        (
            "plate,class,valid_from\nP,L,20260331112\n",
            "line 2, field 'valid_from': expected a date, an ISO 8601 time or",
        ),
        (
            "plate,class,valid_from\nP,L,20260331120000\n",
            "line 2, field 'valid_from': expected a date, an ISO 8601 time or",
        ),
        (
            "plate,class,valid_from,valid_to\nP,L,2026-03-02,2026-03-01\n",
            "line 2, field 'valid_to': expected a time after",
        ),
    ],
)
def test_an_unreadable_vehicle_says_where_and_what_was_expected(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(RegistryError) as error:
        registry(tmp_path, text)
    assert f"vehicles.csv, {complaint}" in str(error.value)


def test_a_registry_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="expected a readable CSV file, found 'No such file"):
        read_registry(tmp_path)
    (tmp_path / "vehicles.csv").write_bytes("plate,class\n测,L\n".encode("gb18030"))
    with pytest.raises(RegistryError, match="expected UTF-8"):
        read_registry(tmp_path)


def test_fences(tmp_path: Path) -> None:
    hole = {"type": "MultiPolygon", "coordinates": [SQUARE]}
    path = fences(tmp_path, feature(classes="LC", valid_to="2026-03-01"), feature(hole, kind="county", limit_kmh=None))
    first, second = read_fences(path)
    assert (first.id, first.kind, first.limit_kmh, first.classes) == ("f", "road", 60, "LC")
    assert first.to_ms == ms("2026-03-02")
    assert (second.kind, second.classes) == ("county", CLASSES)
    assert np.isnan(second.limit_kmh)


BOWTIE = [[[87.0, 44.0], [87.1, 44.1], [87.1, 44.0], [87.0, 44.1], [87.0, 44.0]]]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (feature(limit_kmh=None), "field 'limit_kmh': expected a speed above 0 and up to 200 km/h, found None"),
        (feature(limit_kmh="80"), "field 'limit_kmh'"),
        (feature(limit_kmh=0), "field 'limit_kmh'"),
        (feature(classes="LX"), "field 'classes': expected letters of LCHBTF"),
        (feature(kind=None), "field 'kind': expected a kind of fence"),
        (feature(valid_from="x"), "field 'valid_from': expected a date"),
        (feature(valid_from="2026-03-02", valid_to="2026-03-01"), "field 'valid_to': expected a time after"),
        (feature({"type": "Point", "coordinates": [87, 44]}), "field 'geometry': expected a Polygon or a MultiPolygon"),
        (feature({"type": "Polygon", "coordinates": BOWTIE}), "field 'coordinates': expected rings that do not cross"),
        (feature({"type": "Polygon", "coordinates": [[[87, 44], [88]]]}), "field 'coordinates': expected rings of"),
        (feature({"type": "Polygon", "coordinates": []}), "field 'coordinates': expected a shape that is not empty"),
        (feature({"type": "Polygon", "coordinates": [[[870, 44], [871, 44], [871, 45], [870, 44]]]}), "in degrees"),
        ({"type": "Feature"}, "field 'kind'"),
    ],
)
def test_an_unreadable_fence_says_where_and_what_was_expected(
    tmp_path: Path, bad: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(RegistryError) as error:
        read_fences(fences(tmp_path, feature(), feature(), bad))
    assert "fences.geojson, line 4, " in str(error.value)
    assert complaint in str(error.value)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"features": 1}', "\xff"])
def test_a_file_that_is_no_collection(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fences.geojson"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RegistryError, match="expected a GeoJSON FeatureCollection"):
        read_fences(path)


def test_a_driver_has_the_same_number_in_every_process() -> None:
    assert driver_code("") == 0
    assert driver_code("D0000001") == 4_573_413_639_794_536_678
    assert driver_code("D0000001") != driver_code("D0000002")


def test_odd_registries(tmp_path: Path) -> None:
    raw = json.dumps(feature(name="x")).encode().replace(b'"x"', b'"\xb2\xfd"')
    (tmp_path / "fences.geojson").write_bytes(b'{"features": [\n' + raw + b"]}")
    with pytest.raises(RegistryError, match="line 2, field 'features': expected a GeoJSON Feature in UTF-8"):
        read_fences(tmp_path / "fences.geojson")
    (tmp_path / "fences.geojson").write_text('{"features": [' + "[" * 5_000 + "]" * 5_000 + "]}", encoding="utf-8")
    with pytest.raises(RegistryError, match="GeoJSON"):
        read_fences(tmp_path / "fences.geojson")
    (tmp_path / "fences.geojson").unlink()
    with pytest.raises(RegistryError, match="field 'clas': expected columns of group, name, value, class"):
        registry(tmp_path, "plate,class\n", "group,name,value,clas\nV01,margin_kmh,80,T\n")
    with pytest.raises(RegistryError, match="line 1, field 'plate': expected each column once"):
        registry(tmp_path, "plate,plate,class\n")
    with pytest.raises(RegistryError, match="field 'valid_from': expected a date"):
        registry(tmp_path, "plate,class,valid_from\nP,L,2020\n", "group,name,value\n")
    (tmp_path / "parameters.csv").unlink()
    (tmp_path / "parameters.csv").symlink_to(tmp_path / "nowhere.csv")
    with pytest.raises(RegistryError, match="No such file"):
        registry(tmp_path, "plate,class\n")
