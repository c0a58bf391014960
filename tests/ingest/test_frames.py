"""Frames: the same fixes as from a file, however they are cut, and every other record byte for byte."""

import csv
import io
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.batch import MISSING_MS, Batch, concat, no_fixes
from ingest.formats import read_positions
from ingest.frames import MISROUTED, UNKNOWN_FORM, Decoded, Decoder
from ingest.log import CSV, POSITIONS, REGISTRY, TICK, Frame, partition_of
from ingest.profile import DEFAULT, Profile, read_profile, shipped
from ingest.registry import Vehicles, driver_code
from ingest.rejects import MALFORMED, Rejects

PROFILES = {name: read_profile(name) for name in shipped()}
EVERY = [DEFAULT, *PROFILES.values()]
RECEIVED_MS = 1_772_380_900_000
VALUES: dict[str, tuple[Any, ...]] = {
    "plate": ("测A00001", "测A00002", " 测A00001 ", "x" * 64, "x" * 65, "", None, 7, True, ["x"], "\x00", "a\ud800"),
    "plate_color": (2, 1, "2", "", None, 256, -1, 1.5, "blue", True),
    "time": (
        1_772_380_800_000,
        "1772380800001",
        "2026-03-02T08:00:00",
        1e300,
        "",
        None,
        "soon",
        "260302080000",
        5.5,
        {},
    ),
    "received": (1_772_380_900_001, "2026-03-02T00:00:01Z", None, "", "never"),
    "alarm": (0, 1, 2**32 - 1, 2**32, -1, "3", None, 1.0, True),
    "status": (3, 0, "2", None, []),
    "backfill": (True, False, "TRUE", "1", 1, 0, None, "no"),
    "driver": ("D1", " D1 ", "", None, 17, True, "长" * 100, 1.5),
}
NUMBERS: tuple[Any, ...] = (87.3, 44, "60.5", "-1e2", 1e999, "NaN", "", None, True, "1_0", " 5 ", 2**70, "٣", -0.0, [])
RUBBISH = (
    b"", b" ", b"\r", b"{", b"[]", b"null", b"{}", b"\x1f\x8b\x08\x00", b"\xef\xbb\xbf{}", b"\xff\xfe", b"\x00", b'"',
    b'a"b,c',
    b'{"plate": "\xff", "time": 1}', b'{"a":' * 2_000, b"x" * 100_000, b"1" * 5_000, b'{"plate": "\\ud800"}', b",,,,,",
)  # fmt: skip


def value_of(random: Random, field: str) -> Any:
    return random.choice(VALUES.get(field, NUMBERS))


def json_line(random: Random, profile: Profile) -> bytes:
    record: dict[str, Any] = {"other": [1, {"深": None}]}
    for field, name in profile.fields.items():
        good = random.random() < 0.7
        if not good and random.random() < 0.3:
            continue
        *path, last = name.split(".")
        inner = record
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = VALUES.get(field, NUMBERS)[0] if good else value_of(random, field)
    return json.dumps(record, ensure_ascii=random.random() < 0.5).encode(errors="surrogatepass")


def csv_line(random: Random, profile: Profile) -> bytes:
    cells = [
        VALUES.get(field, NUMBERS)[0] if random.random() < 0.7 else value_of(random, field) for field in profile.fields
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\r" if random.random() < 0.2 else "").writerow(
        ["" if cell is None else cell for cell in cells]
    )
    return text.getvalue().replace("\n", " ").encode(errors="surrogatepass")


def header_of(profile: Profile) -> bytes:
    return ",".join(profile.fields.values()).encode()


def some_lines(random: Random, form: str, profile: Profile, n: int) -> list[bytes]:
    line = json_line if form == POSITIONS else csv_line
    return [random.choice(RUBBISH) if random.random() < 0.2 else line(random, profile) for _ in range(n)]


def form_of(form: str, profile: Profile) -> str:
    return form if profile is DEFAULT else f"{form}:{profile.name}"


def frame(content: bytes, form: str = POSITIONS, offset: int = 0, partition: int = 0) -> Frame:
    return Frame(partition, form, RECEIVED_MS + offset, content, offset)


def decoder(partitions: int = 1) -> Decoder:
    return Decoder(Vehicles(), partitions, PROFILES)


def columns(batch: Batch, names: Sequence[Any]) -> dict[str, Any]:
    """What a batch says, to the bit, by names of vehicles; receipt aside."""
    found = {
        name: column.tobytes() for name, column in batch.columns().items() if name not in ("vehicle", "received_ms")
    }
    return found | {"name": [names[vehicle] for vehicle in batch.vehicle]}


# --- the same as from a file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", EVERY, ids=lambda profile: profile.name)
@pytest.mark.parametrize("form", [POSITIONS, CSV])
def test_a_frame_holds_what_a_file_of_its_lines_holds(form: str, profile: Profile) -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        lines = some_lines(Random(seed), form, profile, 60)
        lines[0] = b"{}" if form == POSITIONS else header_of(profile)  # tells the form, nothing else
        content = b"\n".join(lines)
        vehicles, rejects = Vehicles(), Rejects()
        name = "x.csv" if form == CSV else "x.ndjson"
        parts = list(read_positions(io.BytesIO(content), name, vehicles, rejects, profile))
        own = decoder()
        found = own.decode([frame(content, form_of(form, profile))])
        expected = concat([part.batch for part in parts]) if parts else no_fixes()
        assert columns(found.batch, own.vehicles.names) == columns(expected, vehicles.names)
        assert (found.row + 1).tolist() == [line for part in parts for line in part.line.tolist()]
        receipt = np.where(expected.received_ms == MISSING_MS, RECEIVED_MS, expected.received_ms)
        assert found.batch.received_ms.tolist() == receipt.tolist()
        assert Counter(record.reason for record in found.quarantined) == rejects.counts
        for record in found.quarantined:
            assert record.content == lines[record.row]
        told = [found.row.tolist(), [record.row for record in found.quarantined]]
        places = told[0] + told[1]
        assert len(set(places)) == len(places), "a record is one thing"
        unread = set(range(len(lines))) - set(places) - ({0} if form == CSV else set())
        assert all(not lines[row].strip() for row in unread), "only blank lines are passed over"
        seen += Counter({"fixes": len(found.batch)}) + rejects.counts
        ours = own.drivers()
        assert set(ours) >= set(found.batch.driver.tolist()) - {0}
        assert all(driver_code(text) == code for code, text in ours.items())
        assert own.drivers() == {}
    assert seen["fixes"] > 100
    assert seen["malformed"] > 10
    assert seen["encoding"] > 3


# --- however it is cut --------------------------------------------------------------------------------------------


def in_frames(
    random: Random, lines: list[tuple[str, Profile, bytes]], most: int
) -> tuple[list[Frame], list[list[int]]]:
    """Frames of consecutive lines of one form, and the number of each row's line; -1 for a header."""
    frames: list[Frame] = []
    numbers: list[list[int]] = []
    at = 0
    while at < len(lines):
        form, profile, _ = lines[at]
        end = at + 1
        while end < len(lines) and lines[end][:2] == (form, profile) and end - at < random.randint(1, most):
            end += 1
        headed = [header_of(profile)] * (form == CSV)
        texts = headed + [text for _, _, text in lines[at:end]]
        tail = b"\n" if not texts[-1] or random.random() < 0.3 else b""
        frames.append(frame(b"\n".join(texts) + tail, form_of(form, profile), len(frames)))
        numbers.append([-1] * len(headed) + list(range(at, end)))
        at = end
    return frames, numbers


def outcome(own: Decoder, frames: list[Frame], numbers: list[list[int]], cuts: Sequence[int]) -> dict[str, Any]:
    parts: list[Decoded] = []
    lines: list[int] = []
    refused: list[tuple[int, str, str, bytes]] = []
    bounds = [0, *cuts, len(frames)]
    for begin, end in pairwise(bounds):
        part = own.decode(frames[begin:end])
        parts.append(part)
        lines += [numbers[begin + at][row] for at, row in zip(part.frame.tolist(), part.row.tolist(), strict=True)]
        refused += [(numbers[r.frame.offset][r.row], r.reason, r.detail, r.content) for r in part.quarantined]
    batch = concat([part.batch for part in parts])
    return columns(batch, own.vehicles.names) | {"lines": lines, "refused": sorted(refused)}


@pytest.mark.parametrize("seed", range(10))
def test_however_lines_are_cut_into_frames_and_frames_into_calls(seed: int) -> None:
    random = Random(seed)
    lines: list[tuple[str, Profile, bytes]] = []
    for _ in range(8):
        form, profile = random.choice((POSITIONS, CSV)), random.choice(EVERY)
        lines += [(form, profile, text) for text in some_lines(random, form, profile, random.choice((1, 30, 700)))]
    whole, numbers = in_frames(random, lines, 10_000)
    expected = outcome(decoder(), whole, numbers, [])
    assert len(expected["lines"]) > 20
    assert expected["lines"] == sorted(expected["lines"])
    for most in (1, 3, 600):
        frames, numbers = in_frames(random, lines, most)
        cuts = sorted(random.sample(range(len(frames) + 1), min(len(frames), 7)))
        assert outcome(decoder(), frames, numbers, cuts) == expected


# --- what is no fix ------------------------------------------------------------------------------------------------


GOOD = b'{"plate": "\xe6\xb5\x8bA00001", "time": 1772380800000, "lon": 87.3, "lat": 44.0, "speed_kmh": 60}'


def refused(found: Decoded) -> list[tuple[int, int, str, bytes]]:
    return [(record.frame.offset, record.row, record.reason, record.content) for record in found.quarantined]


def test_frames_that_are_nothing_or_rubbish() -> None:
    frames = [
        frame(b""), frame(b"\n", offset=1), frame(b"\n\n \n\r\n", offset=2), frame(b"\x1f\x8b\x08" + b"\n", offset=3),
        frame(b"\xef\xbb\xbf" + GOOD, offset=4), frame(GOOD + b"\r\n" + GOOD, offset=5),
        frame(b"x" * 1_048_576, offset=6), frame(b"", CSV, 7), frame(b"\n\n", CSV, 8),
    ]  # fmt: skip
    found = decoder().decode(frames)
    assert found.frame.tolist() == [5, 5]
    assert found.row.tolist() == [0, 1]
    assert refused(found) == [
        (3, 0, "encoding", b"\x1f\x8b\x08"), (4, 0, MALFORMED, b"\xef\xbb\xbf" + GOOD),
        (6, 0, MALFORMED, b"x" * 1_048_576),
    ]  # fmt: skip


def test_forms_that_are_not_known() -> None:
    forms = ("", "Positions", "positions:", "positions:nobody", "csv:warnloop", REGISTRY, "tick:x", "\x00", "\ud800")
    found = decoder().decode([frame(GOOD, form, at) for at, form in enumerate(forms)])
    assert refused(found) == [(at, 0, UNKNOWN_FORM, GOOD) for at in range(len(forms))]
    assert len(found.batch) == 0


def test_ticks() -> None:
    texts = [
        b"5",
        b"4",
        b"2026-03-02T00:00:00Z",
        b"",
        b"x",
        b"\xff",
        b"1" * 5_000,
        b"-1",
        "٣".encode(),
        b"99999999999999999",
    ]
    found = decoder(2).decode(
        [frame(text, TICK, at) for at, text in enumerate(texts)] + [frame(b"7", TICK, partition=1)]
    )
    assert found.ticks == {0: 1_772_409_600_000, 1: 7}
    assert refused(found) == [(at, 0, MALFORMED, texts[at]) for at in range(3, len(texts))]
    assert decoder().decode([frame(b"4", TICK), frame(b"3", TICK, 1)]).ticks == {0: 4}


def test_ticks_stand_among_the_fixes_of_their_partition() -> None:
    """Rubbish and vehicles that belong elsewhere do not count."""
    plates = [f"测A{at:05}" for at in range(40)]
    home = [plate for plate in plates if partition_of(plate, 2, 2) == 0]
    away = [plate for plate in plates if partition_of(plate, 2, 2) == 1]

    def fixes(*chosen: str) -> bytes:
        return b"\n".join(GOOD.replace("测A00001".encode(), plate.encode()) for plate in chosen)

    own = decoder(2)
    among = own.decode(
        [
            frame(b"10", TICK),
            frame(fixes(home[0], away[0], home[1]) + b"\nrubbish", offset=1),
            frame(b"20", TICK, 2),
            frame(fixes(*away[:3]), partition=1),
            frame(b"15", TICK, 1, partition=1),
            frame(fixes(away[3]), partition=1, offset=2),
            frame(fixes(home[2]), offset=3),
            frame(b"30", TICK, 4),
        ]
    ).among
    rows = zip(
        among.at.tolist(), among.first_ms.tolist(), among.last_ms.tolist(), among.partition.tolist(), strict=True
    )
    assert list(rows) == [(0, 10, 10, 0), (2, 20, 20, 0), (7, 30, 30, 0), (5, 15, 15, 1)]
    names = [name.plate for name in own.vehicles.names]
    assert among.home.tolist() == [partition_of(plate, 2, 2) for plate in names]


def test_csv_frames_whose_header_is_no_header() -> None:
    row = b"A1,1772380800000,87.3,44,60"
    good = b"plate,time,lon,lat,speed_kmh"
    frames = [
        frame(good, CSV), frame(good + b"\n", CSV, 1), frame(good + b"\n" + row, CSV, 2),
        frame(row + b"\n" + row, CSV, 3), frame(b"\xff\n" + row, CSV, 4), frame(b"plate,time\nA1,5", CSV, 5),
        frame(b"\n" + row, CSV, 6),
        frame(b'"plate\n' + row, CSV, 7),
    ]  # fmt: skip
    found = decoder().decode(frames)
    assert list(zip(found.frame.tolist(), found.row.tolist(), strict=True)) == [(2, 1), (5, 1)]
    assert found.batch.lon[0] == 87.3
    assert np.isnan(found.batch.lon[1])
    assert refused(found) == [(at, 1, MALFORMED, row) for at in (3, 4, 6, 7)]


def test_a_vehicle_in_a_foreign_partition() -> None:
    """Its order would not be kept; of one that is at home all is kept."""
    plates = [f"测A{at:05}" for at in range(40)]
    content = b"\n".join(GOOD.replace("测A00001".encode(), plate.encode()) for plate in plates)
    own = decoder(4)
    for partition in range(4):
        found = own.decode([frame(content, partition=partition)])
        home = [at for at, plate in enumerate(plates) if partition_of(plate, 2, 4) == partition]
        assert found.row.tolist() == home
        assert [own.vehicles.names[vehicle].plate for vehicle in found.batch.vehicle] == [plates[at] for at in home]
        away = [at for at in range(40) if at not in home]
        assert refused(found) == [(0, at, MISROUTED, content.split(b"\n")[at]) for at in away]
    assert own.home().tolist() == [partition_of(plate, 2, 4) for plate in plates]


def test_receipt_is_the_frames_only_where_the_record_has_none() -> None:
    given = GOOD[:-1] + b', "received": 1772380800500}'
    unreadable = GOOD[:-1] + b', "received": "soon"}'
    found = decoder().decode([frame(GOOD + b"\n" + given, offset=1), frame(unreadable, offset=2)])
    assert found.batch.received_ms.tolist() == [RECEIVED_MS + 1, 1_772_380_800_500, RECEIVED_MS + 2]


def test_plates_that_no_database_keeps() -> None:
    plates = (b"a\\u0000b", b"a\\ud800", b"\\udfff", b"\\ud83d\\ude8c", b"a\\u0001")
    lines = [GOOD.replace("测A00001".encode(), plate) for plate in plates]
    own = decoder()
    found = own.decode([frame(b"\n".join(lines))])
    assert refused(found) == [(0, at, MALFORMED, lines[at]) for at in range(3)]
    assert [name.plate for name in own.vehicles.names] == ["🚌", "a\x01"]


def test_a_frame_of_nothing_but_rubbish_is_put_away_in_time() -> None:
    """A frame may hold hundreds of thousands of lines that are no fix: work must not grow with their square."""
    begin = time.monotonic()
    found = decoder().decode([frame(b"xx\n" * 150_000)])
    assert len(found.quarantined) == 150_000
    assert time.monotonic() - begin < 20, "measured: 2 s"


def test_no_frames() -> None:
    found = decoder().decode([])
    assert (len(found.batch), found.quarantined, found.ticks, len(found.among)) == (0, [], {}, 0)


FORMS = st.sampled_from([POSITIONS, CSV, TICK, *(f"{form}:{name}" for name in PROFILES for form in (POSITIONS, CSV))])
BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([GOOD, *RUBBISH[:10], b"plate,time,lon,lat,speed_kmh", b"a,1,2,3,4"])).map(b"\n".join),
    st.text(st.sampled_from('{}[]",:\n\r\\u0dé1-.e plate')).map(str.encode),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(FORMS, BYTES), max_size=6))
def test_nothing_stops_it(contents: list[tuple[str, bytes]]) -> None:
    frames = [frame(content, form, at) for at, (form, content) in enumerate(contents)]
    own = decoder()
    found = own.decode(frames)
    for record in found.quarantined:
        whole = record.frame.content
        assert record.content == (whole if record.frame.form == TICK else whole.split(b"\n")[record.row])
    places = [(int(at), int(row)) for at, row in zip(found.frame, found.row, strict=True)]
    places += [(record.frame.offset, record.row) for record in found.quarantined]
    assert len(set(places)) == len(places)
    again = own.decode([replace(one) for one in frames])
    assert columns(again.batch, own.vehicles.names) == columns(found.batch, own.vehicles.names)
