"""The catalogue is whole, and its page says what it says."""

import inspect
from pathlib import Path

import pytest

from api.kinds import as_page
from detectors.catalogue import CATALOGUE
from detectors.kind import Kind

HOUSE = Path(__file__).parents[1]
KINDS = [f"V{number:02d}" for number in range(1, 46)]
"""What a server computes, V01 to V34, and what terminals carry. Source: regulation §4."""


def test_every_kind_is_there_once() -> None:
    assert list(CATALOGUE) == KINDS
    assert len({kind.zh for kind in CATALOGUE.values()}) == len({kind.en for kind in CATALOGUE.values()}) == 45


def test_the_page_is_in_step() -> None:
    assert (HOUSE / "docs" / "kinds.md").read_text(encoding="utf-8") == as_page(CATALOGUE.values()), "make kinds"


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=str)
def test_every_kind_names_its_law_and_tells_its_rule(kind: Kind) -> None:
    assert "《" in kind.clause
    assert "(" in kind.clause, "the law in English too"
    rule = inspect.cleandoc(kind.doc)
    assert len(rule.partition("Parameters\n")[0]) > 80
    assert "Source:" in rule
    module = inspect.getsourcefile(kind.detect)
    assert module is not None
    assert Path(module).parent.name == kind.family
