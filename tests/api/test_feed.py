"""The feed: every line of a file in the log, each vehicle's in order and in one partition."""

import csv
import gzip
import io
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from api import feed, pauses
from api.feed import Fed, Feeder
from ingest.frames import Decoder
from ingest.log import CSV, MOST_FRAME_BYTES, POSITIONS, Frame, LogError, partition_of
from ingest.profile import DEFAULT, Profile, read_profile, shipped
from ingest.registry import Vehicles
from ledger.database import connect
from ledger.tablelog import TableLog

PARTITIONS = 3
TRACCAR = read_profile("traccar")


@pytest.fixture
def log(database_url: str) -> Iterator[TableLog]:
    TableLog.create(database_url, PARTITIONS)
    with closing(TableLog(database_url)) as log:
        yield log


def frames(url: str) -> list[Frame]:
    with connect(url) as connection:
        rows = connection.execute(
            "SELECT partition, form, received_ms, content, frame_offset FROM log_frames ORDER BY 1, frame_offset"
        ).fetchall()
    return [Frame(*row) for row in rows]


def lines_of(some: list[Frame]) -> dict[int, list[bytes]]:
    """Lines of each partition in their order, headers left out."""
    found: dict[int, list[bytes]] = {}
    for frame in some:
        headed = frame.form.split(":")[0] == CSV
        found.setdefault(frame.partition, []).extend(frame.content.split(b"\n")[headed:])
    return found


def positions(n: int, seed: int = 1) -> list[dict[str, Any]]:
    random = Random(seed)
    return [
        {
            "plate": f"测A{random.randrange(25):05}", "plate_color": random.choice((1, 2)),
            "time": 1_772_380_800_000 + at * 1_000, "lon": 87.3, "lat": 44.0, "speed_kmh": at % 100,
        }
        for at in range(n)
    ]  # fmt: skip


def as_json(fixes: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(fix, ensure_ascii=False).encode() for fix in fixes]


def as_csv(fixes: list[dict[str, Any]]) -> list[bytes]:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(fixes[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(fixes)
    return text.getvalue().encode().splitlines()


def fed(log: TableLog, content: bytes, name: str, profile: Profile = DEFAULT) -> Fed:
    return Feeder(log, profile).feed(io.BytesIO(content), name)


def where(fix: dict[str, Any]) -> int:
    return partition_of(fix["plate"], fix["plate_color"], PARTITIONS)


@pytest.mark.parametrize("form", ["x.ndjson", "x.csv", "x.ndjson.gz", "-"])
def test_each_vehicles_lines_in_order_in_its_partition(
    log: TableLog, database_url: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "FRAME_BYTES", 1_000)
    monkeypatch.setattr(feed, "WAITING_BYTES", 20_000)
    fixes = positions(2_000)
    texts = as_csv(fixes) if form == "x.csv" else as_json(fixes)
    content = b"\n".join(texts) + b"\n"
    begin_ms = time.time_ns() // 1_000_000
    told: list[int] = []
    found = Feeder(log).feed(io.BytesIO(gzip.compress(content) if form.endswith("gz") else content), form, told.append)
    stored = frames(database_url)
    own = texts[1:] if form == "x.csv" else texts
    expected: dict[int, list[bytes]] = {}
    for fix, text in zip(fixes, own, strict=True):
        expected.setdefault(where(fix), []).append(text)
    assert lines_of(stored) == expected
    assert (found.lines, found.frames) == (2_000, len(stored))
    assert not found.rejects.counts
    assert told == sorted(told)
    assert told[-1] == 2_000
    assert len(told) > 1
    assert {frame.form for frame in stored} == {CSV if form == "x.csv" else POSITIONS}
    assert all(begin_ms <= frame.received_ms <= time.time_ns() // 1_000_000 for frame in stored)
    assert all(len(frame.content) <= 1_000 + max(map(len, texts)) for frame in stored)
    if form == "x.csv":
        assert {frame.content.split(b"\n")[0] for frame in stored} == {texts[0]}
    # who reads the log finds every fix where it belongs
    decoder = Decoder(Vehicles(), PARTITIONS, {})
    decoded = decoder.decode(stored)
    assert decoded.quarantined == []
    assert sorted(decoded.batch.time_ms.tolist()) == [fix["time"] for fix in fixes]


def test_a_profile_goes_by_its_name(log: TableLog, database_url: str) -> None:
    fixes = positions(300)
    texts = [
        json.dumps({
            "device": {"name": fix["plate"]},
            "position": {"fixTime": fix["time"], "longitude": 87, "latitude": 44, "speed": 30},
        }).encode()
        for fix in fixes
    ]  # fmt: skip
    fed(log, b"\n".join(texts), "-", TRACCAR)
    stored = frames(database_url)
    assert {frame.form for frame in stored} == {"positions:traccar"}
    decoder = Decoder(Vehicles(), PARTITIONS, {name: read_profile(name) for name in shipped()})
    decoded = decoder.decode(stored)
    assert decoded.quarantined == []
    assert len(decoded.batch) == 300
    assert set(decoded.batch.speed_kmh.tolist()) == {30 * 1.852}


def test_what_names_no_vehicle_goes_along(log: TableLog, database_url: str) -> None:
    """Nothing is lost, nothing is judged here: the reader of the log puts it into quarantine."""
    good, rubbish = (
        as_json(positions(50)),
        [b"{", b"\xff\xfe", b'{"plate": ""}', b"x" * 70_000, b'{"plate": "\\u0000"}'],
    )
    mixed = [*good, *rubbish]
    Random(1).shuffle(mixed)
    found = fed(log, b"\r\n".join([b"\xef\xbb\xbf" + good[0], *mixed]), "x.ndjson")
    stored = frames(database_url)
    kept = sorted(text.rstrip(b"\r") for lines in lines_of(stored).values() for text in lines)
    assert kept == sorted([good[0], *mixed])
    assert found.lines == 1 + len(mixed)
    decoded = Decoder(Vehicles(), PARTITIONS, {}).decode(stored)
    assert sorted(record.content.rstrip(b"\r") for record in decoded.quarantined) == sorted(rubbish)
    assert len(decoded.batch) == 51


def test_what_cannot_be_passed_on_is_counted(log: TableLog, database_url: str) -> None:
    long = b'{"plate": "' + b"x" * MOST_FRAME_BYTES + b'"}'
    good = as_json(positions(20))
    found = fed(log, b"\n".join([*good[:10], long, *good[10:]]), "x.ndjson")
    assert dict(found.rejects.counts) == {"oversize": 1}
    assert found.lines == 20
    found = fed(log, gzip.compress(b"\n".join(good * 2_000))[:-20], "x.ndjson.gz")
    assert dict(found.rejects.counts) == {"truncated": 1}
    assert 0 < found.lines <= 40_000
    decoded = Decoder(Vehicles(), PARTITIONS, {}).decode(frames(database_url))
    assert len(decoded.batch) == 20 + found.lines


def test_the_longest_line_there_may_be_is_passed_on(log: TableLog, database_url: str) -> None:
    """With its header before it a CSV frame must not be longer than the log takes."""
    (good,) = as_json(positions(1))
    longest = good[:-1].ljust(MOST_FRAME_BYTES - 1) + b"}"
    assert fed(log, longest + b"\n" + good, "x.ndjson").lines == 2
    header, row = as_csv([positions(1)[0] | {"other": 1}])
    wide = row[:-1] + b"x" * (MOST_FRAME_BYTES - len(row) + 1)
    fits = wide[: MOST_FRAME_BYTES - len(header) - 1]
    found = fed(log, b"\n".join([header, row, wide, fits + b"x", fits, row]), "x.csv")
    assert (found.lines, dict(found.rejects.counts)) == (3, {"oversize": 2})
    assert [reject.line for reject in found.rejects.shown] == [3, 4]
    assert max(len(frame.content) for frame in frames(database_url)) == MOST_FRAME_BYTES


@pytest.mark.parametrize("content", [b"", b"\n \n\r\n", b"\xef\xbb\xbf\n", b"plate,time,lon,lat,speed_kmh\n"])
def test_nothing(log: TableLog, database_url: str, content: bytes) -> None:
    found = fed(log, content, "-")
    assert (found.lines, found.frames, dict(found.rejects.counts)) == (0, 0, {})
    assert frames(database_url) == []


def test_a_header_that_lacks_a_column_is_told(log: TableLog) -> None:
    found = fed(log, b"plate,time\nA1,5\n", "x.csv")
    assert found.rejects.counts == {"malformed": 1}
    assert "no column lon, lat, speed_kmh" in found.rejects.shown[0].detail


def test_a_full_log_is_waited_for(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(feed, "WAITING_BYTES", 4_000)
    monkeypatch.setattr(feed, "FRAME_BYTES", 2_000)
    monkeypatch.setattr(pauses, "SHORTEST_S", 0.05)
    TableLog.create(database_url, 1)
    texts = as_json(positions(300))
    done = threading.Event()
    read: list[bytes] = []

    def reader() -> None:
        """Takes everything as it comes, and lets it go."""
        with closing(TableLog(database_url, beat_s=0.1)) as log, log.reader() as own:
            offset = -1
            while not (done.is_set() and offset == own.ends().get(0)):
                for frame in own.poll(0.1):
                    read.extend(frame.content.split(b"\n"))
                    offset = frame.offset + 1
                if own.assigned:
                    if offset < 0:
                        own.seek(0, 0)
                        offset = 0
                    own.trim(0, offset)

    with caplog.at_level(logging.WARNING), closing(TableLog(database_url, most_held_bytes=6_000)) as log:
        thread = threading.Timer(0.3, reader)
        thread.start()
        found = Feeder(log, patience_s=60).feed(io.BytesIO(b"\n".join(texts)), "-")
        done.set()
        thread.join(30)
    assert not thread.is_alive()
    assert "等待重试 trying again" in caplog.text
    assert found.lines == 300
    assert read == texts


def test_patience_ends(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "SHORTEST_S", 0.02)
    TableLog.create(database_url, 1)
    with closing(TableLog(database_url, most_held_bytes=50)) as log:
        fed(log, b"\n".join(as_json(positions(1))), "-")
        begin = time.monotonic()
        with pytest.raises(LogError) as caught:
            Feeder(log, patience_s=0.3).feed(io.BytesIO(b"\n".join(as_json(positions(5)))), "-")
    assert caught.value.passing
    assert 0.3 <= time.monotonic() - begin < 10


def test_a_log_that_will_not_recover_is_not_waited_for(log: TableLog, database_url: str) -> None:
    with connect(database_url) as connection:
        connection.execute("DROP TABLE log_frames CASCADE")
    begin = time.monotonic()
    with pytest.raises(LogError) as caught:
        fed(log, b"\n".join(as_json(positions(5))), "-")
    assert not caught.value.passing
    assert time.monotonic() - begin < 10


def test_a_file_from_disk(log: TableLog, database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "positions.ndjson"
    path.write_bytes(b"\n".join(as_json(positions(10))))
    with path.open("rb") as file:
        assert Feeder(log).feed(file, path.name).lines == 10
    assert sum(map(len, lines_of(frames(database_url)).values())) == 10
