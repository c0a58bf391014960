"""The registry in the database: as the folder says, in every version it ever had."""

import csv
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import psycopg
import pytest

from ingest.fences import Feature
from ingest.log import REGISTRY, LogError, NewFrame
from ingest.registry import CLASSES, Registry, read_registry, read_source
from ingest.table import RegistryError
from ledger import registries
from ledger.database import connect
from ledger.tablelog import TableLog

COLUMNS = (
    "plate", "plate_color", "class", "company", "county", "sim", "drivers", "small_hours_exempt", "valid_from",
    "valid_to", "备注",
)  # fmt: skip


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url) as connection:
        yield connection


def table(path: Path, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def span(random: Random) -> tuple[str, str]:
    return random.choice((
        ("", ""), ("2026-01-01", ""), ("", "2026-03-31"), ("2026-01-01", "2026-01-01"),
        ("20260101", "2026-02-01T00:00"), ("1772380800000", "1772380800001"),
    ))  # fmt: skip


def ring(random: Random) -> list[list[float]]:
    west, south = 87 + random.random(), 44 + random.random()
    east, north = west + random.choice((0.1, 1 / 3, 1e-7)), south + random.random() / 7 + 1e-9
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def features(random: Random) -> list[dict[str, Any]]:
    made = []
    for at in range(random.randrange(0, 6)):
        kind = random.choice(("road", "speed", "hazmat_no_go", "county", "车站"))
        begin, end = span(random)
        properties: dict[str, Any] = {
            "id": f"围栏 {at}",
            "kind": kind,
            "limit_kmh": random.choice((40, 59.5, 1e-3, 200)),
        }
        properties |= {"valid_from": begin, "valid_to": end, "other": [None, {"深": 1.10}]}
        geometry: dict[str, Any] = {"type": "Polygon", "coordinates": [ring(random)]}
        if random.random() < 0.4:
            far = [[[x + 3, y] for x, y in ring(random)]]
            geometry = {"type": "MultiPolygon", "coordinates": [[ring(random)], far]}
        made.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return made


def folder(path: Path, random: Random) -> Path:
    """A registry folder with dated rows, ties, fences and parameters."""
    path.mkdir()
    rows: list[tuple[Any, ...]] = []
    for at in range(random.randrange(1, 20)):
        for _ in range(random.choice((1, 1, 2, 3))):
            party = random.choice(("甲, 公司", '乙"', "", " ")), random.choice(("652301", "652302", ""))
            rest = random.choice(("", "1", "2")), random.choice(("", "0", "1")), *span(random), random.choice("xy ")
            rows.append((f"测{at:05}", random.choice(("", 2, 1)), random.choice(CLASSES), *party, "1390", *rest))
    random.shuffle(rows)
    rows.append(rows[0])
    table(path / "vehicles.csv", COLUMNS, rows)
    if random.random() < 0.8:
        text = json.dumps({"type": "FeatureCollection", "features": features(random)}, ensure_ascii=False, indent=1)
        (path / "fences.geojson").write_text(text, encoding="utf-8")
    if random.random() < 0.8:
        header = ("group", "name", "value", "class", "county", "company", "valid_from", "valid_to")
        parameters = [
            ("V01", "margin_kmh", random.random() * 7, random.choice(("", "LC")), "", "甲", *span(random))
            for _ in range(random.randrange(3))
        ]
        table(path / "parameters.csv", header, parameters)
    return path


def picture(registry: Registry) -> dict[str, Any]:
    """All that counts of a registry; places in files are of no account, but their order is."""
    entries = {column.name: list(getattr(registry.entries, column.name)) for column in fields(registry.entries)}
    fences = [
        {column.name: getattr(fence, column.name) for column in fields(fence)} | {"shape": fence.shape.wkb}
        for fence in registry.fences
    ]
    overrides = [
        (one.group, one.name, one.value, one.classes, one.county, one.company, one.from_ms, one.to_ms)
        for one in registry.overrides
    ]
    by_weight = sorted(range(len(overrides)), key=lambda at: registry.overrides[at].weight)
    return {
        "entries": entries, "parties": registry.parties, "names": registry.vehicles.names,
        "fences": repr(fences), "overrides": overrides, "by_weight": by_weight,
    }  # fmt: skip


def store(connection: psycopg.Connection, path: Path, actor: str = "tester") -> tuple[int, int, int]:
    return registries.store(connection, read_source(path), actor)


def audits(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute("SELECT actor, action, subject, detail FROM audit ORDER BY number").fetchall()


# --- what is stored is what is loaded ----------------------------------------------------------------------------


def test_every_version_loads_as_its_folder_says(connection: psycopg.Connection, tmp_path: Path) -> None:
    """Each import replaces the whole; every older version stays as it was."""
    pictures, counts = {0: picture(registries.load(connection, 0))}, []
    for seed in range(16):
        path = folder(tmp_path / str(seed), Random(seed))
        version, gone, new = store(connection, path)
        pictures[version] = picture(read_registry(path))
        counts.append((gone, new))
        assert store(connection, path) == (version, 0, 0), "nothing has changed"
    assert sorted(pictures) == list(range(17))
    assert all(new or gone for gone, new in counts)
    for version, expected in pictures.items():
        assert picture(registries.load(connection, version)) == expected, version
    detail = [(row[2], row[3]) for row in audits(connection)]
    assert detail == [(f"version {at}", {"gone": gone, "new": new}) for at, (gone, new) in enumerate(counts, 1)]


def test_version_0_is_nobody(connection: psycopg.Connection) -> None:
    registry = registries.load(connection, 0)
    assert len(registry.vehicles) == len(registry.fences) == len(registry.overrides) == 0
    assert registries.latest(connection) == (0, True)


def write(path: Path, *plates: str) -> Path:
    path.mkdir(exist_ok=True)
    table(path / "vehicles.csv", ("plate", "class"), [(plate, "L") for plate in plates])
    return path


def held(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT content ->> 'plate', place, since_version, until_version FROM registry_rows ORDER BY 3, 2"
    ).fetchall()


def test_only_what_has_changed_begins_and_ends(connection: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "registry"
    assert store(connection, write(path, "a", "b", "c"), "one") == (1, 0, 3)
    assert store(connection, write(path, "a", "x", "c"), "two") == (2, 1, 1)
    assert store(connection, write(path, "a", "x"), "three") == (3, 1, 0)
    assert store(connection, write(path, "x", "a"), "four") == (4, 2, 2)
    assert held(connection) == [
        ("a", 1, 1, 4), ("b", 2, 1, 2), ("c", 3, 1, 3), ("x", 2, 2, 4), ("x", 1, 4, None), ("a", 2, 4, None),
    ]  # fmt: skip
    plates = [[name.plate for name in registries.load(connection, at).vehicles.names] for at in range(5)]
    assert plates == [[], ["a", "b", "c"], ["a", "x", "c"], ["a", "x"], ["x", "a"]]
    assert [row[0] for row in audits(connection)] == ["one", "two", "three", "four"]


def test_a_registry_of_nobody_can_be_imported_first(connection: psycopg.Connection, tmp_path: Path) -> None:
    """It is no change against nothing, but a version all the same: the log must be told of one."""
    path = write(tmp_path / "registry")
    assert store(connection, path) == (1, 0, 0)
    assert store(connection, path) == (1, 0, 0)
    assert len(audits(connection)) == 1


def fence(path: Path, value: str) -> Feature:
    shape = json.dumps({"type": "Polygon", "coordinates": [ring(Random(1))]})
    return Feature(
        path, 7, f'{{"geometry": {shape}, "properties": {{"id": "a", "kind": "park", "x": {value}}}}}'.encode()
    )


def test_values_that_no_database_keeps(connection: psycopg.Connection, tmp_path: Path) -> None:
    """All that is fit to be read from a file, and not to be kept in a database."""
    path = write(tmp_path / "registry", "a")
    for bad in ("测\x00", "\\\x00", "\ud800", "\udfff"):
        source = read_source(path)
        source.vehicles[0].cells["company"] = bad
        with pytest.raises(RegistryError, match=r"line 2.* characters that a database can keep"):
            registries.store(connection, source, "x")
    for value in ('"\\u0000"', '"\\\\\\u0000"', '"\\ud800"', '["\\u0000"]', '{"\\u0000": 1}', "1e999", "[-1e999]"):
        source = read_source(path)
        source.maps["fences"] = [fence(tmp_path, value)]
        assert len(source.registry().fences) == 1
        with pytest.raises(RegistryError, match=r"line 7.* (characters that a database can keep|finite numbers)"):
            registries.store(connection, source, "x")
    assert registries.latest(connection)[0] == 0
    assert connection.execute("SELECT count(*) FROM registry_rows").fetchone() == (0,)
    odd = ("\\u0000", "\\\\u0000", "\x01\x7f\u2028", "🚌", '"\\')
    source = read_source(write(path, *"abcde"))
    for row, company in zip(source.vehicles, odd, strict=True):
        row.cells["company"] = company
    source.maps["fences"] = [fence(tmp_path, json.dumps("\\u0000"))]
    registries.store(connection, source, "x")
    assert [party.company for party in registries.load(connection, 1).parties[:-1]] == [one.strip() for one in odd]


def test_a_registry_that_makes_no_sense_is_not_stored(connection: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "registry"
    path.mkdir()
    table(path / "vehicles.csv", ("plate", "class"), [("a", "L"), ("b", "Q")])
    with pytest.raises(RegistryError, match=r"line 3, field 'class'"):
        store(connection, path)
    assert registries.latest(connection) == (0, True)
    assert audits(connection) == []


def test_two_imports_at_once(database_url: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    sources = [read_source(write(tmp_path / str(at), "a", f"b{at}")) for at in range(4)]
    ready = threading.Barrier(len(sources))

    def one(at: int) -> int:
        with connect(database_url) as own:
            ready.wait()
            return registries.store(own, sources[at], f"import {at}")[0]

    with ThreadPoolExecutor(len(sources)) as pool:
        versions = list(pool.map(one, range(4)))
    assert sorted(versions) == [1, 2, 3, 4]
    for at, version in enumerate(versions):
        assert [name.plate for name in registries.load(connection, version).vehicles.names] == ["a", f"b{at}"]
    assert len(audits(connection)) == 4


def test_twenty_thousand_vehicles_are_fast(connection: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "registry"
    path.mkdir()
    rows = [(f"测{at:05}", "L", f"company {at % 97}", "652301") for at in range(20_000)]
    table(path / "vehicles.csv", ("plate", "class", "company", "county"), rows)
    begin = time.monotonic()
    assert store(connection, path) == (1, 0, 20_000)
    rows[7] = ("测", "L", "", "")
    table(path / "vehicles.csv", ("plate", "class", "company", "county"), rows)
    assert store(connection, path) == (2, 1, 1)
    loaded = registries.load(connection, 2)
    assert time.monotonic() - begin < 20, "measured: 2 s"
    np.testing.assert_array_equal(loaded.entries.vehicle, read_registry(path).entries.vehicle)


# --- the log is told -----------------------------------------------------------------------------------------------


def told(url: str) -> list[tuple[int, bytes]]:
    with connect(url) as connection:
        return connection.execute(
            "SELECT partition, content FROM log_frames WHERE form = %s ORDER BY frame_offset, partition", (REGISTRY,)
        ).fetchall()


class Refusing(TableLog):
    """The log as it is when its connection breaks: before it takes frames, or before it says so."""

    after = False

    def append(self, frames: Any) -> None:
        if self.after:
            super().append(frames)
        raise LogError("cut", passing=True)


def test_every_partition_is_told_once(database_url: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    TableLog.create(database_url, 3)
    store(connection, write(tmp_path / "registry", "a"))
    assert registries.latest(connection) == (1, False)
    with closing(TableLog(database_url)) as log:
        assert registries.announce(connection, log)
        assert registries.latest(connection) == (1, True)
        assert not registries.announce(connection, log)
        assert told(database_url) == [(0, b"1"), (1, b"1"), (2, b"1")]
        assert store(connection, write(tmp_path / "registry", "a")) == (1, 0, 0)
        assert not registries.announce(connection, log)
        store(connection, write(tmp_path / "registry", "b"))
        assert registries.announce(connection, log)
    assert told(database_url)[3:] == [(0, b"2"), (1, b"2"), (2, b"2")]


def test_an_announcement_that_breaks_is_made_again(
    database_url: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    TableLog.create(database_url, 2)
    path = write(tmp_path / "registry", "a")
    store(connection, path)
    for after, frames in ((False, 0), (True, 2)):
        with closing(Refusing(database_url)) as broken:
            broken.after = after
            with pytest.raises(LogError):
                registries.announce(connection, broken)
        assert registries.latest(connection) == (1, False)
        assert len(told(database_url)) == frames
    assert store(connection, path) == (1, 0, 0), "an import that was cut off is repeated"
    with closing(TableLog(database_url)) as log:
        assert registries.announce(connection, log)
        log.append([NewFrame(0, "tick", 0, b"1")])
    assert told(database_url) == [(0, b"1"), (1, b"1")] * 2
    assert registries.latest(connection) == (1, True)
