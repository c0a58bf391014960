import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest

from ingest.batch import MISSING_MS, Batch
from ingest.formats import read_positions
from ingest.lines import MAX_LINE_BYTES
from ingest.profile import DEFAULT, Profile, ProfileError, read_profile, shipped
from ingest.registry import Vehicles, driver_code
from ingest.rejects import Rejects

GOOD_FIELDS = "\n[fields]\nplate='a'\ntime='b'\nlon='c'\nlat='d'\nspeed_kmh='e'"
FIX = {"plate": "测B00001", "time": 1_772_380_800_000, "lon": 87.3, "lat": 44.0, "speed_kmh": 60.5}


def read(
    data: bytes, name: str = "-", profile: Profile = DEFAULT, vehicles: Vehicles | None = None
) -> tuple[list[Batch], Rejects, list[int]]:
    rejects = Rejects()
    stream = io.BytesIO(data)
    known = Vehicles() if vehicles is None else vehicles
    parts = list(read_positions(stream, name, known, rejects, profile))
    return [part.batch for part in parts], rejects, [line for part in parts for line in part.line.tolist()]


def one(fix: dict[str, object]) -> Batch:
    batches, rejects, _ = read(json.dumps(fix).encode())
    assert not rejects.counts
    assert len(batches[0]) == 1
    return batches[0]


def test_every_field() -> None:
    vehicles = Vehicles()
    given = FIX | {
        "plate_color": 5,
        "time": "2026-03-02T08:00:00.250+08:00",
        "received": "2026-03-02T00:00:01Z",
        "heading_deg": 359.5,
        "altitude_m": -3,
        "recorder_speed_kmh": 61,
        "mileage_km": 12.5,
        "alarm": 4_294_967_295,
        "status": 3,
        "backfill": True,
        "driver": "D1",
        "unknown": [1, {"a": 2}],
    }
    batch = read(json.dumps(given).encode(), vehicles=vehicles)[0][0]
    assert vehicles.names[batch.vehicle[0]] == ("测B00001", 5)
    assert batch.time_ms[0] == 1_772_409_600_250
    assert batch.received_ms[0] == 1_772_409_601_000
    assert (batch.lon[0], batch.lat[0], batch.speed_kmh[0]) == (87.3, 44.0, 60.5)
    assert (batch.heading_deg[0], batch.altitude_m[0]) == (359.5, -3)
    assert (batch.recorder_speed_kmh[0], batch.mileage_km[0]) == (61, 12.5)
    assert (batch.alarm[0], batch.status[0]) == (4_294_967_295, 3)
    assert batch.backfill[0]
    assert batch.driver[0] == driver_code("D1") != 0


def test_what_is_not_given() -> None:
    batch = one(FIX)
    assert np.isnan([batch.heading_deg[0], batch.altitude_m[0], batch.mileage_km[0]]).all()
    assert (batch.alarm[0], batch.status[0], batch.driver[0]) == (-1, -1, 0)
    assert batch.received_ms[0] == MISSING_MS
    assert not batch.backfill[0]
    same = one(FIX | dict.fromkeys(("plate_color", "status", "driver", "altitude_m", "received", "backfill")))
    for name, column in batch.columns().items():
        np.testing.assert_array_equal(column, getattr(same, name), err_msg=name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_772_380_800_000, 1_772_380_800_000),
        (1_772_380_800_000.9, 1_772_380_800_000),
        (-0.5, -1),
        ("1772380800000", 1_772_380_800_000),
        ("2026-03-02T00:00:00", 1_772_380_800_000),
        ("2026-03-02 00:00:00", 1_772_380_800_000),
        ("2026-03-01T16:00:00Z", 1_772_380_800_000),
        ("2026-03-02T00:00:00.1239", 1_772_380_800_123),
        ("2026-03-02", 1_772_380_800_000),
        ("2026-02-30T00:00:00", MISSING_MS),
        ("昨天", MISSING_MS),
        ("1.77e12", MISSING_MS),
        ("", MISSING_MS),
        (True, MISSING_MS),
        ([], MISSING_MS),
        (1e300, MISSING_MS),
        (10**30, MISSING_MS),
    ],
)
def test_times(value: object, expected: int) -> None:
    assert one(FIX | {"time": value}).time_ms[0] == expected


def test_a_column_of_times_reads_as_its_values_do() -> None:
    texts = [f"2026-03-{day:02}T{day:02}:59:00{zone}" for day in range(1, 29) for zone in ("", "Z", "+06:30", ".125")]
    texts += ["2026-03-02T08:00:0x", "2026-03-02T08:00:60", "2026-13-02T08:00:00", "2026-03-02t08:00:00"]
    together = read(b"".join(json.dumps(FIX | {"time": text}).encode() + b"\n" for text in texts))[0][0].time_ms
    assert together.tolist() == [one(FIX | {"time": text}).time_ms[0] for text in texts]
    alike = [f"2026-03-{day:02}T{day:02}:59:00.250+06:30" for day in range(1, 29)]
    together = read(b"".join(json.dumps(FIX | {"time": text}).encode() + b"\n" for text in alike))[0][0].time_ms
    assert together.tolist() == [one(FIX | {"time": text}).time_ms[0] for text in alike]


@pytest.mark.parametrize("value", ["abc", True, [1], {}, "1_0", "nan", "inf", 10**400, "１２"])
def test_unreadable_numbers(value: object) -> None:
    assert np.isnan(one(FIX | {"lon": value}).lon[0])
    assert np.isinf(one(FIX | {"altitude_m": value}).altitude_m[0])
    assert one(FIX | {"status": value}).status[0] == -1


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite(literal: str) -> None:
    line = (
        json.dumps(FIX | {"heading_deg": 0})
        .replace("60.5", literal)
        .replace('"heading_deg": 0', f'"heading_deg": {literal}')
    )
    (batch,), rejects, _ = read(line.encode())
    assert not rejects.counts
    assert np.isnan(batch.speed_kmh[0])
    assert np.isinf(batch.heading_deg[0])


@pytest.mark.parametrize("value", ["87.5", " 87.5 ", "8.75e1", "+87.5"])
def test_numbers_written_as_text(value: str) -> None:
    assert one(FIX | {"lon": value}).lon[0] == 87.5


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "malformed"),
        (b"[1]", "malformed"),
        (b"null", "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"plate": ""}', "malformed"),
        (b'{"plate": 12, "lon": 1}', "malformed"),
        (b'{"plate": "a", "plate_color": true}', "malformed"),
        (b'{"plate": "a", "plate_color": 256}', "malformed"),
        (b'{"plate": "a", "plate_color": 2.5}', "malformed"),
        (b'{"plate": ["a"]}', "malformed"),
        ('{"plate": "测B00001"}'.encode("gb18030"), "encoding"),
        (b"\x00\xff\xfe\x80", "encoding"),
        (b'{"plate": "' + b"a" * MAX_LINE_BYTES + b'"}', "oversize"),
        (b"a" * 5 * MAX_LINE_BYTES, "oversize"),
    ],
)
def test_a_bad_line_harms_no_other(line: bytes, reason: str) -> None:
    good = json.dumps(FIX).encode()
    batches, rejects, lines = read(b"\n".join([good, line, b"", good, good]))
    assert rejects.counts == {reason: 1}
    assert [(reject.line, reject.reason) for reject in rejects.shown] == [(2, reason)]
    assert sum(map(len, batches)) == 3
    assert lines == [1, 4, 5]


def test_only_the_first_rejects_of_a_reason_are_shown() -> None:
    _, rejects, _ = read(b"{\n" * 50)
    assert rejects.counts == {"malformed": 50}
    assert [reject.line for reject in rejects.shown] == [1, 2, 3]


def test_gzip_and_a_gzip_that_breaks() -> None:
    data = b"".join(json.dumps(FIX | {"time": FIX["time"] + n}).encode() + b"\n" for n in range(20_000))  # type: ignore[operator]
    packed = gzip.compress(data, mtime=0)
    whole, rejects, _ = read(packed)
    assert (sum(map(len, whole)), dict(rejects.counts)) == (20_000, {})
    for broken in (packed[:-1], packed[: len(packed) // 2], packed[: len(packed) // 2] + b"rubbish" * 9):
        part, rejects, lines = read(broken)
        assert rejects.counts["truncated"] == 1
        assert sum(map(len, part)) == len(lines) > 5_000
    half = gzip.compress(data[: len(data) // 2], mtime=0) + gzip.compress(data[len(data) // 2 :], mtime=0)
    assert sum(map(len, read(half)[0])) == 20_000


HEADER = "plate,plate_color,time,lon,lat,speed_kmh,altitude_m,status,backfill,driver"


def test_csv_reads_like_ndjson() -> None:
    rows = [
        "测B00001,,2026-03-02T00:00:00,87.3,44.0,60.5,,,,",
        "测B00001,2,1772380801000,87.3,44.0,60.5,700,3,true,D1",
        '"测,B",5,2026-03-02 00:00:00,87.3,44.0,60.5,abc,x,0, D1 ',
    ]
    vehicles = Vehicles()
    (batch,), rejects, lines = read("\r\n".join([HEADER, *rows, ""]).encode("utf-8-sig"), "a.csv", vehicles=vehicles)
    assert not rejects.counts
    assert lines == [2, 3, 4]
    assert [vehicles.names[row] for row in batch.vehicle] == [("测B00001", 2), ("测B00001", 2), ("测,B", 5)]
    assert batch.time_ms.tolist() == [1_772_380_800_000, 1_772_380_801_000, 1_772_380_800_000]
    assert batch.status.tolist() == [-1, 3, -1]
    assert batch.backfill.tolist() == [False, True, False]
    assert batch.driver.tolist() == [0, driver_code("D1"), driver_code("D1")]
    assert np.isnan(batch.altitude_m[0])
    assert batch.altitude_m[1:].tolist() == [700, np.inf]


def test_csv_rows_that_are_none() -> None:
    good = "测B00001,,2026-03-02T00:00:00,87.3,44.0,60.5,,,,"
    lines = [HEADER, good, "a,b", 'x,"y', good + ",,", "", good]
    batches, rejects, numbers = read("\n".join(lines).encode())
    assert rejects.counts == {"malformed": 3}
    assert numbers == [2, 7]
    assert sum(map(len, batches)) == 2


def test_a_csv_without_the_columns_says_so() -> None:
    _, rejects, _ = read(b"id,lon\n1,2\n")
    assert "no column plate, time, lat, speed_kmh" in rejects.shown[0].detail


def test_profiles() -> None:
    assert shipped() == ["emqx808", "tipdm", "traccar"]
    position = {"fixTime": "2026-03-01T16:00:00.000+00:00", "longitude": 87.3, "latitude": 44.0, "speed": 10}
    line = {"position": position | {"attributes": {"odometer": 12_500}}, "device": {"name": "测T00001"}}
    (batch,), rejects, _ = read(json.dumps(line).encode(), profile=read_profile("traccar"))
    assert not rejects.counts
    assert batch.time_ms[0] == 1_772_380_800_000
    assert (batch.speed_kmh[0], batch.mileage_km[0]) == (18.52, 12.5)
    body = {"time": "260302000000", "longitude": 87_300_001, "latitude": 44_000_000, "speed": 605, "status": 3}
    line = {"header": {"phone": "000000000001"}, "body": body}
    (batch,), rejects, _ = read(json.dumps(line).encode(), profile=read_profile("emqx808"))
    assert not rejects.counts
    assert (batch.time_ms[0], batch.lon[0], batch.speed_kmh[0]) == (1_772_380_800_000, 87.300001, 60.5)
    strays = [{"header": None, "body": 1}, {"header": {"phone": "1"}, "body": None}]
    batches, rejects, lines = read("\n".join(map(json.dumps, strays)).encode(), profile=read_profile("emqx808"))
    assert rejects.counts == {"malformed": 1}
    assert lines == [2]
    assert batches[0].time_ms[0] == MISSING_MS


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'encoding = "gb18030"\nepoch_unit_ms = 1000\n[fields]\nplate = "车牌号"\ntime = "ts"\n'
        'lon = "lng"\nlat = "lat"\n'
        'speed_kmh = "v"\n[multiply]\nspeed_kmh = 3.6\n',
        encoding="utf-8",
    )
    vehicles = Vehicles()
    line = {"车牌号": "测B00001", "ts": 1_772_380_800, "lng": 87.3, "lat": 44, "v": 10}
    data = json.dumps(line, ensure_ascii=False).encode("gb18030") + b"\n\xff\xff"
    (batch,), rejects, _ = read(data, profile=read_profile(str(path)), vehicles=vehicles)
    assert rejects.counts == {"encoding": 1}
    assert vehicles.names == [("测B00001", 2)]
    assert (batch.time_ms[0], batch.speed_kmh[0]) == (1_772_380_800_000, 36)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "lacks plate"),
        ("[fields]\nplate=1\ntime='b'\nlon='c'\nlat='d'\nspeed_kmh='e'", "plate must be a name"),
        ("[fields]\nnumber = 'x'", "no field 'number'"),
        ("fields = 1", "must be a table"),
        ("time_form = 'x'\n[fields]\nplate='a'\ntime='b'\nlon='c'\nlat='d'\nspeed_kmh='e'", "time_form must be"),
        ("encoding = 'x'\n[fields]\nplate='a'\ntime='b'\nlon='c'\nlat='d'\nspeed_kmh='e'", "encoding 'x'"),
        ("= 1", "not TOML"),
        ("multiply = {lon = 0}" + GOOD_FIELDS, "lon must be a number from"),
        ("divide = {lon = true}" + GOOD_FIELDS, "lon must be a number from"),
        ("mutliply = {lon = 2}" + GOOD_FIELDS, "no setting 'mutliply'"),
        ("time_form = ['iso']" + GOOD_FIELDS, "time_form must be"),
        ("epoch_unit_ms = true" + GOOD_FIELDS, "epoch_unit_ms must be"),
        ("encoding = 'undefined'" + GOOD_FIELDS, "is not known"),
        ("[fields]\nplate='a'\ntime='a'\nlon='c'\nlat='d'\nspeed_kmh='e'", "plate = 'a' must be a path of its own"),
        ("[fields]\nplate='a'\ntime='a.b'\nlon='c'\nlat='d'\nspeed_kmh='e'", "plate = 'a' must be a path of its own"),
        ("[fields]\nplate='a'\ntime='b..c'\nlon='c'\nlat='d'\nspeed_kmh='e'", "time must be a name"),
    ],
)
def test_a_bad_profile_says_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError, match=complaint):
        read_profile(str(path))
    with pytest.raises(ProfileError, match="shipped are warnloop, emqx808"):
        read_profile("nowhere")


def test_a_gzip_damaged_in_the_middle_gives_all_that_stands_before(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(json.dumps(FIX | {"driver": f"D{n * 7919 % 1000}"}).encode() + b"\n" for n in range(2_000))
    packed = bytearray(gzip.compress(data, mtime=0))
    for at in (100, len(packed) // 3, len(packed) - 9):
        damaged = bytes(packed[:at]) + bytes(8) + bytes(packed[at + 8 :])
        seen = []
        for size in (1 << 17, 1_000, 1):
            monkeypatch.setattr("ingest.lines.CHUNK_BYTES", size)
            monkeypatch.setattr("ingest.unzip.BLOCK_BYTES", max(size // 8, 1))
            batches, rejects, lines = read(damaged)
            seen.append((sum(map(len, batches)), dict(rejects.counts), lines))
        assert seen[0] == seen[1] == seen[2]
        assert seen[0][1]["truncated"] == 1


def test_gzip_that_trickles_in() -> None:
    class Trickle(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:  # noqa: ARG002 - one byte, whatever is asked
            return self.read(1)

    rejects = Rejects()
    packed = gzip.compress(json.dumps(FIX).encode() * 1)
    parts = list(read_positions(Trickle(packed), "-", Vehicles(), rejects))
    assert (len(parts), dict(rejects.counts)) == (1, {})


@pytest.mark.parametrize("blank", [b"\n", b" \r\n" * 200_000])
def test_blank_lines_before_the_first(blank: bytes) -> None:
    assert sum(map(len, read(blank + json.dumps(FIX).encode())[0])) == 1
    assert sum(map(len, read(blank + b"plate,time,lon,lat,speed_kmh\nP,1772380800000,87,44,1\n")[0])) == 1


def test_odd_texts() -> None:
    deep = json.dumps(FIX)[:-1] + ', "x": ' + "[" * 2_000 + "]" * 2_000 + "}"
    assert read(f"{deep}\n{json.dumps(FIX)}".encode())[1].counts == {"malformed": 1}
    assert one(FIX | {"driver": "\ud800"}).driver[0] != 0
    line = json.dumps(FIX | {"addr": "x"}).encode().replace(b'"x"', b'"\xb2\xe2"')
    assert not read(line + b"\n")[1].counts, "a field that is not read may hold what it likes"
    assert not read(line.replace(b"87.3", b'"87.3"'))[1].counts
    assert read(line.replace(b"addr", b"driver"))[1].counts == {"encoding": 1}
    assert np.isnan(read(json.dumps(FIX).replace("87.3", "9" * 5_000).encode())[0][0].lon[0])
    assert read(json.dumps(FIX | {"plate": "P" * 65}).encode())[1].counts == {"malformed": 1}


@pytest.mark.parametrize("profile", [DEFAULT, read_profile("traccar")], ids=lambda profile: profile.name)
@pytest.mark.parametrize("bad", ["a\x00", "\x00", "a\ud800", "\udc80b", "\udfff"])
def test_plates_that_no_database_keeps(profile: Profile, bad: str) -> None:
    """Also as they are escaped in JSON; a whole pair is one character."""
    lines = [{"plate": plate, "device": {"name": plate}} for plate in (bad, "🚌", "a\x01b", bad)]
    vehicles = Vehicles()
    batches, rejects, numbers = read("\n".join(map(json.dumps, lines)).encode(), profile=profile, vehicles=vehicles)
    assert (sum(map(len, batches)), rejects.counts, numbers) == (2, {"malformed": 2}, [2, 3])
    assert [name.plate for name in vehicles.names] == ["🚌", "a\x01b"]


def test_a_csv_plate_with_nul() -> None:
    batches, rejects, _ = read(b"plate,time,lon,lat,speed_kmh\na\x00,1,2,3,4\na,1,2,3,4\n", "x.csv")
    assert (sum(map(len, batches)), rejects.counts) == (1, {"malformed": 1})


def test_half_a_pair_in_another_field_is_a_text() -> None:
    """What is escaped is UTF-8 as it stands in the line."""
    for half in ("\ud800", "\udc80", "\udcff", "\udfff"):
        assert one(FIX | {"driver": half}).driver[0] == driver_code(half)
