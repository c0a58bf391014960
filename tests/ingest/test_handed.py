"""Files of a registry in whatever form, and every row of them that cannot be taken."""

import json
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingest import workbook
from ingest.datum import to_gcj02
from ingest.faults import SHOWN, FaultsError, find_faults, without
from ingest.handed import read_files
from ingest.headings import COLUMNS
from ingest.headings import TABLES as NAMES
from ingest.registry import MAPS, TABLES
from ingest.table import RegistryError

SQUARE = [[[87.0, 44.0], [87.1, 44.0], [87.1, 44.1], [87.0, 44.1], [87.0, 44.0]]]


def book(path: Path, **sheets: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def collection(path: Path, *features: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"id": "f", "kind": "station"} | properties, "geometry": geometry}


def test_a_workbook_reads_like_the_files_it_stands_for(tmp_path: Path) -> None:
    path = book(
        tmp_path / "登记.xlsx",
        vehicles=[
            ["plate", "plate_color", "class", "valid_from", "备注"],
            ["测A00001", 2.0, "L", date(2026, 3, 1), None],
        ],
        许可=[
            ["许可", "车牌号", "编号", "生效时间", "失效时间"],
            [],
            ["relay", "测A00001", 7, datetime(2026, 3, 1), datetime(2026, 3, 31)],
            ["detour", "测A00001", "007", datetime(2026, 3, 1, 6, 30), None, ""],
        ],
        空表=[],
    )
    source = read_files([path])
    assert [row.cells for row in source.tables["vehicles"]] == [
        {"plate": "测A00001", "plate_color": "2", "class": "L", "valid_from": "2026-03-01", "备注": ""}
    ]
    first, second = source.tables["permits"]
    assert (first.line, first.cells["valid_to"], first.cells["number"]) == (3, "2026-03-31", "7")
    assert (second.line, second.cells["valid_from"], second.cells["number"]) == (4, "2026-03-01T06:30:00", "007")
    assert len(source.registry().papers["permits"]) == 2


def test_what_is_wrong_in_a_workbook_says_where(tmp_path: Path) -> None:
    rows = [["plate", "class"], ["测A00001", "L", "x"], ["测A00002", "#N/A"], ["测A00003", "Q"], ["测A00004", "L"]]
    source = read_files([book(tmp_path / "a.xlsx", vehicles=rows)])
    told = [str(fault.error) for fault in find_faults(source)]
    assert len(told) == 3
    assert f"{tmp_path}/a.xlsx/vehicles, line 2, field 'plate': expected 2 fields as in the header" in told[0]
    assert "line 3, field 'cell 2': expected a value, not the error of a formula, found '#N/A'" in told[1]
    assert "line 4, field 'class': expected one of the letters" in told[2]
    assert [row.text("plate") for row in without(source, find_faults(source)).vehicles] == ["测A00004"]
    with pytest.raises(RegistryError, match=r"a.xlsx/说明, field 'sheet': expected the name of one of"):
        read_files([book(tmp_path / "a.xlsx", 说明=[["x"]])])
    with pytest.raises(RegistryError, match="field 'clas'"):
        read_files([book(tmp_path / "a.xlsx", permits=[["plate", "clas"]])])
    with pytest.raises(RegistryError, match="permits once"):
        read_files([book(tmp_path / "a.xlsx", permits=[["plate"]], 许可=[["plate"]])])


def test_a_workbook_that_is_none_or_unfolds_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(RegistryError, match="expected a readable XLSX workbook, found 'BadZipFile"):
        read_files([path])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b" " * (600 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(RegistryError, match="expected a workbook that unfolds to at most 536,870,912 bytes"):
        read_files([path])
    with pytest.raises(RegistryError, match="expected a file or a folder, found 'No such file"):
        read_files([tmp_path / "b.xlsx"])
    monkeypatch.setattr(workbook, "MOST_COLUMNS", 3)
    with pytest.raises(RegistryError, match="field 'file': expected at most 3 columns"):
        read_files([book(path, permits=[["a", "b", "c", "d"]])])


def test_a_bomb_of_entities_goes_off_nowhere(tmp_path: Path) -> None:
    """A thousand million letters out of ten lines: the parser refuses to unfold them."""
    path = book(tmp_path / "a.xlsx", vehicles=[["plate", "class"], ["测A00001", "L"]])
    entities = '<!ENTITY e0 "lol">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = f"<!DOCTYPE worksheet [{entities}]>" + parts[sheet].replace("测A00001", "&e9;")
    assert "&e9;" in parts[sheet]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(RegistryError, match="expected a readable XLSX workbook"):
        read_files([path])


def test_files_and_folders_together(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "车辆.csv").write_text("车牌号,车辆类型\n测A00001,L\n", encoding="utf-8")
    (tmp_path / "folder" / "readme.txt").write_text("x", encoding="utf-8")
    (tmp_path / "folder" / "counties.csv").write_text("county,name\n652301,甲市\n", encoding="utf-8")
    fences = collection(tmp_path / "fences.geojson", feature({"type": "Polygon", "coordinates": SQUARE}))
    source = read_files([tmp_path / "folder", fences])
    assert (sorted(source.tables), list(source.maps)) == (["counties", "vehicles"], ["fences"])
    assert source.registry().vehicles.names == [("测A00001", 2)]
    assert list(read_files([tmp_path / "folder", fences], only=["counties"]).tables) == ["counties"]
    with pytest.raises(RegistryError, match=r"fences.geojson, field 'file': expected fences once"):
        read_files([fences, fences])
    for wrong, complaint in (("a.txt", "a folder, or a file"), ("vehicle.csv", "the name of one of vehicles, ")):
        (tmp_path / wrong).write_text("", encoding="utf-8")
        with pytest.raises(RegistryError, match=complaint):
            read_files([tmp_path / wrong])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistryError, match=r"expected something of vehicles, .*, found 'nothing'"):
        read_files([tmp_path / "empty"])
    with pytest.raises(RegistryError, match="field 'only': expected tables of"):
        read_files([fences], only=["fence"])


def test_places_become_wgs84_and_say_what_they_were(tmp_path: Path) -> None:
    lon, lat = ([one[at] for one in SQUARE[0]] for at in (0, 1))
    shifted = [
        [list(pair) for pair in zip(*(axis.tolist() for axis in to_gcj02(_array(lon), _array(lat))), strict=True)]
    ]
    fences = collection(
        tmp_path / "fences.geojson",
        feature({"type": "Polygon", "coordinates": shifted}),
        feature({"type": "MultiPolygon", "coordinates": [[[[*one, 5.0] for one in shifted[0]]]]}),
        feature({"type": "Polygon", "coordinates": [["x"]]}),
    )
    (tmp_path / "stops.csv").write_text(
        f"stop,lon,lat\nA,{shifted[0][0][0]},{shifted[0][0][1]}\nB,x,44\nC,87,44\n", encoding="utf-8"
    )
    source = read_files([fences, tmp_path / "stops.csv"], datum="gcj02")
    one, many, bad = source.maps["fences"]
    assert one.fence().shape.bounds == pytest.approx((87.0, 44.0, 87.1, 44.1), abs=1e-9)
    assert many.fence().shape.bounds == pytest.approx((87.0, 44.0, 87.1, 44.1), abs=1e-9)
    assert one.properties["datum"] == "gcj02"
    with pytest.raises(RegistryError, match="expected rings of"):
        bad.fence()
    first, last = source.tables["stops"]
    assert (first.number("lon"), first.number("lat")) == pytest.approx((87.0, 44.0), abs=1e-9)
    assert (first.cells["datum"], last.text("stop")) == ("gcj02", "C")
    assert "stops.csv, line 3, field 'lon': expected a number, found 'x'" in str(source.refused[0])
    collection(fences, feature({"type": "Polygon", "coordinates": shifted}, datum="gcj02"))
    twice = read_files([fences], datum="gcj02")
    assert "has been converted already, found 'gcj02'" in str(twice.refused[0])
    assert read_files([fences]).refused == [], "as it was exported"
    with pytest.raises(RegistryError, match="field 'datum': expected one of wgs84, gcj02, bd09, found 'x'"):
        read_files([fences], datum="x")


def _array(values: list[float]) -> Any:
    import numpy as np

    return np.array(values)


def test_every_bad_row_of_ten_thousand_is_told(tmp_path: Path) -> None:
    rows = [f"测{at:05},{'Q' if at % 100 == 7 else 'L'}" for at in range(10_000)]
    (tmp_path / "vehicles.csv").write_text("\n".join(["plate,class", *rows, "one,two,three"]), encoding="utf-8")
    source = read_files([tmp_path])
    faults = find_faults(source)
    assert len(faults) == 101
    assert {fault.error.line for fault in faults} == {10_002} | {9 + 100 * at for at in range(100)}
    told = str(FaultsError(faults)).splitlines()
    assert told[0] == "101 行有误 rows cannot be imported:"
    assert told[-1] == "… 另有 and 81 more"
    assert len(told) == SHOWN + 2
    left = without(source, faults)
    assert len(left.registry().vehicles) == 9_900
    with pytest.raises(RegistryError, match="line 10002"):
        source.registry()


def test_of_papers_that_overlap_the_later_rows_are_at_fault(tmp_path: Path) -> None:
    spans = [
        ("2026-03-10", "2026-03-20"), ("2026-03-20", "2026-03-25"), ("2026-03-21", "2026-03-25"),
        ("2026-03-01", "2026-03-31"), ("2026-03-01", "2026-03-09"), ("2026-03-24", "2026-03-30"),
    ]  # fmt: skip
    rows = [f"测A00001,inspection,{begin},{end}" for begin, end in spans]
    (tmp_path / "documents.csv").write_text(
        "\n".join(["plate,document,valid_from,valid_to", *rows, "测A00002,inspection,2026-03-10,2026-03-20"]),
        encoding="utf-8",
    )
    told = [str(fault.error).partition("documents.csv, ")[2] for fault in find_faults(read_files([tmp_path]))]
    assert told == [
        "line 3, field 'valid_from': expected a time not before the end of the one in line 2: they overlap, found "
        "'2026-03-20'",
        "line 5, field 'valid_to': expected a time not after the begin of the one in line 2: they overlap, found "
        "'2026-03-31'",
        "line 7, field 'valid_from': expected a time not before the end of the one in line 4: they overlap, found "
        "'2026-03-24'",
    ]


def test_bad_features_and_a_timetable(tmp_path: Path) -> None:
    bowtie = [[[87.0, 44.0], [87.1, 44.1], [87.1, 44.0], [87.0, 44.1], [87.0, 44.0]]]
    collection(
        tmp_path / "fences.geojson",
        feature({"type": "Polygon", "coordinates": SQUARE}),
        feature({"type": "Polygon", "coordinates": bowtie}),
        [],  # type: ignore[arg-type]
        feature({"type": "Polygon", "coordinates": SQUARE}, valid_from="2026-03-02", valid_to="2026-03-01"),
    )
    (tmp_path / "stops.csv").write_text("stop,lon,lat\nA,87,44\nA,88,44\nB,187,44\nC,87,45\n", encoding="utf-8")
    told = [str(fault.error) for fault in find_faults(read_files([tmp_path]))]
    assert ["feature 3" in told[0], "feature 2" in told[1], "feature 4" in told[2]] == [True] * 3
    assert "expected rings that do not cross themselves" in told[1]
    assert ["each stop once" in told[3], "a longitude from" in told[4], len(told)] == [True, True, 5]


def test_one_trip_on_every_line_is_told_line_by_line_at_once(tmp_path: Path) -> None:
    """Compared each with each these lines would take an hour."""
    stops = "stop,lon,lat\nA,87.3,44.0\nB,87.3,44.1\n"
    times = "trip,order,stop,arrives\nT,1,A,07:00\nT,2,B,08:00\n"
    trips = "trip,plate,days\n" + "T,测A00001,12\n" + "T,测A00001,23\nT,测A00002,3\n" + "T,测A00001,1\n" * 20_000
    for name, text in (("stops", stops), ("stop_times", times), ("trips", trips)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    faults = find_faults(read_files([tmp_path]))
    assert [fault.error.line for fault in faults] == [3, *range(5, 20_005)], "line 4 meets one that is left out itself"


@pytest.mark.parametrize("name", ["permits.csv", "vehicles.csv"])
def test_a_file_without_a_header_does_not_empty_its_table(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\ufeff\n", encoding="utf-8")
    with pytest.raises(RegistryError, match=f"{name}, line 1, field 'file': expected a line that names the columns"):
        read_files([tmp_path / name])


def test_a_path_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="expected a file or a folder, found 'No such file or folder'"):
        read_files([tmp_path / "registry"])


def test_chinese_names_are_of_what_there_is() -> None:
    assert set(NAMES.values()) == {*TABLES, *MAPS}
    known = {name for required, columns in TABLES.values() for name in (*required, *columns)}
    free = {"drivers", "small_hours_exempt", "seats", "module"}  # of tables with any columns
    assert set(COLUMNS.values()) - free <= known
