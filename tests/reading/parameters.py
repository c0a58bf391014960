"""Parameters: named, dated settings per class, county, company (formats.md §2)."""

import csv
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isnan
from pathlib import Path
from typing import NamedTuple

from . import values

Set = Mapping[str, float]

DEFAULTS: dict[str, dict[str, float]] = {
    "V01": {"ratio": 1, "margin_kmh": 3, "points": 3, "hold_ms": 30_000, "gap_ms": 120_000,
            "merge_ms": 60_000, "severe_ratio": 1.2},
    "V02": {"ratio": 1, "margin_kmh": 3, "points": 2, "hold_ms": 20_000, "gap_ms": 120_000,
            "merge_ms": 60_000, "severe_ratio": 1.2},
    "V03": {"ratio": 0.8, "margin_kmh": 3, "points": 3, "hold_ms": 30_000, "gap_ms": 120_000,
            "merge_ms": 60_000},
    "V04": {"ratio": 1.5, "margin_kmh": 0, "points": 3, "hold_ms": 10_000, "gap_ms": 120_000,
            "merge_ms": 60_000},
    "V10": {"moving_kmh": 5, "points": 3, "far_dm": 10_000, "gap_ms": 300_000, "merge_ms": 300_000},
    "V18": {"near_coach_dm": 5_000, "near_bus_dm": 2_000, "near_hazmat_dm": 3_000, "hold_ms": 180_000,
            "far_dm": 10_000, "gap_ms": 300_000, "merge_ms": 300_000},
    "V19": {"still_kmh": 5, "still_dm": 1_000, "stop_ms": 180_000, "parked_ms": 1_200_000, "near_dm": 1_000},
    "V21": {"from_ms": 0, "to_ms": 21_600_000, "moving_kmh": 5, "points": 3, "gap_ms": 300_000, "merge_ms": 300_000},
    "V22": {"hold_ms": 1_800_000, "gap_ms": 3_600_000, "away_ms": 2_592_000_000, "away_gap_ms": 864_000_000,
            "merge_ms": 3_600_000},
    "V24": {"moving_kmh": 5, "notice_ms": 1_800_000, "points": 3, "gap_ms": 300_000, "merge_ms": 300_000},
    "V25": {"still_kmh": 5, "still_dm": 1_000, "far_dm": 30_000, "near_dm": 300, "least_ms": 30_000,
            "unseen_ms": 120_000, "most_ms": 600_000, "points": 2, "severe_points": 4},
    "V20": {"points": 2, "hold_ms": 30_000, "gap_ms": 300_000, "merge_ms": 60_000},
    "V05": {"limit_ms": 14_400_000, "severe_ms": 18_000_000},
    "V06": {"limit_ms": 7_200_000},
    "V07": {"limit_ms": 28_800_000},
    "V08": {"after_ms": 7_200_000, "limit_ms": 14_400_000, "severe_ms": 18_000_000},
    "V11": {"moving_kmh": 20, "silence_ms": 600_000, "hazmat_silence_ms": 300_000},
    "V12": {"least_gap_ms": 1_800_000, "beyond_dm": 200_000, "hazmat_least_gap_ms": 1_200_000,
            "hazmat_beyond_dm": 50_000, "doubtful_ms": 86_400_000},
    "V13": {"scheduled_ms": 3_600_000, "heard_ratio": 0.5, "graver_points": 3},
    "V14": {"least_dm": 100_000, "complete_ratio": 0.95},
    "V15": {"drift_points": 5},
    "V16": {"gap_ms": 300_000, "merge_ms": 600_000, "moving_kmh": 20, "blind_ms": 600_000, "repeat_ms": 604_800_000,
            "away_dm": 300_000, "differ_kmh": 20, "differ_points": 3, "differ_ms": 60_000, "frozen_ms": 900_000,
            "apart_dm": 50_000, "return_ms": 180_000, "return_points": 8, "twice_ms": 600_000},
    "V17": {"received_points": 20, "unqualified_most_ratio": 0.05},
    "V09": {"open_ms": 600_000, "open_dm": 50_000, "severe_ms": 3_600_000},
    "V23": {"gap_ms": 300_000, "drive_kmh": 5, "open_dm": 20_000, "before_ms": 1_800_000, "after_ms": 3_600_000},
    "V26": {"gap_ms": 300_000, "drive_kmh": 5, "open_dm": 50_000, "second_dm": 50_000, "share_percent": 20},
    "V27": {"gap_ms": 300_000, "drive_kmh": 5, "open_dm": 50_000, "second_dm": 50_000, "stand_kmh": 5},
    "V28": {"gap_ms": 300_000, "drive_kmh": 5, "open_dm": 50_000, "open_ms": 1_800_000},
    "V29": {"gap_ms": 300_000, "drive_kmh": 5, "open_dm": 50_000, "severe_days": 30, "warn_days": 30},
    "V30": {"gap_ms": 300_000, "drive_kmh": 5, "open_dm": 50_000, "open_ms": 600_000, "warn_days": 30},
    "V31": {"gap_ms": 300_000, "drive_kmh": 5, "open_ms": 120_000, "second_ms": 600_000},
    "V32": {"slow_kmh": 5, "stay_ms": 180_000, "leave_dm": 2_000, "window_ms": 7_200_000, "gap_ms": 300_000},
    "V33": {"early_ms": 60_000, "late_ms": 600_000, "bunch_ratio": 0.25, "gap_ratio": 2,
            "least_interval_ms": 240_000, "most_interval_ms": 3_600_000, "interval_calls": 3},
    "V34": {"pass_m": 30, "serve_m": 80, "slow_kmh": 5, "hold_ms": 5_000, "gap_ms": 60_000, "early_ms": 300_000,
            "late_ms": 900_000, "sure_ms": 300_000, "sparse_ms": 15_000, "brake_mps2": 2.5, "pull_mps2": 1.5,
            "most_kmh": 60},
    "driving": {"drive_kmh": 5, "short_ms": 60_000, "long_ms": 300_000, "moved_dm": 1_000,
                "near_dm": 5_000, "gap_ms_per_dm": 6, "long_rest_ms": 14_400_000, "yard_ms": 60_000,
                "yard_dm": 2_000, "yard_total_dm": 5_000, "rest_ms": 1_200_000,
                "short_stop_ms": 300_000, "resume_ms": 1_200_000},
    "road_limit": {},
    "road_match": {"reach_dm": 250, "turn_deg": 30, "heading_kmh": 10, "nearer_dm": 100, "points": 2,
                   "gap_ms": 300_000},
}  # fmt: skip
CAP_KMH: dict[str, float] = {"L": 100, "C": 100, "H": 80, "F": 100, "B": 100, "T": 120}
DEFAULT_KMH: dict[str, float] = {"L": 100, "C": 100, "H": 80, "F": 90, "B": 60, "T": 120}


class Owner(NamedTuple):
    """Whom a parameter may be set for; all empty for a vehicle without a registry row."""

    letter: str = ""
    county: str = ""
    company: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of `parameters.csv`."""

    group: str
    name: str
    value: float
    classes: str = ""
    county: str = ""
    company: str = ""
    valid_from: float = -inf
    valid_to: float = inf
    fence: str = ""

    def applies(self, owner: Owner, t: int, fence: str) -> bool:
        """ "when its non-empty class, county and company equal those of the vehicle's row"."""
        return (
            (not self.classes or (owner.letter != "" and owner.letter in self.classes))
            and (not self.county or self.county == owner.county)
            and (not self.company or self.company == owner.company)
            and (not self.fence or self.fence == fence)
            and self.valid_from <= t < self.valid_to
        )

    def rank(self) -> tuple[bool, bool, bool, bool, float]:
        """A fence before none, then a company, then a county, then a class; then the later `valid_from`."""
        return bool(self.fence), bool(self.company), bool(self.county), bool(self.classes), self.valid_from


class Parameters:
    """ "Each name is resolved on its own"; sets are remembered between two dates."""

    def __init__(self, settings: list[Setting]) -> None:
        self.settings = settings
        dates = {date for s in settings for date in (s.valid_from, s.valid_to)}
        self.dates = sorted(dates)
        self.known: dict[tuple[str, Owner, str, int], Set] = {}

    def at(self, group: str, owner: Owner, t: int, fence: str = "") -> Set:
        """The group's parameter set for this owner at this time, where the kind goes by this fence."""
        key = (group, owner, fence, bisect_right(self.dates, t) if self.dates else 0)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.resolve(group, owner, t, fence)
        return found

    def resolve(self, group: str, owner: Owner, t: int, fence: str) -> Set:
        """Defaults, then for each name the row that wins ("then the later row")."""
        result = dict(DEFAULTS[group])
        if group == "road_limit" and owner.letter:
            result = {"cap_kmh": CAP_KMH[owner.letter], "default_kmh": DEFAULT_KMH[owner.letter]}
        best: dict[str, tuple[bool, bool, bool, bool, float]] = {}
        for setting in self.settings:
            if setting.group != group or not setting.applies(owner, t, fence):
                continue
            if setting.name not in best or setting.rank() >= best[setting.name]:
                best[setting.name] = setting.rank()
                result[setting.name] = setting.value
        return result


def read_parameters(path: Path) -> list[Setting]:
    """`parameters.csv`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [setting_of(row) for row in csv.DictReader(file)]


def setting_of(row: Mapping[str, str | None]) -> Setting:
    """One row; a whole value is kept whole, so that sums of milliseconds stay exact."""

    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    value = values.number(cell("value"))
    if value is None or isnan(value):
        raise ValueError(f"parameter {cell('group')}.{cell('name')} has no value")
    begin, end = values.validity(cell("valid_from"), cell("valid_to"))
    return Setting(
        group=cell("group"),
        name=cell("name"),
        value=int(value) if value.is_integer() else value,
        classes=cell("class"),
        county=cell("county"),
        company=cell("company"),
        valid_from=begin,
        valid_to=end,
        fence=cell("fence"),
    )
