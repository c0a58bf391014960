"""State taken out of one engine goes on in another as if nothing had happened."""

import csv
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.found import PLACES, Fact, Found, places
from detectors.packing import Packed, from_bytes, pack, to_bytes, unpack
from ingest.batch import Batch, concat
from ingest.formats import read_positions
from ingest.registry import Registry, Vehicles, read_registry
from ingest.rejects import Rejects
from tests.streams import write_stream

NOTHING: frozenset[str] = frozenset()
ALL = frozenset({"gate", "activity", *CATALOGUE})


def batch_of(positions: Path, vehicles: Vehicles) -> Batch:
    with positions.open("rb") as file:
        return concat([part.batch for part in read_positions(file, positions.name, vehicles, Rejects())])


def shuffled(registry: Path, folder: Path, random: Random) -> Path:
    """The same registry for these vehicles and times, in another order, with much that is of no concern."""
    folder.mkdir()
    with (registry / "vehicles.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    # of rows of one vehicle that begin together the later wins: rows of a vehicle keep their order
    plates = list({row[0] for row in rows} | {"别家1"})
    random.shuffle(plates)
    rows.append(["别家1", "2", "L", "丁", "", "1", "0", "", ""])
    rows.sort(key=lambda row: plates.index(row[0]))
    with (folder / "vehicles.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    with (registry / "parameters.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    counters, holds = ("V05", "V06"), ("V01", "V02", "V03", "V04", "V20")
    names = {
        **dict.fromkeys(counters, ("limit_ms",)),
        **dict.fromkeys(holds, ("points", "hold_ms")),
        "V09": ("open_ms",),
    }
    more = [
        [code, name, str(random.randrange(2, 90)), "", "", *party]
        for code in names
        for name in names[code]
        for party in (("", "2020-01-01", "2020-12-31"), ("", "2027-01-01", ""), ("丁", "", ""))
    ]
    with (folder / "parameters.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *more, *rows])
    collection = json.loads((registry / "fences.geojson").read_text(encoding="utf-8"))
    shape = {"type": "Polygon", "coordinates": [[[87.0, 44.0], [87.1, 44.0], [87.1, 44.1], [87.0, 44.0]]]}
    other = [
        {"type": "Feature", "properties": {"id": f"g{number}", "kind": "garden"}, "geometry": shape}
        for number in range(5)
    ]
    # of fences of one kind and limit the first is shown: those of a kind keep their order
    features = sorted(collection["features"], key=lambda one: one["properties"]["kind"], reverse=True)
    collection["features"] = [*other, *features]
    (folder / "fences.geojson").write_text(json.dumps(collection), encoding="utf-8")
    return folder


def told(found: Mapping[str, Found], registry: Registry) -> list[tuple[object, ...]]:
    """All rows, with plates and ids in the place of numbers, by kind and vehicle."""
    rows = []
    for code, part in found.items():
        for row in part:
            shown = {name: row[name].item() for name in part.dtype.names or ()}
            shown["vehicle"] = registry.vehicles.names[row["vehicle"]]
            shown |= dict.fromkeys(PLACES.keys() & shown.keys()) | places(row, registry)
            rows.append((code, *shown.values()))
    return sorted(rows, key=lambda row: row[:2])


def facts_and_ends(*rows: list[tuple[object, ...]]) -> tuple[list[tuple[object, ...]], dict[Any, Any]]:
    """Facts, all of them in order; and each episode as it stands at the end."""
    every = sorted((row for part in rows for row in part), key=lambda row: row[:2])
    facts = [row for row in every if row[2] != Fact.STANDS]
    return facts, {(*row[:2], row[3]): (*row[:2], *row[3:]) for row in every}


def renumbered(batch: Batch, old: Vehicles, new: Vehicles) -> Batch:
    """The batch for another registry's vehicles."""
    rows = np.array([new.row(*name) for name in old.names], np.int32)
    return replace(batch, vehicle=rows[batch.vehicle])


def moved(engine: Engine, other: Engine) -> frozenset[str]:
    """Move all vehicles from one engine to another, by way of bytes."""
    names = list(engine.registry.vehicles.names)
    Random(1).shuffle(names)
    old = np.array([engine.registry.vehicles.rows[name] for name in names])
    new = np.array([other.registry.vehicles.row(*name) for name in names])
    return unpack(other, new, from_bytes(to_bytes(pack(engine, old))))


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_goes_on_in_another_engine(tmp_path: Path, seed: int) -> None:
    positions, folder = write_stream(tmp_path / "own", seed, fixes=3_000)
    whole, first = Engine(read_registry(folder)), Engine(read_registry(folder))
    batch = batch_of(positions, whole.registry.vehicles)
    batch_of(positions, first.registry.vehicles)
    cut = Random(seed).randrange(500, 2_500)
    parts = batch.take(slice(0, cut)), batch.take(slice(cut, None))
    expected = facts_and_ends(*(told(whole.detect(part).found, whole.registry) for part in parts))

    before = told(first.detect(parts[0]).found, first.registry)
    second = Engine(read_registry(shuffled(folder, tmp_path / "other", Random(seed))))
    rest = renumbered(parts[1], first.registry.vehicles, second.registry.vehicles)
    assert moved(first, second) == NOTHING
    after = told(second.detect(rest).found, second.registry)
    assert facts_and_ends(before, after) == expected
    assert expected[0]


def test_the_other_registry_numbers_differently(tmp_path: Path) -> None:
    """The comparison is worth something only where numbers had to be translated."""
    differ = {"sets": 0, "fences": 0, "vehicles": 0}
    for seed in range(20):
        folder = write_stream(tmp_path / f"{seed}", seed, fixes=1)[1]
        own, other = (
            Engine(read_registry(path)) for path in (folder, shuffled(folder, tmp_path / f"other{seed}", Random(seed)))
        )
        differ["sets"] += any(
            own.parameters[code].sets[1:].tolist()
            != other.parameters[code].sets[1 : len(own.parameters[code].sets)].tolist()
            for code in ("V01", "V05", "V09")
        )
        differ["fences"] += bool(own.registry.fences) and own.registry.fences[0].id != other.registry.fences[0].id
        differ["vehicles"] += own.registry.vehicles.names[0] != other.registry.vehicles.names[0]
    assert min(differ.values()) >= 8, differ


def loaded(tmp_path: Path, seed: int = 3, kinds: Any = CATALOGUE) -> tuple[Engine, Path]:
    """An engine in the midst of a stream, and the folder of its registry."""
    positions, folder = write_stream(tmp_path / f"{seed}", seed, fixes=2_000)
    engine = Engine(read_registry(folder), kinds)
    engine.detect(batch_of(positions, engine.registry.vehicles))
    return engine, folder


def rows_of(engine: Engine) -> Any:
    return np.arange(len(engine.registry.vehicles))


def fresh(engine: Engine, folder: Path, kinds: Any = CATALOGUE) -> Engine:
    """Another engine, with the same vehicles."""
    other = Engine(read_registry(folder), kinds)
    for name in engine.registry.vehicles.names:
        other.registry.vehicles.row(*name)
    return other


def assert_restored(engine: Engine, other: Engine, names: frozenset[str]) -> None:
    rows = rows_of(engine)
    for name in engine.states:
        if name in names:
            assert engine.states.rows(name, rows).tobytes() == other.states.rows(name, rows).tobytes(), name
        elif name in other.versions:
            assert not other.states[name].view(np.uint8).any(), name


@pytest.mark.parametrize("seed", range(6))
def test_to_an_engine_of_the_same_registry_all_comes_as_it_was(tmp_path: Path, seed: int) -> None:
    engine, folder = loaded(tmp_path, seed)
    other = fresh(engine, folder)
    packed = pack(engine, rows_of(engine))
    assert unpack(other, rows_of(engine), packed) == NOTHING
    assert_restored(engine, other, ALL)
    assert from_bytes(to_bytes(packed)) == packed == pack(other, rows_of(other))
    assert [parameters.alike for parameters in engine.parameters.values()] == [
        parameters.alike for parameters in other.parameters.values()
    ]


def test_some_vehicles_are_moved_and_the_others_are_not(tmp_path: Path) -> None:
    engine, folder = loaded(tmp_path)
    other = fresh(engine, folder)
    assert unpack(other, np.array([4, 1]), pack(engine, np.array([4, 1]))) == NOTHING
    for name in engine.states:
        for row in rows_of(engine):
            own, theirs = (states.rows(name, np.array([row])) for states in (engine.states, other.states))
            expected = own if row in (4, 1) else np.zeros(1, own.dtype)
            assert theirs.tobytes() == expected.tobytes()
    assert pack(engine, np.array([], np.int64)).vehicles == 0
    assert unpack(other, np.array([], np.int64), pack(engine, np.array([], np.int64))) == NOTHING


def test_vehicles_that_no_batch_has_told_of_are_zeros(tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text("plate,class\nA,L\nB,L\n", encoding="utf-8")
    engine, other = (Engine(read_registry(tmp_path)) for _ in range(2))
    packed = pack(engine, np.array([1, 0]))
    assert not packed.tables["V05"].sets
    assert unpack(other, np.array([0, 1]), packed) == NOTHING
    assert not other.states["V05"].view(np.uint8).any()


def without(code: str) -> dict[str, Any]:
    return {name: kind for name, kind in CATALOGUE.items() if name != code}


def test_a_kind_that_one_side_does_not_have(tmp_path: Path) -> None:
    engine, folder = loaded(tmp_path)
    less = fresh(engine, folder, without("V05"))
    assert unpack(less, rows_of(engine), pack(engine, rows_of(engine))) == {"V05"}
    assert_restored(engine, less, ALL - {"V05"})
    engine, folder = loaded(tmp_path / "less", kinds=without("V20"))
    more = fresh(engine, folder)
    assert unpack(more, rows_of(engine), pack(engine, rows_of(engine))) == {"V20"}
    assert_restored(engine, more, ALL - {"V20"})
    assert not more.states["V20"].view(np.uint8).any()


def test_a_kind_of_another_version_or_layout(tmp_path: Path) -> None:
    engine, folder = loaded(tmp_path)
    packed = pack(engine, rows_of(engine))
    wider = np.dtype([*CATALOGUE["V20"].state.descr, ("more", "i8")])
    newer = {
        "V01": replace(CATALOGUE["V01"], version=2),
        "V05": replace(CATALOGUE["V05"], limits={"severe_ms": 1, "limit_ms": 2}),
        "V20": replace(CATALOGUE["V20"], state=wider),
    }
    other = fresh(engine, folder, CATALOGUE | newer)
    assert unpack(other, rows_of(engine), packed) == set(newer)
    assert_restored(engine, other, ALL - set(newer))
    gate = replace(packed, tables=packed.tables | {"gate": replace(packed.tables["gate"], version=9)})
    assert unpack(fresh(engine, folder), rows_of(engine), gate) == {"gate"}


def registry(folder: Path, parameters: str = "", fences: tuple[str, ...] = ()) -> Engine:
    """Engine for one lorry on a road of the first of these ids, all of one place."""
    folder.mkdir()
    (folder / "vehicles.csv").write_text("plate,class\nA,T\n", encoding="utf-8")
    (folder / "parameters.csv").write_text(f"group,name,value\n{parameters}", encoding="utf-8")
    ring = [[86.0, 43.0], [88.0, 43.0], [88.0, 45.0], [86.0, 45.0], [86.0, 43.0]]
    features = [
        {
            "type": "Feature",
            "properties": {"id": one, "kind": "road", "limit_kmh": 60},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for one in fences
    ]
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "fences.geojson").write_text(json.dumps(collection), encoding="utf-8")
    return Engine(read_registry(folder))


def driven(engine: Engine, folder: Path, first: int, last: int, kmh: float) -> list[dict[str, Any]]:
    """Rows of V01 for these fixes, one every 10 s."""
    path = folder / "positions.ndjson"
    lines = (
        {"plate": "A", "time": 1_772_409_600_000 + 10_000 * at, "lon": 87, "lat": 44 + at / 1e4, "speed_kmh": kmh}
        for at in range(first, last)
    )
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    found = engine.detect(batch_of(path, engine.registry.vehicles)).found["V01"]
    return [{name: row[name].item() for name in found.dtype.names or ()} for row in found]


def test_a_run_keeps_the_parameters_of_its_first_fix_under_another_registry(tmp_path: Path) -> None:
    """70 in a road of 60 exceeds the old margin of 3, not the new one of 30."""
    old = registry(tmp_path / "old", "V01,points,9\n", fences=("road",))
    new = registry(tmp_path / "new", "V01,margin_kmh,30\n", fences=("road",))
    assert driven(old, tmp_path, 0, 6, 70) == []
    assert unpack(new, np.array([0]), from_bytes(to_bytes(pack(old, np.array([0]))))) == NOTHING
    assert len(new.parameters["V01"].sets) == 3  # the defaults before all time, and one of each registry
    raised, found = driven(new, tmp_path, 6, 12, 70)
    assert (raised["fact"], raised["begins_ms"]) == (Fact.RAISED, found["begins_ms"])
    assert (found["raised_ms"] - found["begins_ms"], found["ends_ms"] - found["raised_ms"]) == (80_000, 20_000)
    # the next run is under the new ones
    driven(new, tmp_path, 12, 13, 10)
    assert driven(new, tmp_path, 13, 40, 70)[0]["fact"] == Fact.ENDED
    assert driven(new, tmp_path, 40, 60, 95)[0]["fact"] == Fact.RAISED


def test_what_was_kept_is_kept_on(tmp_path: Path) -> None:
    """Over three registries, and without growing."""
    engine = registry(tmp_path / "0", "V01,points,9\n", fences=("road",))
    driven(engine, tmp_path, 0, 6, 70)
    for number in range(1, 4):
        other = registry(tmp_path / f"{number}", f"V01,margin_kmh,{30 + number}\n")
        unpack(other, np.array([0]), pack(engine, np.array([0])))
        unpack(other, np.array([0]), pack(engine, np.array([0])))
        engine = other
        assert len(engine.parameters["V01"].sets) == 3
        assert [fence.id for fence in engine.registry.fences] == ["road"]
    packed = pack(engine, np.array([0])).tables["V01"]
    assert packed.fences == ("road",)
    assert np.frombuffer(packed.sets, engine.parameters["V01"].sets.dtype)["points"].tolist() == [9]


def test_a_fence_that_is_gone_is_still_shown_and_holds_nothing(tmp_path: Path) -> None:
    old = registry(tmp_path / "old", fences=("old",))
    new = registry(tmp_path / "new", fences=("new",))
    driven(old, tmp_path, 0, 8, 70)
    assert unpack(new, np.array([0]), pack(old, np.array([0]))) == NOTHING
    found = driven(new, tmp_path, 8, 9, 65)[-1]
    assert new.registry.fences[found["fence"]].id == "old"
    found = driven(new, tmp_path, 9, 10, 75)[-1]
    assert new.registry.fences[found["fence"]].id == "new"
    gone = new.registry.fences[-1]
    assert (gone.id, gone.kind, gone.from_ms, gone.to_ms) == ("old", "gone", 0, 0)
    assert new.place_county({"lon": 87.0, "lat": 44.0, "begins_ms": 0}) == ""


def test_the_number_of_vehicles_must_be_right(tmp_path: Path) -> None:
    engine, folder = loaded(tmp_path)
    packed = pack(engine, rows_of(engine))
    with pytest.raises(ValueError, match="7 vehicles cannot go into 6 rows"):
        unpack(fresh(engine, folder), rows_of(engine)[1:7], replace(packed, vehicles=7))
    with pytest.raises(ValueError, match=r"gate: rows of vehicles 0 to 9 of 2, or not in order"):
        unpack(fresh(engine, folder), np.array([0, 1]), replace(packed, vehicles=2))


def test_a_table_that_contradicts_itself_is_refused_and_nothing_is_restored(tmp_path: Path) -> None:
    engine, folder = loaded(tmp_path)
    packed = pack(engine, rows_of(engine))
    other = fresh(engine, folder)
    flaws: tuple[tuple[str, dict[str, Any]], ...] = (
        ("V05", {"sets": b""}),
        ("V05", {"sets": packed.tables["V05"].sets[1:]}),
        ("V01", {"fences": ()}),
        ("V01", {"rows": b"\x7f" * len(packed.tables["V01"].rows)}),
        ("V05", {"rows": packed.tables["V05"].rows[1:]}),
        ("V05", {"at": (packed.tables["V05"].at or b"")[::-1]}),
        ("V05", {"at": (packed.tables["V05"].at or b"")[1:]}),
    )
    for code, part in flaws:
        broken = replace(packed.tables[code], **part)
        with pytest.raises(ValueError, match=f"{code}: "):
            unpack(other, rows_of(engine), replace(packed, tables=packed.tables | {code: broken}))
        assert not any(other.states[name].view(np.uint8).any() for name in other.states)


def test_a_slab_of_the_format_before_is_read(tmp_path: Path) -> None:
    """It has a row for each vehicle in every table, and tells of no roads."""
    engine, folder = loaded(tmp_path)
    packed = pack(engine, rows_of(engine))
    data = msgspec.msgpack.decode(zlib.decompress(to_bytes(packed)))
    data["format"] = 1
    for name, table in data["tables"].items():
        at = np.frombuffer(table.pop("at"), np.int32)
        every = np.zeros(packed.vehicles, engine.states[name].dtype)
        every[at] = np.frombuffer(table["rows"], every.dtype)
        table["rows"] = every.tobytes()
        del table["roads"], table["routes"]
    other = fresh(engine, folder)
    assert unpack(other, rows_of(engine), from_bytes(zlib.compress(msgspec.msgpack.encode(data)))) == NOTHING
    for name in engine.states:
        own, theirs = (states.rows(name, rows_of(engine)) for states in (engine.states, other.states))
        assert (own == theirs).all(), name


def test_only_what_to_bytes_wrote_is_read(tmp_path: Path) -> None:
    engine, _ = loaded(tmp_path)
    packed = pack(engine, rows_of(engine))
    data = to_bytes(packed)
    random, harmless = Random(7), 0
    for length in {*range(200), *(random.randrange(len(data)) for _ in range(800))}:
        with pytest.raises(ValueError, match="no packed state"):
            from_bytes(data[:length])
    for _ in range(2_000):
        at, flip = random.randrange(len(data)), random.randrange(1, 256)
        garbled = bytearray(data)
        garbled[at] ^= flip
        try:
            assert from_bytes(bytes(garbled)) == packed  # the last bits before the checksum mean nothing
            harmless += 1
        except ValueError:
            continue
    assert harmless < 20
    for wrong in (b"", b"\x00", data + b"\x00", data + data, zlib.compress(b"")):
        with pytest.raises(ValueError, match="no packed state"):
            from_bytes(wrong)


def test_garbled_content_is_refused_or_harmless(tmp_path: Path) -> None:
    """What is compressed anew has no flaw that its checksum could show."""
    engine, folder = loaded(tmp_path)
    plain = zlib.decompress(to_bytes(pack(engine, rows_of(engine))))
    other, random, refused = fresh(engine, folder), Random(8), 0
    for _ in range(1_000):
        garbled = bytearray(plain)
        for _ in range(random.choice((1, 1, 5))):
            garbled[random.randrange(len(plain))] = random.randrange(256)
        try:
            unpack(other, rows_of(engine), from_bytes(zlib.compress(bytes(garbled), 1)))
        except ValueError:
            refused += 1
    assert refused > 20


def test_another_format_is_refused(tmp_path: Path) -> None:
    engine, _ = loaded(tmp_path)
    packed = pack(engine, rows_of(engine))
    for wrong in (replace(packed, format=3), replace(packed, vehicles=-1)):
        with pytest.raises(ValueError, match="no packed state of format 2"):
            from_bytes(to_bytes(wrong))
    values: tuple[Any, ...] = ([], {}, None, {"format": 1}, {"format": 1, "vehicles": 0, "tables": {"V01": {}}})
    for value in values:
        with pytest.raises(ValueError, match="no packed state"):
            from_bytes(zlib.compress(msgspec.msgpack.encode(value)))


def test_what_unfolds_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = to_bytes(Packed(1, 0, {}))
    monkeypatch.setattr("detectors.packing.MOST_BYTES", 10)
    with pytest.raises(ValueError, match="no packed state"):
        from_bytes(data)


def test_the_same_state_is_the_same_bytes(tmp_path: Path) -> None:
    engine, _ = loaded(tmp_path)
    first = to_bytes(pack(engine, rows_of(engine)))
    litter = [np.full(1_000 + 17 * number, 0xAB, np.uint8) for number in range(50)]
    del litter
    assert all(to_bytes(pack(engine, rows_of(engine))) == first for _ in range(20))
