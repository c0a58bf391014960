"""Where a vehicle's frames go: on every machine, in every version, the same."""

from collections import Counter

import pytest

from ingest.log import partition_of


@pytest.mark.parametrize(
    ("plate", "plate_color", "partitions", "expected"),
    [
        ("新B12345", 2, 8, 0),
        ("新B12345", 1, 8, 2),
        ("新B12345", 2, 5, 3),
        ("", 0, 8, 3),
        ("A\udcff", 3, 64, 11),
    ],
)
def test_it_is_the_same_for_ever(plate: str, plate_color: int, partitions: int, expected: int) -> None:
    assert partition_of(plate, plate_color, partitions) == expected


def test_vehicles_spread_evenly() -> None:
    counts = Counter(partition_of(f"新B{number:05}", 2, 8) for number in range(8_000))
    assert sorted(counts) == list(range(8))
    assert max(counts.values()) < 1_100
    assert min(counts.values()) > 900
