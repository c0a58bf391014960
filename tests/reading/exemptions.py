"""Exemptions: "the kind is taken not to apply to the vehicle" (formats.md §2)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

from . import values


@dataclass(slots=True)
class Exemption:
    """One row of `exemptions.csv`."""

    kind: str
    plate: str = ""
    plate_color: int = 2
    letters: str = ""
    county: str = ""
    company: str = ""
    fence: str = ""
    valid_from: float = -inf
    valid_to: float = inf


def read_exemptions(folder: Path) -> list[Exemption]:
    """None where there is no such file."""
    path = folder / "exemptions.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [exemption_of(row) for row in csv.DictReader(file)]


def exemption_of(row: Mapping[str, str | None]) -> Exemption:
    """One row."""

    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    color = values.whole(cell("plate_color"), 255)
    begin, end = values.validity(cell("valid_from"), cell("valid_to"))
    return Exemption(
        cell("kind"), cell("plate"), 2 if color is None else color, cell("class"), cell("county"), cell("company"),
        cell("fence"), begin, end,
    )  # fmt: skip
