"""docs/formats.md names every measure that the examples of a kind show."""

import re
from pathlib import Path

import pytest

from detectors.catalogue import CATALOGUE
from detectors.found import WARNED
from detectors.kind import Kind
from tests.drives import Course

PAGE = (Path(__file__).parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (V\d\d[V\d ,-]*) \| (.*) \|$", re.MULTILINE)


def codes(text: str) -> set[str]:
    """V01-V04, V20: the kinds that a row is about."""
    found: set[str] = set()
    for part in text.split(", "):
        first, _, last = part.partition("-")
        found |= {f"V{number:02}" for number in range(int(first[1:]), int((last or first)[1:]) + 1)}
    return found


def documented(code: str) -> set[str]:
    """Words in code font of the rows about a kind."""
    rows = ROW.findall(PAGE[PAGE.index("## 3. Episodes") :])
    return {word for kinds, text in rows if code in codes(kinds) for word in re.findall(r"`([a-z_]+)`", text)}


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=str)
def test_measures_are_documented(tmp_path: Path, kind: Kind) -> None:
    shown: set[str] = set()
    for number, example in enumerate(kind.examples):
        (tmp_path / f"{number}").mkdir()
        course = Course(tmp_path / f"{number}", kind, example)
        for row in course.judge(0, len(course.batch)):
            if row["fact"] != WARNED and row["severity"]:
                shown |= kind.measures(row).keys()
    assert shown - documented(kind.code) == set()
