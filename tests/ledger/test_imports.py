"""Imports: what is given takes the place of what there was, whole, and nothing else changes."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import GROUPS
from detectors.fitness import SHARED
from ingest.faults import FaultsError
from ingest.handed import read_files
from ingest.table import RegistryError
from ledger import imports, registries
from ledger.database import connect
from ledger.imports import Imported

VEHICLES = "plate,class,county,company\n测A00001,L,652301,甲\n测A00002,H,652301,乙\n"
PERMITS = "permit,plate,number,valid_from,valid_to\n"
FENCE = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"A","kind":"hazmat_no_go"},'
    '"geometry":{"type":"Polygon","coordinates":[[[87,44],[88,44],[88,45],[87,44]]]}}]}'
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url) as connection:
        yield connection


def bring(
    connection: psycopg.Connection, folder: Path, files: dict[str, str], *, add: bool = False, partial: bool = False
) -> Imported:
    paths = []
    for name, text in files.items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8")
    return imports.bring(connection, read_files(paths), "tester", add=add, partial=partial)


def places(connection: psycopg.Connection, version: int, table: str) -> list[str]:
    rows = registries.page(connection, version, table, 0, 1000)
    return [str(row["content"].get("number", row["content"].get("plate"))) for row in rows]


def audited(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT actor, action, subject, detail FROM audit ORDER BY number").fetchall()


def test_what_is_not_given_stays(connection: psycopg.Connection, tmp_path: Path) -> None:
    one = bring(connection, tmp_path, {"vehicles.csv": VEHICLES, "fences.geojson": FENCE})
    assert (one.version, one.gone, one.new, one.rows) == (1, 0, 3, {"fences": 1, "vehicles": 2})
    two = bring(connection, tmp_path, {"permits.csv": f"{PERMITS}relay,测A00001,1,,\nrelay,测A00002,2,,\n"})
    assert (two.version, two.gone, two.new) == (2, 0, 2)
    three = bring(connection, tmp_path, {"permits.csv": f"{PERMITS}relay,测A00001,1,,\n"})
    assert (three.version, three.gone, three.new) == (3, 1, 0)
    four = bring(connection, tmp_path, {"permits.csv": f"{PERMITS}detour,测A00001,4,,\n"}, add=True)
    assert (four.version, four.gone, four.new, four.rows) == (4, 0, 1, {"permits": 2})
    assert [places(connection, at, "permits") for at in range(1, 5)] == [[], ["1", "2"], ["1"], ["1", "4"]]
    newest = registries.load(connection, 4)
    assert len(newest.vehicles) == 2
    assert [fence.id for fence in newest.fences] == ["A"]
    again = bring(connection, tmp_path, {"permits.csv": f"{PERMITS}relay,测A00001,1,,\ndetour,测A00001,4,,\n"})
    assert (again.version, again.gone, again.new) == (4, 0, 0)
    assert len(audited(connection)) == 4


def test_one_bad_row_stops_all_or_is_left_out(connection: psycopg.Connection, tmp_path: Path) -> None:
    bring(connection, tmp_path, {"vehicles.csv": VEHICLES})
    good = [f"relay,测A{at:05},{at},," for at in range(10_000)]
    files = {"permits.csv": "\n".join([PERMITS.strip(), *good[:5_000], "relay,,x,,", *good[5_000:]])}
    with pytest.raises(FaultsError, match=r"1 行有误 .*\n.*permits.csv, line 5002, field 'plate': expected a text"):
        bring(connection, tmp_path, files)
    assert registries.latest(connection)[0] == 1
    assert places(connection, 1, "permits") == []
    done = bring(connection, tmp_path, files, partial=True)
    assert (done.version, done.new, [fault.error.line for fault in done.faults]) == (2, 10_000, [5_002])
    assert audited(connection)[-1][3] == {"tables": ["permits"], "left_out": 1, "gone": 0, "new": 10_000}
    with pytest.raises(FaultsError, match="line 2, field 'permit'"):
        bring(connection, tmp_path, {"permits.csv": f"{PERMITS}passport,测A00001,1,,\n"}, partial=True)
    assert registries.latest(connection)[0] == 2, "nothing would be left of it"


def test_a_row_that_meets_one_of_before(connection: psycopg.Connection, tmp_path: Path) -> None:
    """Which of the two is wrong is for people to say; the one that comes is not taken."""
    row = "relay,测A00001,1,2026-03-01,2026-03-31\n"
    bring(connection, tmp_path, {"permits.csv": PERMITS + row})
    files = {"permits.csv": f"{PERMITS}relay,测A00001,2,2026-03-31,\ndetour,测A00001,3,,\n"}
    with pytest.raises(
        FaultsError, match="line 2, field 'valid_from': expected a time not before the end of the one in"
    ):
        bring(connection, tmp_path, files, add=True)
    assert bring(connection, tmp_path, files, add=True, partial=True).rows == {"permits": 2}
    assert places(connection, 2, "permits") == ["1", "3"]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"parameters.csv": "group,name,value\nV01,margin,5\n"}, "line 2, field 'name': expected a parameter of V01"),
        ({"parameters.csv": "group,name,value\nV99,margin,5\n"}, "line 2, field 'group': expected one of V01"),
        ({"parameters.csv": "group,name,value\nV01,points,0.5\n"}, "line 2, field 'value': expected a whole number"),
        ({"parameters.csv": "group,name,value,fence\nV20,points,3,B\n"}, "line 2, field 'fence': expected the id of a"),
        ({"parameters.csv": "group,name,value,fence\nV05,limit_ms,3,A\n"}, "line 2, field 'fence': expected nothing"),
        ({"parameters.csv": "group,name,value\ndriving,near_dm,100\n"}, "expected driving near_dm above yard_dm"),
        (
            {"exemptions.csv": "kind,reason,county,fence,valid_to\nV01,x,,B,2026-03-01\n"},
            "line 2, field 'fence': expected the id of a fence",
        ),
        (
            {"exemptions.csv": "kind,reason,county,valid_to\nV98,x,652301,2026-03-01\n"},
            "line 2, field 'kind': expected * for all, or one of V01",
        ),
        (
            {"exemptions.csv": "kind,reason,county,plate_color,valid_to\n*,x,652301,黄,2026-03-01\n"},
            "line 2, field 'plate_color': expected a whole number from 0 to 255",
        ),
        (
            {"parameters.csv": "group,name,value\nroad_match,reach_dm,1001\n"},
            "field 'value': expected a number up to 1000",
        ),
        ({"parameters.csv": "group,name,value\nroad_match,reach,5\n"}, "field 'name': expected a parameter of road_m"),
        ({"fences.geojson": FENCE.replace('"A"', '"B"'), "vehicles.csv": "plate,class\n"}, ""),
    ],
)
def test_what_no_rule_can_go_by_is_refused(
    connection: psycopg.Connection, tmp_path: Path, files: dict[str, str], complaint: str
) -> None:
    used = {"parameters.csv": "group,name,value,fence\nV20,points,3,A\n"}
    bring(connection, tmp_path, {"vehicles.csv": VEHICLES, "fences.geojson": FENCE} | ({} if complaint else used))
    with pytest.raises(RegistryError) as error:
        bring(connection, tmp_path, files)
    assert (complaint or "registry version 1: parameters, line 1, field 'fence'") in str(error.value)
    assert registries.latest(connection)[0] == 1


def test_every_group_of_an_engine_can_be_set(connection: psycopg.Connection, tmp_path: Path) -> None:
    shared = ((group, next(iter(SHARED[group]))) for group in GROUPS if group not in CATALOGUE)
    bring(
        connection, tmp_path, {"parameters.csv": "\n".join(["group,name,value", *(f"{a},{b},90" for a, b in shared)])}
    )
    assert len(registries.load(connection, 1).overrides) == len(SHARED)


def test_a_parameter_is_set_with_who_and_why(connection: psycopg.Connection, tmp_path: Path) -> None:
    bring(connection, tmp_path, {"vehicles.csv": VEHICLES, "fences.geojson": FENCE})
    cells = {"group": "V20", "name": "points", "value": "3", "fence": "A", "class": "", "valid_from": "2026-12-01"}
    done = imports.set_parameter(connection, cells, "zhang", "  试点  ")
    assert (done.version, done.new, done.gone) == (2, 1, 0)
    (row,) = registries.page(connection, 2, "parameters", 0, 10)
    kept = {name: text for name, text in cells.items() if text} | {"by": "zhang", "why": "试点"}
    assert row["content"] == kept
    assert audited(connection)[-1] == (
        "zhang", "parameter.set", "version 2", {"tables": ["parameters"], "gone": 0, "new": 1, **kept},
    )  # fmt: skip
    imports.set_parameter(connection, cells | {"value": "4"}, "zhang", "again")
    assert [row["content"]["value"] for row in registries.page(connection, 3, "parameters", 0, 10)] == ["3", "4"]
    for bad, why, complaint in (
        ({"value": "x"}, "x", "parameter, field 'value': expected a number"),
        ({"name": "pints"}, "x", "parameter, field 'name'"),
        ({"fence": "C"}, "x", "parameter, field 'fence'"),
        ({"valid_from": "soon"}, "x", "parameter, field 'valid_from'"),
        ({"colour": "red"}, "x", "field 'colour': expected columns of"),
        ({}, " ", "parameter, field 'why': expected the reason"),
    ):
        with pytest.raises(RegistryError, match=complaint):
            imports.set_parameter(connection, cells | bad, "zhang", why)
    assert registries.latest(connection)[0] == 3
