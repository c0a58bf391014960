"""Counted: the parameters that counted for a violation, by the registry it was found under."""

from dataclasses import dataclass, field

import numpy as np

from detectors.activity import DRIVING
from detectors.kind import Kind
from detectors.limits import Parameters
from ingest.registry import Registry


@dataclass(slots=True)
class Counted:
    """Parameters of kinds for the vehicles of one registry.

    Attributes
    ----------
    registry : Registry
    """

    registry: Registry
    _tables: dict[str, Parameters] = field(default_factory=dict)

    def of(self, kind: Kind, plate: str, plate_color: int, begins_ms: int, fence: str = "") -> dict[str, float]:
        """Those of a kind, and of driving activity, for a vehicle when its episode began; by name.

        An episode keeps the parameters of its first fix. Source: rulebook, arithmetic.

        Parameters
        ----------
        fence : str, optional
            Id of the fence that the episode names; parameters may have been given for it.
        """
        row = self.registry.vehicles.rows.get((plate, plate_color))
        if row is None:
            return {}
        time_ms = np.array([begins_ms], np.int64)
        entry = self.registry.entry(np.array([row], np.int32), time_ms)
        within = [at for at, one in enumerate(self.registry.fences) if fence and one.id == fence]
        place = np.array([*within[:1], -1][:1], np.int32)
        found: dict[str, float] = {}
        for group, defaults in (("driving", DRIVING), (kind.code, kind.limits)):
            if group not in self._tables:
                fenced = group == kind.code and kind.fenced is not None
                self._tables[group] = Parameters(group, defaults, self.registry, fenced=fenced)
            one = self._tables[group].columns(entry, time_ms, place)[0]
            found |= {name: one[name].item() for name in defaults}
        return found
