"""Episode: rulebook §1.5 and §6; formats.md §3 without `place_county`."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .registry import Row


@dataclass(slots=True)
class Episode:
    """`begins_ms` with vehicle and kind is its identity; `ends_ms` moves forward only."""

    kind: str
    begins_ms: int
    raised_ms: int
    ends_ms: int
    severity: int
    lead: bool
    row: Row  # of the registry at `raised_ms`
    measures: dict[str, object] = field(default_factory=dict)

    def shown(self) -> dict[str, object]:
        """One line of the episodes file."""
        return {
            "kind": self.kind,
            "plate": self.row.plate,
            "plate_color": self.row.plate_color,
            "begins_ms": self.begins_ms,
            "raised_ms": self.raised_ms,
            "ends_ms": self.ends_ms,
            "severity": self.severity,
            "lead": self.lead,
            "company": self.row.company,
            "county": self.row.county,
            **self.measures,
        }


def supersede(episodes: Iterable[Episode]) -> None:
    """ "V04 overlapping V01/V02 marks those `superseded_by: "V04"`": they share an instant."""
    found = list(episodes)
    graver = [e for e in found if e.kind == "V04"]
    for episode in found:
        if episode.kind in ("V01", "V02") and any(
            four.begins_ms <= episode.ends_ms and episode.begins_ms <= four.ends_ms for four in graver
        ):
            episode.measures["superseded_by"] = "V04"
