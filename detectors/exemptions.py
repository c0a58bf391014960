"""Exemptions: where a kind is not applied, because somebody said so, for whom, where and until when.

Source: ``docs/formats.md`` §2, ``exemptions.csv``.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import shapely

from detectors.enrich import Enriched
from ingest.batch import Bool, Float64, Int32, Int64
from ingest.papers import Papers
from ingest.registry import Registry
from ingest.table import Row

EVERY = "*"
"""Stands for all kinds."""


Place = tuple[Float64, Float64]
"""Longitude and latitude, (n,) [deg]."""


class Who(Protocol):
    """Vehicles by number, with their registry rows (-1 = none) and the times that they are asked about, (n,)."""

    @property
    def vehicle(self) -> Int32:
        """Rows of vehicles, ascending."""

    @property
    def entry(self) -> Int32:
        """Registry rows."""

    @property
    def time_ms(self) -> Int64:
        """Times [ms]."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """One row of ``exemptions.csv``.

    Attributes
    ----------
    name : str
        Its number, or its line where it has none: how it is counted.
    kind : str
        Code, or `EVERY`.
    parties : bool, (parties,)
        Which of ``registry.parties`` its class, county and company mean.
    vehicle : tuple of plate and colour, optional
    from_ms, to_ms : int
        When it holds: from the first, until before the second [ms].
    fences : tuple of int, optional
        Rows of ``registry.fences`` of its fence's id; None for everywhere.
    """

    name: str
    kind: str
    parties: Bool
    vehicle: tuple[str, int] | None
    from_ms: int
    to_ms: int
    fences: tuple[int, ...] | None

    def holds(self, registry: Registry, who: Who, place: Place | None) -> Bool:
        """Where it holds, (n,): on the boundary of a fence is inside; without a place no fence is."""
        found = np.zeros(len(who.vehicle), np.bool_)
        part = slice(None)
        if self.vehicle is not None:
            row = registry.vehicles.rows.get(self.vehicle, -1)
            part = slice(*np.searchsorted(who.vehicle, [row, row + 1]).tolist())
        time_ms = who.time_ms[part]
        held = (self.from_ms <= time_ms) & (time_ms < self.to_ms)
        held &= self.parties[registry.entries.party[who.entry[part]]]
        if self.fences is not None:
            at = np.flatnonzero(held)
            held[at] = (
                False if place is None else self._inside(registry, time_ms[at], *(one[part][at] for one in place))
            )
        found[part] = held
        return found

    def _inside(self, registry: Registry, time_ms: Int64, lon: Float64, lat: Float64) -> Bool:
        inside = np.zeros(len(time_ms), np.bool_)
        for row in self.fences or ():
            fence = registry.fences[row]
            shapely.prepare(fence.shape)
            west, south, east, north = fence.shape.bounds
            near = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
            near &= (fence.from_ms <= time_ms) & (time_ms < fence.to_ms)
            inside[near] |= shapely.intersects_xy(fence.shape, lon[near], lat[near])
        return inside


class Exemptions:
    """All exemptions of a registry, and at how many fixes each kept which kind from being applied.

    Attributes
    ----------
    counted : Counter
        Code of the kind and name of the exemption to fixes, since it was last cleared. Where several exemptions
        hold at a fix, the first in the table counts.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        papers = registry.papers.get("exemptions")
        self.rows = [] if papers is None else [_read(registry, papers, at) for at in range(len(papers))]
        self.counted: Counter[tuple[str, str]] = Counter()

    def concern(self, code: str) -> bool:
        """Whether there is one for a kind, at any time."""
        return any(one.kind in (code, EVERY) for one in self.rows)

    def exempt(self, code: str, batch: Enriched, applies: Bool) -> Bool:
        """Where a kind applies once exemptions are granted, (n,); counts what they took."""
        place = batch.lon, batch.lat
        return self._exempt(code, batch, applies, lambda at: batch.once(
            ("exemption", str(at)), lambda: self.rows[at].holds(self.registry, batch, place)
        ))  # fmt: skip

    def exempt_days(self, code: str, who: Who, applies: Bool) -> Bool:
        """To which vehicles a kind that judges days applies, (n,); an exemption for a fence does not touch it."""
        return self._exempt(code, who, applies, lambda at: self.rows[at].holds(self.registry, who, None))

    def _exempt(self, code: str, who: Who, applies: Bool, holds: Callable[[int], Bool]) -> Bool:
        if not self.rows or not len(who.time_ms):
            return applies
        first_ms, last_ms = int(who.time_ms.min()), int(who.time_ms.max())
        for at, one in enumerate(self.rows):
            if one.kind not in (code, EVERY) or last_ms < one.from_ms or first_ms >= one.to_ms:
                continue
            taken = applies & holds(at)
            if count := int(taken.sum()):
                self.counted[code, one.name] += count
                applies = applies & ~taken
        return applies

    def told(self) -> dict[tuple[str, str], int]:
        """What was counted since this was last asked."""
        found = dict(self.counted)
        self.counted.clear()
        return found


def _read(registry: Registry, papers: Papers, at: int) -> Exemption:
    row: Row = papers.rows[at]
    letters, county, company = row.text("class"), row.text("county"), row.text("company")
    parties = [
        (not letters or (party.kind != "" and party.kind in letters))
        and county in ("", party.county)
        and company in ("", party.company)
        for party in registry.parties
    ]
    fence, plate = row.text("fence"), row.text("plate")
    return Exemption(
        name=row.text("number") or f"line {row.line}",
        kind=row.text("kind"),
        parties=np.array(parties, np.bool_),
        vehicle=(plate, row.whole("plate_color", 2, 0, 255)) if plate else None,
        from_ms=int(papers.from_ms[at]),
        to_ms=int(papers.to_ms[at]),
        fences=tuple(at for at, one in enumerate(registry.fences) if one.id == fence) if fence else None,
    )
