"""Columns: what a decoder finds in a chunk of lines, one list of clean values a field."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest.lines import Lines
from ingest.rejects import Rejects

FLAWS = ("altitude_m", "heading_deg")
"""Numbers that disqualify a fix when they are given but unreadable."""

MOST_COLOR = 255
NAMES = {str, int, float, type(None)}
"""Types that a plate or a plate colour may have; ``true`` is none of them."""
UNREADABLE = ("unreadable",)
"""What stands for a plate or a plate colour of another type."""


def unreadable(field: str) -> float:
    """What a column shows for a number that was given but is unreadable."""
    return math.inf if field in FLAWS else math.nan


@dataclass(frozen=True, slots=True)
class Columns:
    """Values of n fixes by rulebook field; a field that no line has is absent.

    Attributes
    ----------
    name : list of tuple
        Plate and plate colour of each fix, as they stand there.
    values : dict of list
        Clean values (see `values`) of the other fields; times as they stand there.
    lines : list of int
        Number of each fix's line.
    """

    name: list[tuple[Any, Any]]
    values: dict[str, list[Any]]
    lines: list[int]


Decode = Callable[[Lines, Rejects], Columns]
"""Lines to columns; what is no fix is told to the rejects."""
