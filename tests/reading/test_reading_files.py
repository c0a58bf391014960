"""formats.md by hand: lines, values, registry, polygons, parameters, and a replay of files."""

import gzip
import json
from fractions import Fraction
from math import isnan
from pathlib import Path

import pytest

from .fences import fence_of
from .metric import decimetres
from .parameters import Owner, Parameters, Setting
from .polygon import holds, side
from .positions import Fix, Positions
from .registry import Registry, Row
from .replay import replay
from .track import at
from .values import bare_date, driver, flag, number, time, validity, whole


def read(path: Path, content: bytes) -> tuple[list[Fix], dict[str, int]]:
    """Fixes and rejects of a file."""
    path.write_bytes(content)
    lines = Positions(path)
    return list(lines), dict(lines.rejects)


def test_values() -> None:
    unreadable = [True, "x", "NaN", "Infinity", "1e999", float("inf"), [], "1_0", "0x1", "1 2"]
    for raw in unreadable:
        value = number(raw)
        assert value is not None
        assert isnan(value)
    assert [number(x) for x in (None, "", " ", "87.5", "-1e2", 3, "+1", ".5")] == [
        None, None, None, 87.5, -100.0, 3.0, 1.0, 0.5]  # fmt: skip
    assert [whole(x, 255) for x in (2.0, "2", "2.0", 2.5, 256, -1, True)] == [2, 2, 2, None, None, None, None]
    assert [flag(x) for x in (True, 1, "true", "1", False, 0, "0", None, "yes")] == [True] * 4 + [False] * 5
    assert [driver(x) for x in (" A ", 12, "", None, True, 1.5)] == ["A", "12", None, None, None, None]


def test_times() -> None:
    noon = at("12:00:00")
    for raw in ("2026-03-10T12:00:00", "2026-03-10T04:00:00Z", noon, float(noon), str(noon)):
        assert time(raw) == noon
    assert time("2026-03-10 12:00:00.0019") == noon + 1
    assert [time(1.9), time(-1.1), time("12.5"), time(True), time("x"), time(float("nan"))] == [
        1, -2, None, None, None, None]  # fmt: skip
    assert time("1969-12-31T23:59:59.9999Z") == -1
    day = at("00:00:00")
    assert validity("2026-03-10", "2026-03-10") == (day, day + 86_400_000)
    assert validity("2026-03-10T12:00", "2026-03-10T12:00") == (noon, noon)
    assert bare_date("20260310")


GOOD = b'{"plate":"A1","time":1,"lon":110,"lat":25,"speed_kmh":5}'


def test_ndjson_lines(tmp_path: Path) -> None:
    content = b"\n".join([
        b"\xef\xbb\xbf" + GOOD + b"\r", b"", b"  ", b"[1]", b"{", b'{"plate":" "}', b'{"plate":7}',
        b'{"plate":"A1","plate_color":256}', b'{"plate":"A1","plate_color":"x"}', b'{"plate":"\xff"}',
        b" " * ((1 << 20) + 1), b'{"plate":"B2","plate_color":null,"lon":NaN,"altitude_m":"high"}', GOOD,
    ])  # fmt: skip
    fixes, rejects = read(tmp_path / "a.ndjson", content)
    assert rejects == {"malformed": 6, "encoding": 1, "oversize": 1}
    assert [fix.plate for fix in fixes] == ["A1", "B2", "A1"]
    assert fixes[1].plate_color == 2
    assert fixes[1].lon != fixes[1].lon
    assert fixes[1].altitude_m != fixes[1].altitude_m
    assert fixes[1].time is None


def test_a_line_of_exactly_a_mebibyte_is_read(tmp_path: Path) -> None:
    line = GOOD[:-1] + b" " * ((1 << 20) - len(GOOD)) + b"}"
    fixes, rejects = read(tmp_path / "a.ndjson", line + b"\n" + line[:-1] + b" }\n" + GOOD)
    assert (len(fixes), rejects) == (2, {"oversize": 1})


def test_csv_lines(tmp_path: Path) -> None:
    content = 'plate,time,lon,lat,speed_kmh,driver\n"A,1",1,110,25,5,7\nA1,1,110,25,5\n,1,110,25,5,\n'
    fixes, rejects = read(tmp_path / "a.csv", content.encode())
    assert rejects == {"malformed": 2}
    assert [(f.plate, f.time, f.driver) for f in fixes] == [("A,1", 1, "7")]


def test_gzip_and_where_it_breaks(tmp_path: Path) -> None:
    lines = [GOOD.replace(b'"time":1', b'"time":%d' % n) for n in range(5_000)]
    packed = gzip.compress(b"\n".join(lines[:2_500]) + b"\n") + gzip.compress(b"\n".join(lines[2_500:]))
    fixes, rejects = read(tmp_path / "a.ndjson.gz", packed)
    assert ([f.time for f in fixes], rejects) == (list(range(5_000)), {})
    fixes, rejects = read(tmp_path / "b.ndjson.gz", packed[:-2_000])
    assert rejects == {"truncated": 1}
    assert [f.time for f in fixes] == list(range(len(fixes)))
    assert 2_500 < len(fixes) < 5_000


def test_polygons() -> None:
    outer = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)]
    hole = [(4.0, 4.0), (6.0, 4.0), (6.0, 6.0), (4.0, 6.0), (4.0, 4.0)]
    inside = [(1.0, 1.0), (0.0, 5.0), (10.0, 10.0), (4.0, 5.0), (6.0, 6.0), (5.0, 3.9)]
    assert all(holds([outer, hole], x, y) for x, y in inside)
    assert not any(holds([outer, hole], x, y) for x, y in [(5.0, 5.0), (10.1, 5.0), (-0.1, 0.0), (5.0, 10.1)])
    # halves of doubles are exact; a third of one lies to one side, whatever a float product says
    slope = [(0.0, 0.0), (0.1, 0.3), (0.0, 0.3)]
    assert side(slope, 0.05, 0.15) == 0
    x, y = 0.1 / 3, 0.1
    exact = Fraction(0.1) * Fraction(y) - Fraction(x) * Fraction(0.3)
    assert side(slope, x, y) == (exact > 0) - (exact < 0)


def test_fences() -> None:
    def feature(kind: str, limit: object) -> dict[str, object]:
        ring = [[110, 25], [111, 25], [111, 26], [110, 26], [110, 25]]
        far = [[120, 25], [121, 25], [121, 26], [120, 26], [120, 25]]
        return {"properties": {"id": 1, "kind": kind, "limit_kmh": limit, "classes": "LC"},
                "geometry": {"type": "MultiPolygon", "coordinates": [[ring], [far]]}}  # fmt: skip

    fence = fence_of(feature("road", "60"))
    assert (fence.limit_kmh, fence.holds(120.5, 25.5), fence.holds(115, 25.5)) == (60.0, True, False)
    assert (fence.applies("L", 0), fence.applies("H", 0)) == (True, False)
    for kind in ("road", "speed"):
        with pytest.raises(ValueError, match="limit_kmh"):
            fence_of(feature(kind, None))


def test_rows_are_dated() -> None:
    registry = Registry([
        Row("A1", "L", valid_from=0, valid_to=100), Row("A1", "C", valid_from=50),
        Row("A1", "B", valid_from=50, valid_to=60),
    ])  # fmt: skip
    found = [registry.row("A1", 2, t) for t in (-1, 0, 49, 50, 59, 60, 100)]
    assert [row and row.letter for row in found] == [None, "L", "L", "B", "B", "C", "C"]
    assert registry.row("A1", 1, 0) is None


def test_parameters_company_over_county_over_class() -> None:
    settings = [
        Setting("V01", "points", 4, company="X"), Setting("V01", "points", 5, county="Y", classes="L"),
        Setting("V01", "points", 6, classes="LC"), Setting("V01", "points", 7, valid_from=10),
        Setting("V01", "points", 8), Setting("road_limit", "cap_kmh", 70, classes="L"),
    ]  # fmt: skip
    table = Parameters(settings)
    owners = [Owner("L", "Y", "X"), Owner("L", "Y"), Owner("C"), Owner("H"), Owner()]
    assert [table.at("V01", owner, 20)["points"] for owner in owners] == [4, 5, 6, 7, 7]
    assert table.at("V01", Owner("H"), 9)["points"] == 8
    assert table.at("V01", Owner("H"), 20)["margin_kmh"] == 3
    assert dict(table.at("road_limit", Owner("L"), 0)) == {"cap_kmh": 70, "default_kmh": 100}


def test_distance_is_haversine_rounded_half_up() -> None:
    # one degree of a meridian: 6 371 008.8 m * pi / 180 = 111 195.08 m
    assert decimetres(110, 25, 110, 26) == 1_111_951
    assert decimetres(110, 25, 110, 25) == 0


def test_replay_of_files(tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text("plate,class,company,county\nA1,L,X,Y\n", encoding="utf-8")
    times = (0, 1_000, 16_000, 32_000)
    rows = [{"plate": "A1", "time": t, "lon": 110, "lat": 25, "speed_kmh": 120} for t in times]
    text = "\n".join(["{", *map(json.dumps, rows), json.dumps({"plate": "A1"})])
    (tmp_path / "p.ndjson").write_text(text, encoding="utf-8")
    reading = replay(tmp_path / "p.ndjson", tmp_path)
    assert reading.counts == {"unconfirmed": 1, "accepted": 3, "unqualified": 1, "malformed": 1}
    assert reading.episodes == [{
        "kind": "V01", "plate": "A1", "plate_color": 2, "begins_ms": 1_000, "raised_ms": 32_000,
        "ends_ms": 32_000, "severity": 2, "lead": True, "company": "X", "county": "Y", "peak_kmh": 120.0,
        "limit_kmh": 100,
    }]  # fmt: skip
