"""Timetables: what rows say, what is refused, and who is due where when."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ingest.faults import find_faults, without
from ingest.moment import parse_ms
from ingest.registry import Registry, read_registry, read_source
from ingest.table import RegistryError
from ingest.timetable import day_of, start_of
from ingest.trips import clock_ms, day_number

STOPS = "stop,name,lon,lat,request\nA,甲,87.30,44.00,\nB,乙,87.30,44.01,\nC,丙,87.30,44.02,1\nD,丁,87.30,44.03,\n"
TIMES = (
    "trip,order,stop,arrives,departs\n"
    "T1,1,A,08:00,\nT1,2,B,,\nT1,5,C,,\nT1,9,D,08:30,08:31\n"
    "T2,1,D,23:50,23:50:30\nT2,2,A,24:20,\n"
)
TRIPS = "trip,route,plate,days,valid_from,valid_to\nT1,1,测A00001,12345,2026-03-01,\nT2,1,测A00001,,,\n"


def read(folder: Path, **tables: str) -> Registry:
    content = {"vehicles": "plate,class\n测A00001,B\n测A00002,B\n", "stops": STOPS, "trips": TRIPS, "stop_times": TIMES}
    for name, text in (content | tables).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return read_registry(folder)


def ms(text: str) -> int:
    found = parse_ms(text)
    assert found is not None
    return found


def day(text: str) -> int:
    found = day_number(text)
    assert found is not None
    return found


def test_days_and_clocks() -> None:
    assert day("2026-03-02") == day("20260302") == int(day_of(np.array([ms("2026-03-02T00:00:00")]))[0])
    assert start_of(day("2026-03-02")) == ms("2026-03-02T00:00:00")
    assert clock_ms("7:05") == 25_500_000
    assert clock_ms("47:59:59") == 172_799_000
    assert [clock_ms(text) for text in ("48:00", "7", "07:60", "a:00", "7:5:61", "-1:00", "")] == [None] * 7


def test_an_untimed_stop_lies_evenly_between_its_neighbours(tmp_path: Path) -> None:
    calls = read(tmp_path).timetable.calls
    assert (calls.arrives_ms[:4] / 60_000).tolist() == [480, 490, 500, 510]
    assert calls.departs_ms[3] == 511 * 60_000
    assert calls.timed.tolist() == [True, False, False, True, True, True]
    assert calls.request.tolist() == [False, False, True, False, False, False]


def test_runs_follow_weekdays_validity_and_exceptions(tmp_path: Path) -> None:
    trips = "trip,route,plate,days,except,valid_from,valid_to\nT1,1,测A00001,12345,2026-03-04,2026-03-03,2026-03-09\n"
    known = read(tmp_path, trips=trips).timetable
    days = [day(f"2026-03-{number:02}") for number in range(1, 12)]
    assert [number - days[0] + 1 for number in days if len(known.runs(number)[0])] == [3, 5, 6, 9]


def test_a_trip_behind_midnight_belongs_to_its_service_day(tmp_path: Path) -> None:
    known = read(tmp_path).timetable
    sunday = day("2026-03-08")
    begin, end = known.served(sunday)
    assert (begin[0], end[0]) == (ms("2026-03-08T23:50:30"), ms("2026-03-09T00:20:00"))
    due = known.due(sunday + 1)
    assert due.departs_ms[:2].tolist() == [ms("2026-03-08T23:50:30"), ms("2026-03-09T00:20:00")]
    assert due.day[:2].tolist() == [sunday] * 2
    assert (np.diff(due.key) >= 0).all()
    row = np.zeros(1, np.int32)
    first, last = due.between(row, np.array([ms("2026-03-09T08:00:00")]), np.array([ms("2026-03-09T08:10:00")]))
    assert [known.stops[known.calls.stop[due.call[at]]].id for at in range(first[0], last[0])] == ["A", "B"]


def test_a_block_is_run_by_who_has_it_when_the_trip_departs(tmp_path: Path) -> None:
    known = read(
        tmp_path,
        trips="trip,route,block\nT1,1,K\nT2,1,K\n",
        duties="plate,block,valid_from,valid_to\n"
        "测A00001,K,2026-03-02,2026-03-02T12:00:00\n测A00002,K,2026-03-02T12:00:00,2026-03-02\n",
    ).timetable
    row, trip = known.runs(day("2026-03-02"))
    assert [(int(known.vehicles[at]), known.trips[number].id) for at, number in zip(row, trip, strict=True)] == [
        (0, "T1"),
        (1, "T2"),
    ]
    assert not len(known.runs(day("2026-03-03"))[0])
    assert known.rows(np.array([0, 1, 2], np.int32)).tolist() == [0, 1, -1]


def test_nothing_known_nobody_due(tmp_path: Path) -> None:
    known = read(tmp_path, trips="trip\n", stops="stop,lon,lat\n", stop_times="trip,order,stop,arrives\n").timetable
    assert not len(known.due(day("2026-03-02")).key)
    assert known.rows(np.array([0], np.int32)).tolist() == [-1]


REFUSED: Mapping[str, tuple[dict[str, str], int, str]] = {
    "reversed at a stop": ({"stop_times": TIMES.replace("08:30,08:31", "08:30,08:29")}, 5, "departs"),
    "reversed between stops": ({"stop_times": TIMES.replace("08:30,08:31", "07:30,")}, 5, "arrives"),
    "an unknown stop": ({"stop_times": TIMES.replace("T1,2,B", "T1,2,X")}, 3, "stop"),
    "an order twice": ({"stop_times": TIMES.replace("T1,2,B", "T1,1,B")}, 3, "order"),
    "no order": ({"stop_times": TIMES.replace("T1,2,B", "T1,,B")}, 3, "order"),
    "no time at the end": ({"stop_times": TIMES.replace("08:30,08:31", ",")}, 5, "arrives"),
    "no time of day": ({"stop_times": TIMES.replace("08:30,08:31", "48:00,")}, 5, "arrives"),
    "one stop": ({"stop_times": TIMES + "T3,1,A,08:00,\n"}, 8, "trip"),
    "a trip without stops": ({"trips": TRIPS + "T9,1,测A00001,,,\n"}, 4, "trip"),
    "two routes": ({"trips": TRIPS + "T1,2,测A00001,7,,\n"}, 4, "route"),
    "weekday 8": ({"trips": TRIPS + "T1,1,测A00001,8,,\n"}, 4, "days"),
    "a trip twice": ({"trips": TRIPS + "T1,1,测A00002,56,,\n"}, 4, "trip"),
    "a validity reversed": ({"trips": TRIPS + "T1,1,测A00002,6,2026-03-02,2026-03-01\n"}, 4, "valid_to"),
    "an exception that is no date": ({"trips": "trip,except\nT1,soon\n"}, 2, "except"),
    "a stop twice": ({"stops": STOPS + "A,,87.3,44.0,\n"}, 6, "stop"),
    "a stop nowhere": ({"stops": STOPS + "E,,187.3,44.0,\n"}, 6, "lon"),
    "a stop beyond the pole": ({"stops": STOPS + "E,,87.3,94.0,\n"}, 6, "lat"),
    "a block twice": (
        {"duties": "plate,block,valid_from\n测A00001,K,2026-03-02\n测A00002,K,2026-03-09\n"},
        3,
        "valid_from",
    ),
    "an unknown column": ({"trips": "trip,colour\nT1,red\n"}, 1, "colour"),
}


@pytest.mark.parametrize(("tables", "line", "field"), REFUSED.values(), ids=REFUSED)
def test_refused_with_line_and_field(tmp_path: Path, tables: dict[str, str], line: int, field: str) -> None:
    with pytest.raises(RegistryError, match=f"line {line}, field '{field}'"):
        read(tmp_path, **tables)


def test_all_faults_at_once_and_what_is_left_makes_sense(tmp_path: Path) -> None:
    tables = {
        "vehicles": "plate,class\n测A00001,B\n",
        "stops": STOPS + "A,,87.3,44.0,\nE,,east,44.0,\n",
        "stop_times": TIMES.replace("T1,2,B", "T1,1,B").replace("24:20,", "23:10,")
        + "T3,1,E,08:00,\nT3,2,A,,\nT3,3,B,08:20,\nT3,4,C,08:10,\n",
        "trips": TRIPS + "T1,1,测A00001,12345,2026-03-02,\nT3,1,,,,\nT1,1,测A00001,8,,\n",
        "duties": "plate,block,valid_from\n测A00001,K,2026-03-02\n测A00002,K,2026-03-09\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    source = read_source(tmp_path)
    faults = find_faults(source)
    found = {(error.path.stem, error.line) for _, error in faults}
    assert found == {
        *(("stops", line) for line in (6, 7)),
        *(("stop_times", line) for line in (3, 6, 7, 8, 9, 10, 11)),
        *(("trips", line) for line in (3, 4, 5, 6)),
        ("duties", 3),
    }
    left = without(source, faults).registry().timetable
    assert [trip.id for trip in left.trips] == ["T1"]
    assert [left.stops[stop].id for stop in left.calls.stop] == ["A", "C", "D"]


def test_another_vehicle_for_one_day(tmp_path: Path) -> None:
    trips = (
        "trip,plate,days,except,valid_from,valid_to\n"
        "T1,测A00001,12345,2026-03-04,,\nT1,测A00002,,,2026-03-04,2026-03-04\n"
    )
    known = read(tmp_path, trips=trips).timetable
    assert [int(known.runs(day(f"2026-03-0{at}"))[0][0]) for at in (3, 4, 5)] == [0, 1, 0]
