"""Items: the layout is one of 63 bits, and records say them as formats.md does."""

import io
import json
from itertools import pairwise

import numpy as np
import pytest

from ingest import items
from ingest.formats import read_positions
from ingest.items import FIELDS, LISTS, alarms, bits, on_board, told
from ingest.registry import Vehicles
from ingest.rejects import Rejects

FIX = {"plate": "测B00001", "time": 1_772_380_800_000, "lon": 87.3, "lat": 44.0, "speed_kmh": 60.5}


def read(*records: dict[str, object] | str, head: str = "") -> np.ndarray:
    rejects = Rejects()
    lines = [head, *records] if head else [json.dumps(FIX | record) for record in records if isinstance(record, dict)]
    source = io.BytesIO("\n".join(map(str, lines)).encode())
    parts = list(read_positions(source, "-", Vehicles(), rejects))
    assert not rejects.counts
    return np.concatenate([part.batch.items for part in parts])


def one(**record: object) -> int:
    found = read(record)
    assert found.shape == (1,)
    assert found.dtype == np.int64
    return int(found[0])


def of(**columns: object) -> int:
    return int(items.pack({name: [value] for name, value in columns.items()}, 1)[0])


def test_fields_lie_side_by_side_in_63_bits() -> None:
    spans = [(field.shift, field.shift + field.entries * field.each) for field in FIELDS.values()]
    assert spans[0][0] == 0
    assert spans[-1][1] == 63
    assert all(left[1] == right[0] for left, right in pairwise(spans))


def test_every_bit_is_an_entry_of_its_own() -> None:
    seen = 0
    for name, field in FIELDS.items():
        first = int(name in LISTS)
        own = bits(name, *range(first, first + field.entries))
        assert own == field.whole << field.shift
        assert not seen & own
        seen |= own
    assert seen == (1 << 63) - 1


def test_masks() -> None:
    assert one(video_alarm=0b101) == bits("video_alarm", 0, 2)
    assert one(video_alarm=0xFFFFFFFF) == bits("video_alarm", *range(7))
    assert one(abnormal=0b110) == bits("abnormal", 1, 2)
    assert one(tpms=0b1111_1111) == bits("tpms", 0, 1, 2, 3)
    assert one(tpms=0b0100_0001) == bits("tpms", 3)


def test_alarms_by_type_and_level() -> None:
    assert one(adas=[[1, 1]]) == bits("adas", 1) & ~bits("adas", 1, least=2)
    assert one(adas=[[1, 2]]) == bits("adas", 1, least=2)
    assert one(adas=[[1, 9]]) == one(adas=[[1, 2]])
    assert one(dsm=[[4]]) == one(dsm=[[4, 0]]) == one(dsm=[[4, 1]])
    assert one(dsm=[[4, 1], [4, 2]]) == bits("dsm", 4)
    assert one(dsm=[[6, 2], [8, 1]]) == bits("dsm", 6, least=2) | (bits("dsm", 8) & ~bits("dsm", 8, least=2))
    assert one(bsd=[[1, 2], [3, 0]]) == bits("bsd", 1, 3)
    assert one(harsh=[[7, 1]]) == bits("harsh", 7)


def test_an_alarm_that_ends_raises_nothing() -> None:
    assert one(adas=[[1, 2, 2]]) == 0
    assert one(adas=[[1, 2, 1], [2, 2, 2]]) == one(adas=[[1, 2, 0]]) == bits("adas", 1, least=2)


def test_passengers() -> None:
    counts = [None, 0, 1, 45, 255, 256, 10**6, -1, 2.5, "12", "many", True]
    found = on_board(read(*[dict[str, object](passengers=count) for count in counts]))
    assert found.tolist() == [-1, 0, 1, 45, 255, 255, 255, -1, -1, 12, -1, -1]


@pytest.mark.parametrize(
    "value",
    ["", "x", "1:", "1:2:0:0", "1:x", "1.5", [1, 2], [[]], [[1, 2, 0, 0]], [[1.5, 1]], [["x", 1]], [[None]], [[0, 1]],
     [[9, 2]], [[-1, 1]], [[True, 1]], [[[1], 1]], {}, 5, True, None, [[10**30, 1]], [[1, -1]]],
)  # fmt: skip
def test_what_is_no_alarm_is_passed_over(value: object) -> None:
    assert one(dsm=value) == 0
    assert one(dsm=value, bsd=[[2]], video_alarm=1) == bits("bsd", 2) | bits("video_alarm", 0)


@pytest.mark.parametrize("name", ["video_alarm", "abnormal", "tpms"])
def test_what_is_no_mask_is_passed_over(name: str) -> None:
    bad: tuple[object, ...] = (-1, 0.5, "x", [], True, None, 1 << 32)
    for value in bad:
        assert one(**{name: value}) == 0


def test_text_and_list_say_the_same_and_so_does_a_csv() -> None:
    names = list(FIX)
    row = ",".join(str(FIX[name]) for name in names)
    head = ",".join([*names, *FIELDS])
    told_of = {"video_alarm": 16, "abnormal": 2, "adas": "1:2 3:1", "dsm": "4:1 6:2:1 2:1:2", "bsd": "2", "tpms": 4,
               "harsh": "2:1", "passengers": 51}  # fmt: skip
    lists = {"adas": [[1, 2], [3, 1]], "dsm": [[4, 1], [6, 2, 1], [2, 1, 2]], "bsd": [[2]], "harsh": [[2, 1]]}
    line = ",".join(str(told_of[name]) for name in FIELDS)
    by_csv = read(f"{row},{line}", f"{row}" + "," * len(FIELDS), head=head)
    assert by_csv.tolist() == [one(**told_of), 0]
    assert one(**told_of) == one(**told_of | lists) == of(**told_of)
    assert told(by_csv, bits("dsm", 2)).tolist() == [False, False]
    assert told(by_csv, bits("adas", 1, least=2)).tolist() == [True, False]


def test_a_line_that_is_not_clean_tells_the_same() -> None:
    clean = one(adas=[[1, 2]], passengers=3)
    assert one(adas=[[1, 2]], passengers=3, alarm="x") == clean != 0


def test_columns_of_alarms() -> None:
    kind, level, flag = (np.array(column) for column in ((1, 2, 8, 0, 3), (0, 3, 2, 1, 2), (0, 1, 0, 0, 2)))
    assert alarms("adas", kind, level, flag).tolist() == [1 << 10, 1 << 13, 0, 0, 0]
    assert alarms("harsh", kind, level, flag).tolist() == [1 << 47, 1 << 48, 0, 0, 0]
