"""Engine: a batch through gate, enrichment and all kinds; results do not depend on its cuts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from detectors import activity, roads
from detectors.catalogue import CATALOGUE
from detectors.days import Day, Days
from detectors.enrich import Enriched, Lookup
from detectors.exemptions import Exemptions
from detectors.found import Found
from detectors.kind import Kind
from detectors.limits import Limits, Parameters
from detectors.meanwhile import Meanwhile
from detectors.state import Present, States
from ingest import gate
from ingest.batch import Batch, Bool, Int8, Int32
from ingest.gate import Verdict
from ingest.registry import Party, Registry
from ingest.table import RegistryError
from ingest.ticks import NO_TICKS, Clock, Ticks


@dataclass(frozen=True, slots=True)
class Result:
    """What a batch of n fixes came to.

    Attributes
    ----------
    verdict : uint8, (n,)
        The gate's `Verdict` of each fix, in arrival order.
    unregistered : int
        Accepted fixes at whose time their vehicle is not registered.
    found : dict
        Code to the episodes that the batch raised or changed.
    exempted : mapping
        Code of a kind and name of an exemption to the accepted fixes at which it kept the kind from being applied.
    """

    verdict: Int8
    unregistered: int
    found: dict[str, Found]
    exempted: Mapping[tuple[str, str], int] = field(default_factory=dict)


GROUPS = (*CATALOGUE, "road_limit", "road_match", "driving")
"""Groups of parameters that a registry may override."""


COMMON = "FT"
"""Classes of most vehicles: what is for none of them is judged over a part of the batch, which is far smaller."""


class Engine:
    """Gate, lookups, kinds and their state for the vehicles of one registry.

    Parameters
    ----------
    daily : bool
        Whether to keep sheets of the vehicles' days, of all of the input, for `close`.
    second : bool
        The fixes are those of a second pass; see `second`.

    Raises
    ------
    RegistryError
        A parameter that no rule has, or a value it cannot take.
    """

    def __init__(
        self, registry: Registry, kinds: Mapping[str, Kind] = CATALOGUE, *, daily: bool = False, second: bool = False
    ) -> None:
        for row in registry.overrides:
            if row.group not in GROUPS:
                raise RegistryError(row.row.path, row.row.line, "group", f"one of {', '.join(GROUPS)}", row.group)
        self.registry = registry
        self.kinds = kinds
        self.second = second
        self.lookup = Lookup(registry)
        self.parameters = {
            code: Parameters(code, kind.limits, registry, fenced=kind.fenced is not None)
            for code, kind in kinds.items()
        }
        self.exemptions = Exemptions(registry)
        layout = {"gate": gate.STATE, "activity": activity.ACTIVITY, "road": roads.MATCH}
        self.online = {code: kind for code, kind in kinds.items() if kind.scope == "vehicle"}
        layout |= {code: kind.state for code, kind in self.online.items()}
        classes = {code: kind.classes for code, kind in self.online.items()}
        self.rare = "".join({letter for own in classes.values() if not set(own) & set(COMMON) for letter in own})
        self.states = States(layout, classes, [code for code, kind in self.online.items() if kind.sparse])
        shared = {"gate": gate.VERSION, "activity": activity.VERSION, "road": roads.VERSION}
        self.versions = shared | {code: kind.version for code, kind in self.online.items()}
        self._nothing: dict[str, Found] = {}
        self.days = Days(registry.timetable) if daily else None

    def detect(self, batch: Batch, ticks: Ticks | Clock = NO_TICKS) -> Result:
        """Carry all state through a batch of fixes in arrival order.

        Parameters
        ----------
        batch : Batch, (n,)
        ticks : Ticks or Clock
            Between the fixes; a clock makes them of the fixes themselves.
        """
        self.states.reserve(len(self.registry.vehicles))
        accepted, verdict = gate.gate(batch, self.states["gate"], second=self.second)
        if isinstance(ticks, Clock):
            ticks = ticks.ticks(batch, (verdict == Verdict.ACCEPTED) | (verdict == Verdict.DRIFT))
        if self.days is not None:
            self.days.add(batch, verdict, accepted)
        enriched = self.lookup.enrich(
            accepted, self.states["activity"], self.states["road"], Meanwhile(batch, verdict, ticks, self.second)
        )
        whole = self._present(enriched)
        part = self._only(whole, whole.of(self.rare), enriched)
        found = {
            code: self._found(kind, enriched if set(kind.classes) & set(COMMON) else part)
            for code, kind in self.online.items()
        }
        return Result(verdict, int((enriched.entry < 0).sum()), found, self.exemptions.told())

    def _found(self, kind: Kind, batch: Enriched) -> Found:
        """What a kind finds in a batch."""
        if kind.wakes is None or self.exemptions.concern(kind.code):  # these count every fix
            return self._judged(kind, batch)
        whole = self._present(batch)
        kept = self.states.keeps(kind.code, whole)  # it remembers something of them, or may begin to
        kept[whole.run[kind.wakes(batch)]] = True
        if kept.any():
            return self._judged(kind, batch if kept.all() else self._only(whole, kept, batch))
        if kind.code not in self._nothing:
            self._nothing[kind.code] = self._judged(kind, self._only(whole, kept, batch))
        return self._nothing[kind.code]

    def _judged(self, kind: Kind, batch: Enriched) -> Found:
        """What a kind finds in these fixes."""
        limits = self.limits(kind, batch)
        found = kind.detect(batch, limits, self.states[kind.code])
        if kind.sparse:
            self.states.settle(kind.code, self._present(batch), self._lent(kind, batch))
        return found

    def _only(self, whole: Present, kept: Bool, batch: Enriched) -> Enriched:
        """The fixes of some vehicles of a batch."""
        present, rows = whole.only(kept)
        part = batch.part(rows)
        part.once(("present",), lambda: present)
        return part

    def limits(self, kind: Kind, batch: Enriched) -> Limits:
        """Look up the parameter sets of a kind for a batch."""
        parameters = self.parameters[kind.code]
        fence = kind.fenced(batch) if kind.fenced is not None and parameters.fenced else None
        if kind.over == "fixes":
            index = parameters.index(batch.entry, batch.time_ms, fence)
        else:
            row, at_ms = batch.pieces["row"], batch.pieces["at_ms"]
            entry = batch.entry[row] if parameters.alike else self.registry.entry(batch.vehicle[row], at_ms)
            index = parameters.index(entry, at_ms, None if fence is None else fence[row])
        applies = batch.once(("applies", kind.classes), lambda: batch.of_class(kind.classes))
        whose = kind.code if kind.sparse else kind.classes
        slot = batch.once(("slot", whose), lambda: self._lent(kind, batch)[self._present(batch).run])
        applies = self.exemptions.exempt(kind.code, batch, applies)
        return Limits(parameters.sets, index, applies, slot, partial(self.states.slots, kind.code), parameters.known)

    def _present(self, batch: Enriched) -> Present:
        """The vehicles of a batch."""

        def ask() -> Present:
            self.states.reserve(len(self.registry.vehicles))
            return self.states.present(batch.vehicle, self.lookup.letters)

        return batch.once(("present",), ask)

    def _lent(self, kind: Kind, batch: Enriched) -> Int32:
        """Row of a kind's state for each vehicle of a batch, (u,)."""
        return batch.once(("lent", kind.code), lambda: self.states.lend(kind.code, self._present(batch)))

    def close(self) -> dict[str, Found]:
        """Judge all days on which anything was received, in order: episodes by code of the kinds of scope ``day``."""
        daily = {code: kind for code, kind in self.kinds.items() if kind.scope == "day"}
        states = {code: np.zeros(len(self.registry.vehicles), kind.state) for code, kind in daily.items()}
        found: dict[str, list[Found]] = {code: [] for code in daily}
        for day in self.days.close(self.registry) if self.days is not None else ():
            for code, kind in daily.items():
                found[code].append(kind.detect(day, self.day_limits(kind, day), states[code]))
        return {code: np.concatenate(rows) for code, rows in found.items() if rows}

    def day_limits(self, kind: Kind, day: Day) -> Limits:
        """Parameter sets of a kind for the vehicles of a day, as they are in its last millisecond; (v,)."""
        parameters = self.parameters[kind.code]
        index = parameters.index(day.entry, day.time_ms)
        applies = self.exemptions.exempt_days(kind.code, day, day.of_class(kind.classes))
        return Limits(parameters.sets, index, applies, day.vehicle, known=parameters.known)

    def party(self, code: str, episode: Any) -> Party:
        """Class, county and company of the vehicle when its episode was raised; of a day, in its last millisecond.

        Where it is not registered then, those of the moment at which the episode ended.
        """
        at_ms = np.array([episode["raised_ms"], episode["ends_ms"]]) - (self.kinds[code].scope == "day")
        raised, ended = self.registry.entry(np.full(2, episode["vehicle"]), at_ms)
        party: int = self.registry.entries.party[raised if raised >= 0 else ended]
        return self.registry.parties[party]

    def place_county(self, episode: Any) -> str:
        """County in which an episode began, by the registry's ``county`` fences; empty where none."""
        lon, lat, time_ms = (np.array([episode[name]]) for name in ("lon", "lat", "begins_ms"))
        fence: int = self.lookup.zones.least("county", lon, lat, time_ms, np.zeros(1, np.uint8)).fence[0]
        return self.registry.fences[fence].id if fence >= 0 else ""
