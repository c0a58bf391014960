"""GTFS: what a feed says in our tables, what is refused, and feeds as they are found."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest import gtfs, table
from ingest.gtfs import is_gtfs, read_gtfs
from ingest.handed import read_files
from ingest.registry import Source
from ingest.table import RegistryError, Row
from ingest.trips import day_number

FEED = {
    "stops": "stop_id,stop_name,stop_lat,stop_lon,location_type\n"
    "1,One,44.00,87.30,\n2,Two,44.01,87.30,0\n3,Three,44.02,87.30,\nX,Hall,44.0,87.3,1\n",
    "routes": "route_id,route_short_name,route_long_name,route_type\nR,7,Ring,3\n",
    "trips": "route_id,service_id,trip_id,block_id,shape_id\nR,week,1,K,S\nR,feast,2,,S\n",
    "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
    "1,08:00:00,08:00:00,1,1,0,0\n1,,,2,2,3,3\n1,8:20:00,8:20:00,3,3,,\n"
    "2,24:10:00,24:10:00,3,10,1,0\n2,24:30:00,24:30:00,1,20,0,1\n",
    "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "week,1,1,1,1,1,0,0,20260301,20260331\n",
    "calendar_dates": "service_id,date,exception_type\n"
    "week,20260304,2\nweek,20260307,1\nweek,20260404,1\nfeast,20260305,1\n",
    "shapes": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nS,44.02,87.3,30\nS,44.0,87.3,2\nL,44.0,87.3,1\n",
}
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "transit"
"""Real feeds that may lie beside the project; they are read there and never copied into it."""


def feed(path: Path, **files: str) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in (FEED | files).items():
                archive.writestr(f"{name}.txt", text)
    else:
        path.mkdir()
        for name, text in (FEED | files).items():
            (path / f"{name}.txt").write_text(text, encoding="utf-8")
    return path


def cells(source: Source) -> dict[str, list[dict[str, str]]]:
    return {name: [row.cells for row in rows] for name, rows in source.tables.items()}


@pytest.mark.parametrize("name", ["feed.zip", "feed"])
def test_a_feed_in_our_tables(tmp_path: Path, name: str) -> None:
    path = feed(tmp_path / name)
    assert is_gtfs(path)
    source = read_files([path])
    assert cells(source)["trips"] == [
        {
            "trip": "1",
            "route": "R",
            "block": "K",
            "days": "12345",
            "also": "20260307",
            "except": "20260304",
            "valid_from": "20260301",
            "valid_to": "20260331",
        },
        {"trip": "1", "route": "R", "block": "K", "days": "0", "also": "20260404"},
        {"trip": "2", "route": "R", "block": "2", "days": "0", "also": "20260305"},
    ]
    assert [row["stop"] for row in cells(source)["stops"]] == ["1", "2", "3"]
    assert [row.get("request", "") for row in cells(source)["stop_times"]] == ["", "1", "", "", ""]
    (route,) = [feature.way("routes") for feature in source.maps["routes"]]
    assert (route.id, route.name, list(route.shape.geoms[0].coords)) == ("R", "7 Ring", [(87.3, 44.0), (87.3, 44.02)])


def test_who_runs_a_block_on_which_days(tmp_path: Path) -> None:
    source = read_gtfs(feed(tmp_path / "feed.zip"))
    here = tmp_path / "duties.csv"
    source.tables["duties"] = [
        Row(here, 2, {"plate": "测A00001", "block": "K"}),
        Row(here, 3, {"plate": "测A00001", "block": "2"}),
    ]
    known = source.registry().timetable
    march = [day_number(f"202603{at:02}") for at in range(1, 10)] + [day_number("20260404"), day_number("20260403")]
    runs = [[known.trips[trip].id for trip in known.runs(day)[1]] for day in march if day is not None]
    assert runs == [[], ["1"], ["1"], [], ["1", "2"], ["1"], ["1"], [], ["1"], ["1"], []]


def test_only_some_tables(tmp_path: Path) -> None:
    source = read_files([feed(tmp_path / "feed.zip")], only=("stops",))
    assert (list(source.tables), list(source.maps)) == (["stops"], [])


REFUSED: Mapping[str, tuple[dict[str, str], str, int, str]] = {
    "no trip_id": ({"trips": "route_id,service_id\n"}, "trips", 1, "trip_id"),
    "an unknown route": ({"trips": "route_id,service_id,trip_id\nQ,week,1\n"}, "trips", 2, "route_id"),
    "an unknown service": ({"trips": "route_id,service_id,trip_id\nR,never,1\n"}, "trips", 2, "service_id"),
    "no date": ({"calendar_dates": "service_id,date,exception_type\nweek,2026,1\n"}, "calendar_dates", 2, "date"),
    "exception 3": (
        {"calendar_dates": "service_id,date,exception_type\nweek,20260304,3\n"},
        "calendar_dates",
        2,
        "exception_type",
    ),
    "a place that is no number": (
        {"shapes": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nS,44,east,1\n"},
        "shapes",
        2,
        "shape_pt_lon",
    ),
    "by frequency": ({"frequencies": "trip_id,headway_secs\n1,600\n"}, "frequencies", 2, "trip_id"),
}


@pytest.mark.parametrize(("files", "name", "line", "field"), REFUSED.values(), ids=REFUSED)
def test_refused_with_file_line_and_field(
    tmp_path: Path, files: dict[str, str], name: str, line: int, field: str
) -> None:
    with pytest.raises(RegistryError, match=rf"{name}\.txt, line {line}, field '{field}'"):
        read_gtfs(feed(tmp_path / "feed.zip", **files))


def test_what_our_tables_refuse_names_the_file_of_the_feed(tmp_path: Path) -> None:
    times = FEED["stop_times"].replace("8:20:00,8:20:00", "7:20:00,7:20:00")
    with pytest.raises(RegistryError, match=r"stop_times\.txt, line 4, field 'arrives'"):
        read_gtfs(feed(tmp_path / "feed.zip", stop_times=times)).registry()


def test_lines_of_another_length_are_gathered(tmp_path: Path) -> None:
    source = read_gtfs(feed(tmp_path / "feed.zip", stops=FEED["stops"] + "9,Nine\n"))
    assert [(error.path.name, error.line) for error in source.refused] == [("stops.txt", 6)]


def test_a_file_that_is_missing_or_there_twice(tmp_path: Path) -> None:
    path = feed(tmp_path / "feed.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("old/stops.txt", FEED["stops"])
    with pytest.raises(RegistryError, match=r"stops\.txt"):
        read_gtfs(path)
    folder = feed(tmp_path / "feed")
    (folder / "routes.txt").unlink()
    with pytest.raises(RegistryError, match=r"routes\.txt"):
        read_gtfs(folder)


def test_no_zip_and_a_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(RegistryError, match="a readable zip file"):
        read_gtfs(path)
    whole = bytearray(feed(tmp_path / "whole.zip").read_bytes())
    whole[60:90] = bytes(30)
    path.write_bytes(whole)
    with pytest.raises(RegistryError, match="readable"):
        read_gtfs(path)


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gtfs, "MOST_ROWS", 3)
    with pytest.raises(RegistryError, match=r"stops\.txt, line 5, field 'file': expected at most 3 rows"):
        read_gtfs(feed(tmp_path / "feed.zip"))
    monkeypatch.setattr(gtfs, "MOST_BYTES", 100)
    with pytest.raises(RegistryError, match="at most 100 bytes"):
        read_gtfs(feed(tmp_path / "feed"))
    assert table.MOST_ROWS > 3


@pytest.mark.parametrize(
    ("name", "trips", "stops", "routes"),
    [("wmata_gtfs_3routes", 4_167, 347, 3), ("cairns_gtfs", 1_339, 416, 22)],
)
def test_real_feeds(name: str, trips: int, stops: int, routes: int) -> None:
    path = DATA / f"{name}.zip"
    if not path.exists():
        pytest.skip("not on this machine")
    source = read_gtfs(path)
    known = source.registry()
    assert not source.refused
    assert (len(known.timetable.trips), len(known.timetable.stops), len(known.routes)) == (trips, stops, routes)
